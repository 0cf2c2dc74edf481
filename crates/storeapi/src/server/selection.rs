//! The series of one answer, made into messages piece by piece.

use std::sync::Arc;

use grpc::Status;
use model::{Labels, TimeRange};
use prost::Message;
use proto::thanos::{
    AggrChunk, SeriesBatch, SeriesRequest, SeriesResponse, series_response::Result as Answer,
};
use storage::{Columns, SelectHints, Series};

use super::{
    Inner, Limits,
    external::{External, decide_series},
    read_matchers,
    shard::Shard,
    storage_failed,
};
use crate::wire;

pub(super) struct Selection {
    series: std::vec::IntoIter<(Labels, Arc<dyn Series>)>,
    warnings: Vec<String>,
    range: TimeRange,
    wants_chunks: bool,
    /// So many series go into one message.
    batch: usize,
    limits: Limits,
    samples_left: usize,
    /// Room for the samples of one series.
    columns: Columns,
}

/// A piece of an answer.
#[derive(Default)]
pub(super) struct Frame {
    pub(super) messages: Vec<SeriesResponse>,
    pub(super) n_series: usize,
    pub(super) chunk_bytes: usize,
}

impl Inner {
    /// Finds the series; their samples are read later. `is_raw` leaves external labels out of it.
    pub(super) fn select(
        &self,
        request: &SeriesRequest,
        is_raw: bool,
    ) -> Result<Selection, Status> {
        let external = self.external_labels(is_raw);
        let range = TimeRange::from_millis(request.min_time, request.max_time);
        let mut selection = Selection {
            series: Vec::new().into_iter(),
            warnings: Vec::new(),
            range,
            wants_chunks: !request.skip_chunks,
            batch: usize::try_from(request.response_batch_size).unwrap_or_default(),
            limits: self.limits,
            samples_left: self.limits.samples,
            columns: Columns::default(),
        };
        let matchers = decide_series(read_matchers(&request.matchers)?, &external)?;
        let Some(matchers) = matchers.filter(|_| range.start <= range.end) else {
            return Ok(selection);
        };
        let querier = self.sources.series.querier(range).map_err(storage_failed)?;
        let set = querier.select(!is_raw, &hints(request, range), &matchers);
        let set = set.map_err(storage_failed)?;
        let external = External::new(&external, &request.without_replica_labels);
        let mut shard = Shard::new(request.shard_info.as_ref());
        let shown = set.series.into_iter().map(|s| (external.apply(s.labels()), s));
        let mut series: Vec<_> = shown.filter(|(labels, _)| shard.takes(labels)).collect();
        if series.len() > self.limits.series {
            let text = format!("the answer has more than {} series", self.limits.series);
            return Err(Status::resource_exhausted(text));
        }
        if !is_raw {
            // Sorted already, unless labels that were added or taken off changed the order.
            series.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        selection.warnings = set.warnings;
        if let Ok(limit @ 1..) = usize::try_from(request.limit)
            && series.len() > limit
        {
            series.truncate(limit);
            selection.warnings.push("results truncated due to limit".to_owned());
        }
        selection.series = series.into_iter();
        Ok(selection)
    }
}

/// What the other side will do with the series; no limit: what is to be left out is known only
/// once they have their labels.
fn hints(request: &SeriesRequest, range: TimeRange) -> SelectHints {
    let mut hints = SelectHints::new(range);
    if let Some(told) = &request.query_hints {
        hints.step_ms = told.step_millis;
        hints.range_ms = told.range.as_ref().map_or(0, |range| range.millis);
        hints.function = told.func.as_ref().map_or_else(String::new, |func| func.name.clone());
        if let Some(grouping) = &told.grouping {
            hints.by = grouping.by;
            hints.grouping.clone_from(&grouping.labels);
        }
    }
    if request.skip_chunks {
        hints.function = "series".to_owned();
    }
    hints
}

impl Selection {
    /// The next messages, nothing at the end.
    pub(super) fn next_frame(&mut self) -> Result<Option<Frame>, Status> {
        let mut frame = Frame::default();
        let warning = |text| SeriesResponse { result: Some(Answer::Warning(text)) };
        frame.messages.extend(self.warnings.drain(..).map(warning));
        let mut batch = Vec::new();
        let mut n_bytes = 0;
        while n_bytes < self.limits.frame_bytes
            && let Some((labels, series)) = self.series.next()
        {
            let chunks = if self.wants_chunks { self.read(&*series)? } else { Vec::new() };
            if self.wants_chunks && chunks.is_empty() {
                continue;
            }
            frame.n_series += 1;
            let labels = wire::labels(&labels);
            n_bytes += labels.iter().map(Message::encoded_len).sum::<usize>();
            for chunks in split(chunks, self.limits.frame_bytes) {
                let chunk_bytes: usize = chunks.iter().map(AggrChunk::encoded_len).sum();
                frame.chunk_bytes += chunk_bytes;
                n_bytes += chunk_bytes;
                batch.push(proto::thanos::Series { labels: labels.clone(), chunks });
                if batch.len() >= self.batch {
                    frame.push(&mut batch);
                }
            }
        }
        frame.push(&mut batch);
        Ok((!frame.messages.is_empty()).then_some(frame))
    }

    fn read(&mut self, series: &dyn Series) -> Result<Vec<AggrChunk>, Status> {
        self.columns.clear();
        series.read(self.range, &mut self.columns).map_err(storage_failed)?;
        self.samples_left = self.samples_left.checked_sub(self.columns.len()).ok_or_else(|| {
            let text = format!("the answer has more than {} samples", self.limits.samples);
            Status::resource_exhausted(text)
        })?;
        Ok(wire::chunks(&self.columns))
    }
}

impl Frame {
    /// Makes a message of what has been collected.
    fn push(&mut self, batch: &mut Vec<proto::thanos::Series>) {
        let answer = match batch.len() {
            0 => return,
            1 => batch.pop().map(Answer::Series),
            _ => Some(Answer::Batch(SeriesBatch { series: std::mem::take(batch) })),
        };
        self.messages.push(SeriesResponse { result: answer });
    }
}

/// Cuts the chunks of a series so that no message becomes much larger than `limit`; even of a
/// series without chunks there is one part.
fn split(chunks: Vec<AggrChunk>, limit: usize) -> Vec<Vec<AggrChunk>> {
    let mut parts = vec![Vec::new()];
    let mut n_bytes = 0;
    for chunk in chunks {
        if n_bytes >= limit {
            parts.push(Vec::new());
            n_bytes = 0;
        }
        n_bytes += chunk.encoded_len();
        parts.last_mut().expect("there is a first one").push(chunk);
    }
    parts
}
