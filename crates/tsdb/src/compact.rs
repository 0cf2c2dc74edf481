//! The head becomes blocks, blocks become longer blocks, old ones go.

mod head;
mod late;
mod merge;
mod plan;
mod rewrite;
mod split;
#[cfg(test)]
mod tests;
mod uploads;

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use blocks::{Block, Meta};
use ulid::Ulid;

pub(crate) use head::write as write_head;
pub(crate) use merge::join;
use plan::{plan, ranges};
pub(crate) use rewrite::encode_chunks as encode;
use uploads::Awaited;

use crate::{
    Error, Result, catalog,
    database::Store,
    head::series::end_of_range,
    retention::{self, Classes, Limits},
    truncate::{self, Truncation},
};

/// What compaction has left to do until nobody reads it any more.
#[derive(Default)]
pub(crate) struct Upkeep {
    in_block: Option<InBlock>,
    late_in_blocks: Option<late::InBlocks>,
    /// Since when something of the head is due, while it waits.
    due_since: Option<Duration>,
}

/// The head's part of a new block, which goes once nobody reads it any more.
pub(crate) struct InBlock {
    /// All before it is in blocks.
    before: i64,
    /// Held by whoever began to read when the block was not there yet.
    readers: Weak<()>,
}

/// Moves what is old enough from the head into blocks, and merges blocks.
pub(crate) fn compact(store: &Store, upkeep: &mut Upkeep) -> Result<Option<Truncation>> {
    late::end(store, upkeep)?;
    let truncation = compact_head(store, upkeep)?;
    compact_blocks(store)?;
    Ok(truncation)
}

/// Moves what is old enough from the head into blocks, unless somebody still reads or appends
/// there: then the next round does.
fn compact_head(store: &Store, upkeep: &mut Upkeep) -> Result<Option<Truncation>> {
    let mut truncation: Option<Truncation> = None;
    let mut has_new_block = false;
    loop {
        if let Some(InBlock { before, readers }) = &upkeep.in_block {
            if readers.strong_count() > 0 {
                break;
            }
            let before = *before;
            upkeep.in_block = None;
            let later = truncate::truncate(store, before)?;
            truncation = Some(truncation.unwrap_or_default().and(later));
        }
        let Some((start, end)) = due(store) else {
            upkeep.due_since = None;
            break;
        };
        let now = store.runtime.clock.monotonic();
        let has_waited = now.saturating_sub(*upkeep.due_since.get_or_insert(now));
        if has_waited < store.compaction_delay {
            break;
        }
        if !store.close_for_appenders(end) {
            break;
        }
        write_stretch(store, start, end)?;
        upkeep.in_block = Some(InBlock { before: end, readers: store.next_epoch() });
        has_new_block = true;
    }
    if has_new_block {
        late::compact(store, upkeep)?;
    }
    Ok(truncation)
}

/// The next stretch of the head that no sample will be added to, in milliseconds.
fn due(store: &Store) -> Option<(i64, i64)> {
    let (start, newest) = (store.head.min_time(), store.head.max_time());
    let range = store.head.limits.chunk_range_ms;
    let is_due = start <= newest && newest.saturating_sub(start) > range / 2 * 3;
    is_due.then(|| (start, end_of_range(start, range)))
}

/// Writes a stretch of the head: a block for each class that has something there.
fn write_stretch(store: &Store, start: i64, end: i64) -> Result<()> {
    let disk = &*store.runtime.disk;
    let classes = store.classes();
    let members = classes.members(&store.head.index.read())?;
    let mut written: Vec<Meta> = Vec::new();
    for class in classes.all() {
        let begin = store.runtime.clock.monotonic();
        let mut meta = classes.mark(Meta::new(new_ulid(store), start, end), class);
        if !classes.is_single() {
            // As long as one is missing none may pass for the place where the head begins.
            meta = meta.from_out_of_order();
        }
        let is_wanted = |id| members.has(class, id);
        let outcome = head::write(disk, &store.directory, meta, store, &is_wanted);
        note(store, begin, outcome.is_ok());
        match outcome {
            Ok(None) => {}
            Ok(Some(meta)) => {
                let took = store.runtime.clock.monotonic() - begin;
                let (block, series) = (meta.ulid, meta.stats.num_series);
                tracing::info!(%block, start, end, series, ?took, "write block");
                written.push(meta);
            }
            Err(error) => {
                for meta in written {
                    catalog::remove_block(disk, &store.directory, meta.ulid)?;
                }
                return Err(error);
            }
        }
    }
    for meta in &written {
        let block = open(store, meta)?;
        if !classes.is_single() {
            block.update_meta(disk, Meta::clear_out_of_order)?;
        }
        store.catalog.add(block);
    }
    Ok(())
}

/// Merges blocks until none are due, class by class; takes one block apart that has several.
fn compact_blocks(store: &Store) -> Result<()> {
    let classes = store.classes();
    split::split_next(store, &classes)?;
    let awaited = Awaited::look(store);
    for class in classes.all() {
        let longest = classes.block_range_max(class, &store.options);
        let ranges = ranges(store.head.limits.chunk_range_ms, longest);
        loop {
            let metas = settled(store);
            let of_class = metas.into_iter().filter(|meta| classes.of_block(meta) == Some(class));
            let ready = of_class.filter(|meta| !awaited.is_for(meta));
            let planned = plan(&ready.collect::<Vec<_>>(), &ranges);
            if planned.is_empty() {
                break;
            }
            merge_blocks(store, &planned)?;
        }
    }
    Ok(())
}

