//! The head becomes blocks, blocks become longer blocks, old ones go.

mod head;
mod late;
mod merge;
mod plan;
mod rewrite;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Weak};

use blocks::{Block, Meta};
use ulid::Ulid;

pub(crate) use head::write as write_head;
pub(crate) use late::end as end_late;
pub(crate) use merge::join;
use plan::{plan, ranges};
pub(crate) use rewrite::encode_chunks as encode;

use crate::{
    Error, Result, catalog,
    database::Store,
    head::series::end_of_range,
    retention::{self, Limits},
    truncate::{self, Truncation},
};

/// What compaction has left to do until nobody reads it any more.
#[derive(Default)]
pub(crate) struct Upkeep {
    in_block: Option<InBlock>,
    late_in_blocks: Option<late::InBlocks>,
}

/// The head's part of a new block, which goes once nobody reads it any more.
pub(crate) struct InBlock {
    /// All before it is in blocks.
    before: i64,
    /// Held by whoever began to read when the block was not there yet.
    readers: Weak<()>,
}

/// Moves what is old enough from the head into blocks, unless somebody still reads or appends
/// there: then the next round does.
pub(crate) fn compact_head(store: &Store, upkeep: &mut Upkeep) -> Result<Option<Truncation>> {
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
        let Some((start, end)) = due(store) else { break };
        if !store.close_for_appenders(end) {
            break;
        }
        let begin = store.runtime.clock.monotonic();
        let meta = Meta::new(new_ulid(store), start, end);
        let written = head::write(
            &*store.runtime.disk,
            &store.directory,
            meta,
            &store.head,
            &store.tombstones,
        );
        note(store, begin, written.is_ok());
        if let Some(meta) = written? {
            open_new(store, &meta)?;
            let took = store.runtime.clock.monotonic() - begin;
            let (block, series) = (meta.ulid, meta.stats.num_series);
            tracing::info!(%block, start, end, series, ?took, "write block");
        }
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

/// Merges blocks until none are due.
pub(crate) fn compact_blocks(store: &Store) -> Result<()> {
    let ranges = ranges(store.head.limits.chunk_range_ms, store.options.block_range_max());
    loop {
        // What lies where the head still is stays apart: as part of a block that came out of the
        // head in order it would pass for the place where the head begins.
        let settled_until = store.head.min_valid_time();
        let is_settled =
            |meta: &Meta| !meta.is_from_out_of_order() || meta.max_time <= settled_until;
        let blocks = store.catalog.blocks();
        let metas = blocks.iter().map(|block| Meta::clone(&block.meta()));
        let planned = plan(&metas.filter(is_settled).collect::<Vec<_>>(), &ranges);
        if planned.is_empty() {
            return Ok(());
        }
        merge_blocks(store, &planned)?;
    }
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
    let blocks = store.catalog.blocks();
    let metas: Vec<Arc<Meta>> = blocks.iter().map(Block::meta).collect();
    let sized: Vec<(&Meta, u64)> =
        metas.iter().zip(blocks.iter()).map(|(meta, block)| (&**meta, block.bytes())).collect();
    let disk = &*store.runtime.disk;
    let log_bytes = wal::bytes_on_disk(disk, &store.log_directory)
        + wal::bytes_on_disk(disk, &store.late_log_directory);
    let limits = Limits {
        age_ms: i64::try_from(store.options.retention.as_millis()).unwrap_or(i64::MAX),
        bytes: store.options.retention_bytes,
    };
    let obsolete = retention::obsolete(&sized, log_bytes, limits);
    store.catalog.remove(|meta| obsolete.contains(&meta.ulid));
    for meta in metas.iter().filter(|meta| obsolete.contains(&meta.ulid)) {
        tracing::info!(block = %meta.ulid, "delete obsolete block");
        catalog::remove_block(&*store.runtime.disk, &store.directory, meta.ulid)?;
    }
    store.counters.time_retentions.add(u64::from(!obsolete.too_old.is_empty()));
    store.counters.size_retentions.add(u64::from(!obsolete.too_much.is_empty()));
    Ok(())
}

pub(crate) fn open_new(store: &Store, meta: &Meta) -> Result<()> {
    let path = store.directory.join(meta.ulid.to_string());
    store.catalog.add(Block::open(&*store.runtime.disk, &path)?);
    Ok(())
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
