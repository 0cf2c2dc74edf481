//! A stretch of the head becomes a block.

use std::path::Path;

use blocks::{Chunk, Meta, Writer};
use model::TimeRange;
use runtime::Disk;

use super::rewrite::{in_encoding, without};
use crate::{
    Result,
    database::Store,
    head::{Contents, Head, LabelIds, Series, SeriesId, SortedSymbols},
};

/// Writes what the head holds of the series that are wanted in the range of `meta`; `None` if that
/// is nothing.
///
/// The head goes on taking samples meanwhile, which must be later.
pub(crate) fn write(
    disk: &dyn Disk,
    directory: &Path,
    meta: Meta,
    store: &Store,
    is_wanted: &dyn Fn(SeriesId) -> bool,
) -> Result<Option<Meta>> {
    let (head, range) = (&store.head, meta.range());
    let symbols = head.index.read().sorted_symbols();
    let has_samples =
        |_: &Contents, series: &Series| series.overlaps(range, 0) && is_wanted(series.id);
    let order = in_order_of_labels(head, &symbols, has_samples);
    let symbols = symbols.restricted_to(labels_of(head, &order));
    let mut writer = Writer::create(disk, directory, meta, symbols.texts())?;
    match add_all(&mut writer, store, &symbols, &order, range) {
        Ok(0) => {
            writer.abort()?;
            Ok(None)
        }
        Ok(_) => Ok(Some(writer.finish()?)),
        Err(error) => {
            writer.abort()?;
            Err(error)
        }
    }
}

/// The labels of series, one after the other.
pub(super) fn labels_of(head: &Head, ids: &[SeriesId]) -> impl Iterator<Item = LabelIds> {
    ids.iter().flat_map(|id| {
        let page = head.page(*id);
        let labels = page.and_then(|page| Some(page.lock().get(*id)?.labels.to_vec()));
        labels.unwrap_or_default()
    })
}

fn add_all(
    writer: &mut Writer<'_>,
    store: &Store,
    symbols: &SortedSymbols,
    order: &[SeriesId],
    range: TimeRange,
) -> Result<u64> {
    let mut n_series = 0;
    for id in order {
        let Some(page) = store.head.page(*id) else { continue };
        let (labels, captured) = {
            let contents = page.lock();
            let Some(series) = contents.get(*id) else { continue };
            (symbols.numbers(&series.labels), series.chunks_within(range))
        };
        let deleted = store.tombstones.of(*id);
        let mut chunks = Vec::with_capacity(captured.len());
        for chunk in &captured {
            let bytes = (&*chunk.bytes).into();
            let (start, end, encoding) = (chunk.start, chunk.end(), chunk.encoding);
            chunks.extend(without(Chunk { start, end, encoding, bytes }, &deleted)?);
        }
        let chunks = in_encoding(chunks, store.float_encoding())?;
        if !chunks.is_empty() {
            writer.add(&labels, &chunks)?;
            n_series += 1;
        }
    }
    Ok(n_series)
}

/// The series that `is_wanted` names, sorted by labels.
///
/// To hold all labels of all series at once would double what the head takes. So series are sorted
/// by their first label, which usually is the metric's name, and then group by group.
pub(super) fn in_order_of_labels(
    head: &Head,
    symbols: &SortedSymbols,
    is_wanted: impl Fn(&Contents, &Series) -> bool,
) -> Vec<SeriesId> {
    let mut first: Vec<((u32, u32), SeriesId)> = Vec::new();
    for page in head.pages() {
        let page = page.lock();
        for series in page.iter().filter(|series| is_wanted(&page, series)) {
            let number = series.labels.first().map(|label| symbols.number(*label));
            first.push((number.unwrap_or_default(), series.id));
        }
    }
    first.sort_unstable();
    let mut order = Vec::with_capacity(first.len());
    for group in first.chunk_by(|a, b| a.0 == b.0) {
        let mut group: Vec<(Vec<(u32, u32)>, SeriesId)> = group
            .iter()
            .filter_map(|(_, id)| {
                let page = head.page(*id)?;
                let page = page.lock();
                Some((symbols.numbers(&page.get(*id)?.labels), *id))
            })
            .collect();
        group.sort_unstable();
        order.extend(group.into_iter().map(|(_, id)| id));
    }
    order
}
