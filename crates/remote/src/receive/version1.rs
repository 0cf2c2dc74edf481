//! `prometheus.WriteRequest`: series with their labels as text.

use model::{Labels, Timestamp};
use storage::{Exemplar, SeriesRef};
use tracing::{debug, warn};

use super::{
    Refusal, Report,
    batch::{Batch, CHUNK_SERIES, Failure, Item, Series},
};
use crate::{
    histogram,
    labels::RawLabels,
    wire::{Fields, Result as WireResult},
};

/// Appends everything; the first sample that is not taken ends it.
pub(super) fn append(batch: &mut Batch<'_>, request: &[u8]) -> Result<Report, Refusal> {
    let mut report = Report::default();
    let mut items = Vec::with_capacity(CHUNK_SERIES);
    let mut n_series = 0;
    let mut fields = Fields::new(request);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => {
                let (labels, rest) = split(field.bytes()?)?;
                let key = batch.cache.key(labels, 0);
                items.push(Item { idx: n_series, key, handle: SeriesRef::UNKNOWN, labels, rest });
                n_series += 1;
                if items.len() == CHUNK_SERIES {
                    append_items(batch, &mut items, &mut report)?;
                }
            }
            // Metadata of families: read, so that what is broken is refused, but not kept.
            3 => read_metadata(field.bytes()?)?,
            _ => {}
        }
    }
    append_items(batch, &mut items, &mut report)?;
    if report.n_invalid > 0 {
        warn!(num_series = report.n_invalid, "Invalid metric names or labels");
    }
    Ok(report)
}

fn append_items(
    batch: &mut Batch<'_>,
    items: &mut Vec<Item<'_>>,
    report: &mut Report,
) -> Result<(), Refusal> {
    batch.look_up(items);
    let mut run = Run::default();
    let mut rest = items.as_slice();
    while let Some(first) = rest.first() {
        run.read(rest);
        let n_items = run.floats.len();
        if n_items > 1 {
            append_run(batch, &mut run, rest, report)?;
        } else {
            append_any(batch, first, report)?;
        }
        rest = &rest[n_items.max(1)..];
    }
    items.clear();
    Ok(())
}

/// Series in a row that are known and have one float each, all of the same time: what a target gave
/// at once, mostly, and what is appended at once.
#[derive(Default)]
struct Run {
    time: i64,
    floats: Vec<(SeriesRef, f64)>,
    unknown: Vec<usize>,
}

