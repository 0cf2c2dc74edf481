//! What an administrator may ask for: deletion and snapshots.

use std::path::{Path, PathBuf};

use blocks::{Interval, Meta};
use model::{Matcher, TimeRange};
use storage::label_index;
use wal::record;

use crate::{Error, Result, compact, database::Store, head::LateSeries};

/// Hides what is in `range` of the series that satisfy all `matchers`.
pub(crate) fn delete(store: &Store, range: TimeRange, matchers: &[Matcher]) -> Result<()> {
    let _one_at_a_time = store.upkeep.lock();
    store.check_health()?;
    delete_in_head(store, range, matchers)?;
    for block in store.catalog.blocks().iter() {
        if block.meta().range().overlaps(range) {
            block.delete(&*store.runtime.disk, range, matchers)?;
        }
    }
    Ok(())
}

fn delete_in_head(store: &Store, range: TimeRange, matchers: &[Matcher]) -> Result<()> {
    let selected = label_index::select(&*store.head.index.read(), matchers)
        .map_err(|error| Error::Select(error.to_string()))?;
    let mut tombstones = Vec::new();
    let mut deleted = Vec::new();
    for id in selected {
        let Some(page) = store.head.page(id) else { continue };
        let page = page.lock();
        let Some(series) = page.get(id) else { continue };
        // What is appended later is not meant.
        let in_order = series.first_time().zip(series.last_time());
        let late = page.late.get(id).and_then(LateSeries::times);
        let times = in_order.into_iter().chain(late);
        let hull = times.reduce(|(first, last), (f, l)| (first.min(f), last.max(l)));
        let Some((first, last)) = hull else { continue };
        let wanted = Interval::of(range);
        let interval = Interval { start: wanted.start.max(first), end: wanted.end.min(last) };
        if interval.start <= interval.end {
            let range = TimeRange::from_millis(interval.start, interval.end);
            tombstones.push(record::Tombstone { series_ref: series.log_ref, range });
            deleted.push((id, interval));
        }
    }
    if tombstones.is_empty() {
        return Ok(());
    }
    let mut encoded = Vec::new();
    record::encode_tombstones(&tombstones, &mut encoded);
    store.log.lock().append(&[&encoded]).map_err(|error| store.write_failed(error))?;
    for (id, interval) in deleted {
        store.tombstones.add(id, interval);
    }
    Ok(())
}

/// Copies the blocks, and the head as one more if `with_head`, below `directory`.
pub(crate) fn snapshot(store: &Store, directory: &Path, with_head: bool) -> Result<()> {
    let _one_at_a_time = store.upkeep.lock();
    let disk = &*store.runtime.disk;
    let io = |action: &str, path: &Path| {
        let action = format!("{action} {}", path.display());
        move |source| Error::Io { action, source }
    };
    disk.create_directories(directory).map_err(io("create", directory))?;
    for block in store.catalog.blocks().iter() {
        let target = directory.join(block.meta().ulid.to_string());
        for folder in [PathBuf::new(), PathBuf::from("chunks")] {
            let (from, to) = (block.directory().join(&folder), target.join(&folder));
            disk.create_directories(&to).map_err(io("create", &to))?;
            let entries = disk.list(&from).map_err(io("list", &from))?;
            for entry in entries.iter().filter(|entry| !entry.is_directory) {
                let path = to.join(&entry.name);
                disk.hard_link(&from.join(&entry.name), &path).map_err(io("link", &path))?;
            }
            disk.sync_directory(&to).map_err(io("sync", &to))?;
        }
    }
    let (start, newest) = (store.head.min_time(), store.head.max_time());
    if with_head && start <= newest {
        let meta = Meta::new(compact::new_ulid(store), start, newest.saturating_add(1));
        compact::write_head(disk, directory, meta, store, &|_| true)?;
    }
    disk.sync_directory(directory).map_err(io("sync", directory))
}
