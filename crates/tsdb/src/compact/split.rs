//! A block with series of several classes becomes one for each.

use blocks::{Block, Meta};

use super::{merge, new_ulid, note, open, settled};
use crate::{Result, catalog, database::Store, retention::Classes};

/// Takes the oldest block apart that may hold several classes, if there is one: who defines
/// classes has some, and who opened the directory with another program. One at a time, for other
/// upkeep is not to wait.
pub(super) fn split_next(store: &Store, classes: &Classes) -> Result<()> {
    let has_several = |meta: &Meta| classes.of_block(meta).is_none() && !meta.compaction.failed;
    let Some(meta) = settled(store).into_iter().find(has_several) else { return Ok(()) };
    let blocks = store.catalog.blocks();
    let Some(source) = blocks.iter().find(|block| block.meta().ulid == meta.ulid) else {
        return Ok(());
    };
    let parts = write_parts(store, classes, source)?;
    let n_parts = parts.len();
    parts.into_iter().for_each(|part| store.catalog.add(part));
    // Only now: the parts do not name what they replace, or else the first one would replace it.
    store.catalog.remove(|other| other.ulid == meta.ulid);
    catalog::remove_block(&*store.runtime.disk, &store.directory, meta.ulid)?;
    tracing::info!(block = %meta.ulid, parts = n_parts, "split block by retention class");
    Ok(())
}

fn write_parts(store: &Store, classes: &Classes, source: &Block) -> Result<Vec<Block>> {
    let disk = &*store.runtime.disk;
    let mut parts = Vec::new();
    for class in classes.all() {
        let mut meta = Meta::clone(&source.meta());
        meta.ulid = new_ulid(store);
        meta.compaction.parents.clear();
        meta.compaction.hints.retain(|hint| !Classes::is_hint(hint));
        let meta = classes.mark(meta, class);
        let begin = store.runtime.clock.monotonic();
        let is_wanted = |series: &blocks::BlockSeries| -> Result<bool> {
            Ok(classes.of_labels(&series.labels()?) == class)
        };
        let written =
            merge::write(disk, &store.directory, meta, std::slice::from_ref(source), &is_wanted);
        note(store, begin, written.is_ok());
        if let Some(meta) = written? {
            parts.push(open(store, &meta)?);
        }
    }
    Ok(parts)
}
