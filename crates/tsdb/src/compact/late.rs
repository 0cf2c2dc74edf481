//! The late samples of the head become blocks.

use std::sync::Weak;

use blocks::{Chunk, Meta, Writer};

use super::{
    Upkeep,
    head::{in_order_of_labels, labels_of},
    merge::{join, outside},
    new_ulid, note, open_new,
    rewrite::{in_encoding, without},
};
use crate::{
    Error, Result,
    database::Store,
    head::{Contents, Series, SeriesId, SortedSymbols},
};

/// Late samples that are in blocks, and go once nobody reads them in the head any more.
pub(super) struct InBlocks {
    /// Held by whoever began to read when the blocks were not there yet.
    readers: Vec<Weak<()>>,
    /// The last segment of their log that has some of them.
    last_segment: u32,
}

/// Writes all late samples into blocks, one for each range of time that has some.
pub(super) fn compact(store: &Store, upkeep: &mut Upkeep) -> Result<()> {
    let has_none = |(start, end): (i64, i64)| start > end;
    if upkeep.late_in_blocks.is_some() || has_none(store.head.late_times()) {
        return Ok(());
    }
    let last_segment = begin_leaving(store)?;
    let (start, end) = store.head.late_times();
    let range = store.head.limits.chunk_range_ms;
    let mut begin = start.div_euclid(range) * range;
    let classes = store.classes();
    let members = classes.members(&store.head.index.read())?;
    while begin <= end {
        for class in classes.all() {
            let stopwatch = store.runtime.clock.monotonic();
            let meta = Meta::new(new_ulid(store), begin, begin.saturating_add(range));
            let meta = classes.mark(meta.from_out_of_order(), class);
            let written = write(store, meta, &|id| members.has(class, id));
            note(store, stopwatch, written.is_ok());
            if let Some(meta) = written? {
                open_new(store, &meta)?;
                let (block, series) = (meta.ulid, meta.stats.num_series);
                tracing::info!(%block, begin, series, "write block of out-of-order samples");
            }
        }
        begin = begin.saturating_add(range);
    }
    // Who began before an in-order block appeared may see neither that nor these.
    let mut readers: Vec<Weak<()>> =
        upkeep.in_block.iter().map(|in_block| in_block.readers.clone()).collect();
    readers.push(store.next_epoch());
    upkeep.late_in_blocks = Some(InBlocks { readers, last_segment });
    Ok(())
}

/// Marks all late samples that there are; says which segment of their log has the last of them.
fn begin_leaving(store: &Store) -> Result<u32> {
    let (last_segment, finished) = {
        // No commit may come between the cut of the log and that of the samples.
        let _commits_wait = store.log.lock();
        let cut = store.with_late_log(|log| {
            let last = log.segment();
            log.next_segment()?;
            Ok((last, log.take_finished()))
        });
        let cut = cut.map_err(|error| store.write_failed(error))?;
        for page in store.head.pages() {
            page.lock().late.begin_leaving();
        }
        cut
    };
    store.sync_finished(finished)?;
    Ok(last_segment)
}

/// Drops what is in blocks from the head and from the log, unless somebody still reads it.
pub(super) fn end(store: &Store, upkeep: &mut Upkeep) -> Result<()> {
    let Some(in_blocks) = &upkeep.late_in_blocks else { return Ok(()) };
    if in_blocks.readers.iter().any(|readers| readers.strong_count() > 0) {
        return Ok(());
    }
    let last_segment = in_blocks.last_segment;
    let n_chunks = {
        let _commits_wait = store.log.lock();
        store.head.end_leaving()
    };
    store.counters.chunks_removed.add(n_chunks as u64);
    upkeep.late_in_blocks = None;
    let disk = &*store.runtime.disk;
    let layout = wal::Layout::read(disk, &store.late_log_directory)?;
    for segment in layout.segments.iter().filter(|segment| segment.number <= last_segment) {
        disk.remove_file(&segment.path).map_err(|source| Error::Io {
            action: format!("remove {}", segment.path.display()),
            source,
        })?;
    }
    // Deletions of these samples may leave the other log from now on.
    let directory = &store.late_log_directory;
    disk.sync_directory(directory)
        .map_err(|source| Error::Io { action: format!("sync {}", directory.display()), source })
}

/// Writes the leaving samples in the range of `meta` of the series that are wanted; `None` if there
/// are none.
fn write(store: &Store, meta: Meta, is_wanted: &dyn Fn(SeriesId) -> bool) -> Result<Option<Meta>> {
    let head = &store.head;
    let range = meta.range();
    let is_empty = head
        .pages()
        .iter()
        .all(|page| page.lock().late.iter().all(|(_, late)| late.leaving(range).is_empty()));
    if is_empty {
        return Ok(None);
    }
    let symbols = head.index.read().sorted_symbols();
    let has_samples = |page: &Contents, series: &Series| {
        is_wanted(series.id)
            && page.late.get(series.id).is_some_and(|late| !late.leaving(range).is_empty())
    };
    let order = in_order_of_labels(head, &symbols, has_samples);
    if order.is_empty() {
        return Ok(None);
    }
    let symbols = symbols.restricted_to(labels_of(head, &order));
    let (disk, directory) = (&*store.runtime.disk, &store.directory);
    let mut writer = Writer::create(disk, directory, meta.clone(), symbols.texts())?;
    match add_all(&mut writer, store, &symbols, &order, &meta) {
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

fn add_all(
    writer: &mut Writer<'_>,
    store: &Store,
    symbols: &SortedSymbols,
    order: &[SeriesId],
    meta: &Meta,
) -> Result<u64> {
    let mut n_series = 0;
    for id in order {
        let Some(page) = store.head.page(*id) else { continue };
        let (labels, leaving) = {
            let page = page.lock();
            let (Some(series), Some(late)) = (page.get(*id), page.late.get(*id)) else { continue };
            (symbols.numbers(&series.labels), late.leaving(meta.range()))
        };
        let mut unwanted = store.tombstones.of(*id);
        outside(meta).into_iter().for_each(|interval| unwanted.add(interval));
        let mut chunks = Vec::new();
        for chunk in &leaving {
            let bytes = (&*chunk.bytes).into();
            let (start, end, encoding) = (chunk.start, chunk.end(), chunk.encoding);
            chunks.extend(without(Chunk { start, end, encoding, bytes }, &unwanted)?);
        }
        let chunks = in_encoding(join(chunks)?, store.float_encoding())?;
        if !chunks.is_empty() {
            writer.add(&labels, &chunks)?;
            n_series += 1;
        }
    }
    Ok(n_series)
}