impl Run {
    /// As many of the first items as make a run.
    fn read(&mut self, items: &[Item<'_>]) {
        self.floats.clear();
        for item in items.iter().take_while(|item| item.handle != SeriesRef::UNKNOWN) {
            let Some((time, value)) = only_sample(item.rest) else { return };
            if self.floats.is_empty() {
                self.time = time;
            }
            if time != self.time {
                return;
            }
            self.floats.push((item.handle, value));
        }
    }
}

/// The sample of a series that has nothing else.
#[inline]
fn only_sample(rest: &[u8]) -> Option<(i64, f64)> {
    let mut fields = Fields::new(rest);
    let field = fields.next().ok()??;
    let is_alone = field.number == 2 && fields.rest().is_empty();
    is_alone.then(|| field.bytes().and_then(read_sample).ok())?
}

fn append_run(
    batch: &mut Batch<'_>,
    run: &mut Run,
    items: &[Item<'_>],
    report: &mut Report,
) -> Result<(), Refusal> {
    run.unknown.clear();
    batch.append_floats(&run.floats, run.time, &mut run.unknown)?;
    report.written.samples += (run.floats.len() - run.unknown.len()) as u64;
    for idx in &run.unknown {
        append_item(batch, &items[*idx], Series::known(&items[*idx]), report)?;
    }
    Ok(())
}

fn append_any(batch: &mut Batch<'_>, item: &Item<'_>, report: &mut Report) -> Result<(), Refusal> {
    let series = match item.handle {
        SeriesRef::UNKNOWN => match read_labels(item.labels)?.checked() {
            Ok(labels) => Series::new(item, labels),
            // Upstream is lenient here: the rest of the request counts.
            Err(_) => {
                report.n_invalid += 1;
                return Ok(());
            }
        },
        _ => Series::known(item),
    };
    append_item(batch, item, series, report)
}

fn append_item(
    batch: &mut Batch<'_>,
    item: &Item<'_>,
    mut series: Series,
    report: &mut Report,
) -> Result<(), Refusal> {
    let mut fields = Fields::new(item.rest);
    while let Some(field) = fields.next()? {
        match field.number {
            2 => {
                let (time, value) = read_sample(field.bytes()?)?;
                batch.append(&mut series, time, value, || known_labels(item))?;
                report.written.samples += 1;
            }
            // Whether it is taken does not matter to upstream; if it is broken, that does.
            3 => {
                if let Some(exemplar) = read_exemplar(field.bytes()?)?
                    && let Err(error) = batch.append_exemplar(&series, &exemplar)
                {
                    debug!(err = %error, "exemplar not taken");
                }
            }
            4 => {
                let histogram = histogram::read(field.bytes()?)?;
                batch.append_histogram(&mut series, histogram, || known_labels(item))?;
                report.written.histograms += 1;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The run of labels that a series begins with, and the rest. Who has labels elsewhere gets the
/// whole for both: readers skip what is not theirs.
fn split(series: &[u8]) -> WireResult<(&[u8], &[u8])> {
    let mut fields = Fields::new(series);
    let (mut labels_end, mut is_in_labels) = (0, true);
    while let Some(field) = fields.next()? {
        match (field.number, is_in_labels) {
            (1, true) => labels_end = series.len() - fields.rest().len(),
            (1, false) => return Ok((series, series)),
            _ => is_in_labels = false,
        }
    }
    Ok(series.split_at(labels_end))
}

fn read_labels(bytes: &[u8]) -> WireResult<RawLabels<'_>> {
    let mut labels = RawLabels::default();
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        if field.number == 1 {
            let (name, value) = read_label(field.bytes()?)?;
            labels.push(name, value);
        }
    }
    Ok(labels)
}

/// Labels of a series that was known, so they were good once.
fn known_labels(item: &Item<'_>) -> Result<Labels, Failure> {
    let labels = read_labels(item.labels).ok().and_then(|mut labels| labels.checked().ok());
    labels.ok_or_else(|| Failure::Store("labels of a known series are broken".to_owned()))
}

fn read_label(bytes: &[u8]) -> WireResult<(&[u8], &[u8])> {
    let (mut name, mut value): (&[u8], &[u8]) = (b"", b"");
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => name = field.bytes()?,
            2 => value = field.bytes()?,
            _ => {}
        }
    }
    Ok((name, value))
}

/// Time and value; version 2 has the same fields.
#[inline]
pub(super) fn read_sample(bytes: &[u8]) -> WireResult<(i64, f64)> {
    let (mut time, mut value) = (0, 0.0);
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => value = field.double()?,
            2 => time = field.number()? as i64,
            _ => {}
        }
    }
    Ok((time, value))
}

/// Nothing if its labels make no sense.
fn read_exemplar(bytes: &[u8]) -> WireResult<Option<Exemplar>> {
    let (mut labels, mut value, mut time) = (RawLabels::default(), 0.0, 0);
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => {
                let (name, value) = read_label(field.bytes()?)?;
                labels.push(name, value);
            }
            2 => value = field.double()?,
            3 => time = field.number()? as i64,
            _ => {}
        }
    }
    let time = Timestamp::from_millis(time);
    Ok(labels.check().ok().map(|()| Exemplar { labels: labels.to_set(), value, time }))
}

fn read_metadata(bytes: &[u8]) -> WireResult<()> {
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => drop(field.number()?),
            2 | 4 | 5 => drop(field.bytes()?),
            _ => {}
        }
    }
    Ok(())
}