/// What lies where the head still is stays apart: as part of a block that came out of the head in
/// order it would pass for the place where the head begins.
fn settled(store: &Store) -> Vec<Meta> {
    let until = store.head.min_valid_time();
    let is_settled = |meta: &Meta| !meta.is_from_out_of_order() || meta.max_time <= until;
    let blocks = store.catalog.blocks();
    blocks.iter().map(|block| Meta::clone(&block.meta())).filter(is_settled).collect()
}

/// Rewrites each block in which something is deleted.
pub(crate) fn clean_tombstones(store: &Store) -> Result<()> {
    for block in store.catalog.blocks().iter().filter(|block| !block.tombstones().is_empty()) {
        merge_blocks(store, &[block.meta().ulid])?;
    }
    Ok(())
}

fn merge_blocks(store: &Store, planned: &[Ulid]) -> Result<()> {
    let disk = &*store.runtime.disk;
    let blocks = store.catalog.blocks();
    let sources: Vec<Block> = planned
        .iter()
        .filter_map(|ulid| blocks.iter().find(|block| block.meta().ulid == *ulid).cloned())
        .collect();
    let begin = store.runtime.clock.monotonic();
    let merged = merge::merge(disk, &store.directory, new_ulid(store), &sources);
    note(store, begin, merged.is_ok());
    if let Err(Error::Block(blocks::Error::Corrupt { .. }) | Error::Chunk(_)) = &merged {
        // It would fail again and again; the other blocks are to go on.
        for block in &sources {
            block.update_meta(disk, |meta| meta.compaction.failed = true)?;
        }
    }
    match merged? {
        Some(meta) => {
            open_new(store, &meta)?;
            let took = store.runtime.clock.monotonic() - begin;
            let (block, sources, series) = (meta.ulid, sources.len(), meta.stats.num_series);
            tracing::info!(%block, sources, series, ?took, "compact blocks");
        }
        None => {
            store.catalog.remove(|meta| planned.contains(&meta.ulid));
            truncate::purge_log(store)?;
        }
    }
    for ulid in planned {
        catalog::remove_block(disk, &store.directory, *ulid)?;
    }
    Ok(())
}

/// Drops blocks that are replaced, too old or too many.
pub(crate) fn drop_obsolete(store: &Store) -> Result<()> {
    let classes = store.classes();
    let blocks = store.catalog.blocks();
    let metas: Vec<Arc<Meta>> = blocks.iter().map(Block::meta).collect();
    let sized: Vec<(&Meta, u64)> =
        metas.iter().zip(blocks.iter()).map(|(meta, block)| (&**meta, block.bytes())).collect();
    let disk = &*store.runtime.disk;
    let log_bytes = wal::bytes_on_disk(disk, &store.log_directory)
        + wal::bytes_on_disk(disk, &store.late_log_directory);
    let limits = Limits { age_ms: &|meta| classes.age_ms(meta), bytes: bytes_max(store, &classes) };
    let obsolete = retention::obsolete(&sized, log_bytes, &limits);
    let spared = spare_newest(store, &metas, &|meta| obsolete.contains(&meta.ulid));
    let is_obsolete = |meta: &Meta| obsolete.contains(&meta.ulid) && spared != Some(meta.ulid);
    store.catalog.remove(is_obsolete);
    for meta in metas.iter().filter(|meta| is_obsolete(meta)) {
        tracing::info!(block = %meta.ulid, "delete obsolete block");
        catalog::remove_block(&*store.runtime.disk, &store.directory, meta.ulid)?;
    }
    store.counters.time_retentions.add(u64::from(!obsolete.too_old.is_empty()));
    store.counters.size_retentions.add(u64::from(!obsolete.too_much.is_empty()));
    Ok(())
}

/// The newest block in order says where the head begins. Without it the next start would take from
/// the log what is gone, deleted samples too: so that leaves the log first. Where it cannot, the
/// block stays.
fn spare_newest(
    store: &Store,
    metas: &[Arc<Meta>],
    is_obsolete: &dyn Fn(&Meta) -> bool,
) -> Option<Ulid> {
    let in_order = metas.iter().filter(|meta| !meta.is_from_out_of_order());
    let newest = in_order.max_by_key(|meta| meta.max_time).filter(|meta| is_obsolete(meta))?;
    let error = truncate::purge_log(store).err()?;
    tracing::warn!(block = %newest.ulid, %error, "obsolete block stays, as its samples are in the log");
    Some(newest.ulid)
}

/// How much everything may take on the disk; zero for any amount.
fn bytes_max(store: &Store, classes: &Classes) -> u64 {
    let retention = classes.retention();
    if retention.percentage <= 0.0 {
        return retention.bytes;
    }
    match store.runtime.disk.total_bytes(&store.directory) {
        // A share of nothing would leave nothing.
        Ok(total) => ((total as f64 * retention.percentage / 100.0) as u64).max(1),
        Err(error) => {
            tracing::warn!(%error, "size of the file system not known; retention is by bytes");
            retention.bytes
        }
    }
}

pub(crate) fn open_new(store: &Store, meta: &Meta) -> Result<()> {
    store.catalog.add(open(store, meta)?);
    Ok(())
}

fn open(store: &Store, meta: &Meta) -> Result<Block> {
    let path = store.directory.join(meta.ulid.to_string());
    Ok(Block::open(&*store.runtime.disk, &path)?)
}

fn note(store: &Store, begin: std::time::Duration, is_ok: bool) {
    let counters = &store.counters;
    counters.compactions.add(1);
    counters.compactions_failed.add(u64::from(!is_ok));
    counters.compaction_time.add_time(store.runtime.clock.monotonic() - begin);
}

pub(crate) fn new_ulid(store: &Store) -> Ulid {
    let random = &store.runtime.random;
    let high = u128::from(random.u64()) << 64;
    let now = store.runtime.clock.now_millis().try_into().unwrap_or(0);
    Ulid::from_parts(now, high | u128::from(random.u64()))
}
