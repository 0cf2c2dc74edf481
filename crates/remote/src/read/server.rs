//! `/api/v1/read`: samples for other systems.

use std::sync::Arc;

use model::{Labels, MatchKind, Matcher};
use storage::{Columns, Queryable, SelectHints, SeriesSet};
use telemetry::{Gauge, Registry};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    frames::push_frame,
    request::{Query, Request, ResponseType},
    response::{chunk_len, chunked, labels_len, write_series},
};
use crate::{receive::BODY_BYTES_MAX, snappy, write::Writer};

/// How much of answers there may be; zero is no limit.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Samples in an answer that is not streamed.
    pub samples_max: usize,
    pub concurrency_max: usize,
    pub frame_bytes_max: usize,
}

/// Answers remote reads.
pub struct Server {
    storage: Arc<dyn Queryable>,
    options: Options,
    /// Added to series that lack them; follows the configuration.
    external_labels: Arc<dyn Fn() -> Labels + Send + Sync>,
    gate: Arc<Semaphore>,
    running: Gauge,
}

/// What is answered.
pub enum Answer {
    /// A snappy block, `application/x-protobuf`.
    Samples(Vec<u8>),
    /// `application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse`.
    Stream(Stream),
}

/// An answer that is made while it is sent.
pub struct Stream {
    results: Vec<(Query, SeriesSet)>,
    external_labels: Labels,
    frame_bytes_max: usize,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Status 400.
    #[error("{0}")]
    BadRequest(String),
    /// Status 500.
    #[error("{0}")]
    Storage(String),
}

/// A place among those who may read at once.
pub struct Place {
    _permit: Option<OwnedSemaphorePermit>,
    running: Gauge,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.running.add(-1.0);
    }
}

impl Server {
    pub fn new(
        storage: Arc<dyn Queryable>,
        options: Options,
        external_labels: Arc<dyn Fn() -> Labels + Send + Sync>,
        registry: &Registry,
    ) -> Server {
        let running = registry.gauge(
            "prometheus_api_remote_read_queries",
            "Remote reads that are being answered or wait for it.",
        );
        let n_places = match options.concurrency_max {
            0 => Semaphore::MAX_PERMITS,
            limit => limit.min(Semaphore::MAX_PERMITS),
        };
        let gate = Arc::new(Semaphore::new(n_places));
        Server { storage, options, external_labels, gate, running }
    }

    /// Waits until there is room for another read, which lasts as long as the place is held.
    pub async fn enter(&self) -> Place {
        self.running.add(1.0);
        let running = self.running.clone();
        // It is never closed.
        Place { _permit: self.gate.clone().acquire_owned().await.ok(), running }
    }

    /// Answers a request, a snappy block. Computes and blocks: not for async threads.
    pub fn read(&self, body: &[u8]) -> Result<Answer, ReadError> {
        let bad = |error: &dyn std::fmt::Display| ReadError::BadRequest(error.to_string());
        let request = snappy::decode(body, BODY_BYTES_MAX).map_err(|error| bad(&error))?;
        let request = Request::read(&request).map_err(|error| bad(&error))?;
        let response_type = request.response_type().map_err(|error| bad(&error))?;
        let external_labels = (self.external_labels)();
        let mut results = Vec::new();
        for query in request.queries {
            let set = self.select(&query, &external_labels)?;
            results.push((query, set));
        }
        match response_type {
            ResponseType::Samples => self.sampled(&results, &external_labels).map(Answer::Samples),
            ResponseType::StreamedXorChunks => Ok(Answer::Stream(Stream {
                results,
                external_labels,
                frame_bytes_max: self.options.frame_bytes_max,
            })),
        }
    }

    fn select(&self, query: &Query, external_labels: &Labels) -> Result<SeriesSet, ReadError> {
        let matchers = without_external_labels(&query.matchers, external_labels);
        let querier = self.storage.querier(query.range).map_err(failed)?;
        let hints = query.hints.clone().unwrap_or_else(|| SelectHints::new(query.range));
        querier.select(true, &hints, &matchers).map_err(failed)
    }

    fn sampled(
        &self,
        results: &[(Query, SeriesSet)],
        external_labels: &Labels,
    ) -> Result<Vec<u8>, ReadError> {
        let mut bytes = Vec::new();
        let mut columns = Columns::default();
        let mut outcome = Ok(());
        for (query, set) in results {
            let mut n_samples = 0;
            Writer(&mut bytes).message(1, |out| {
                for series in &set.series {
                    columns.clear();
                    if let Err(error) = series.read(query.range, &mut columns) {
                        outcome = Err(failed(error));
                        return;
                    }
                    n_samples += columns.len();
                    let limit = self.options.samples_max;
                    if limit > 0 && n_samples > limit {
                        let text = format!("exceeded sample limit ({limit})");
                        outcome = Err(ReadError::BadRequest(text));
                        return;
                    }
                    if !columns.is_empty() {
                        write_series(&merge(&series.labels(), external_labels), &columns, out);
                    }
                }
            });
            outcome.clone()?;
        }
        Ok(crate::send::pack(&bytes).into())
    }
}

impl Stream {
    /// Makes the frames and hands them to `send`, until that says that nobody reads any more.
    /// Computes and blocks: not for async threads.
    pub fn run(self, send: &mut dyn FnMut(Vec<u8>) -> bool) -> Result<(), ReadError> {
        let mut columns = Columns::default();
        for (query_idx, (query, set)) in self.results.iter().enumerate() {
            for series in &set.series {
                columns.clear();
                series.read(query.range, &mut columns).map_err(failed)?;
                let labels = merge(&series.labels(), &self.external_labels);
                let packed = storage::pack(&columns);
                // Frames may be too large by the last chunk, as upstream's may.
                let room = self.frame_bytes_max.saturating_sub(labels_len(&labels));
                let mut rest = packed.as_slice();
                while !rest.is_empty() {
                    let (frame, after) = rest.split_at(n_chunks_within(rest, room));
                    let mut bytes = Vec::new();
                    push_frame(&mut bytes, &chunked(&labels, frame, query_idx));
                    if !send(bytes) {
                        return Ok(());
                    }
                    rest = after;
                }
            }
        }
        Ok(())
    }
}

/// How many chunks it takes to fill a frame: the last one may exceed `room`.
fn n_chunks_within(chunks: &[storage::PackedChunk], room: usize) -> usize {
    let mut filled = 0;
    let fills = |chunk: &storage::PackedChunk| {
        filled += chunk_len(chunk);
        filled >= room
    };
    chunks.iter().position(fills).map_or(chunks.len(), |last| last + 1)
}

/// Series here have no external labels; who asks for ours by name gets those without it.
fn without_external_labels(matchers: &[Matcher], external_labels: &Labels) -> Vec<Matcher> {
    let is_ours = |matcher: &Matcher| {
        matcher.kind == MatchKind::Equal
            && external_labels.get(&matcher.name) == Some(matcher.value.as_str())
    };
    let rewritten = matchers.iter().map(|matcher| match is_ours(matcher) {
        true => Matcher::equal(matcher.name.clone(), ""),
        false => matcher.clone(),
    });
    rewritten.collect()
}

/// The labels of a series and those of `external` that it lacks.
pub(super) fn merge(labels: &Labels, external: &Labels) -> Labels {
    if external.is_empty() {
        return labels.clone();
    }
    let lacking = external.iter().filter(|(name, _)| labels.get(name).is_none());
    Labels::from_pairs(labels.iter().chain(lacking))
}

fn failed(error: storage::Error) -> ReadError {
    ReadError::Storage(error.to_string())
}
