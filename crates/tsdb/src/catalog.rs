//! Which blocks there are.

use std::{path::Path, sync::Arc};

use blocks::{Block, Meta};
use parking_lot::RwLock;
use runtime::Disk;
use ulid::Ulid;

use crate::{Error, Result};

/// What a folder is called while it is written, and before it is removed.
const TEMPORARY: [&str; 3] = [".tmp-for-creation", ".tmp-for-deletion", ".tmp"];

/// The open blocks, oldest first. Readers hold a list as it was.
#[derive(Default)]
pub(crate) struct Catalog {
    /// No other lock is taken under it.
    blocks: RwLock<Arc<Vec<Block>>>,
}

/// What a look into the directory has found.
#[derive(Debug, Default)]
pub(crate) struct Reloaded {
    /// Blocks that could not be opened; they are left alone.
    pub(crate) n_corrupt: u64,
}

impl Catalog {
    pub(crate) fn blocks(&self) -> Arc<Vec<Block>> {
        self.blocks.read().clone()
    }

    /// Opens what is new in the directory and forgets what has gone from it.
    pub(crate) fn reload(&self, disk: &dyn Disk, directory: &Path) -> Result<Reloaded> {
        let known = self.blocks();
        let mut blocks = Vec::with_capacity(known.len());
        let mut reloaded = Reloaded::default();
        for ulid in list(disk, directory)? {
            if let Some(block) = known.iter().find(|block| block.meta().ulid == ulid) {
                blocks.push(block.clone());
                continue;
            }
            match Block::open(disk, &directory.join(ulid.to_string())) {
                Ok(block) => blocks.push(block),
                Err(error) => {
                    tracing::error!(block = %ulid, %error, "block cannot be opened; it is left out");
                    reloaded.n_corrupt += 1;
                }
            }
        }
        self.replace(blocks);
        Ok(reloaded)
    }

    /// Adds a block and takes out those that it replaces.
    pub(crate) fn add(&self, block: Block) {
        let is_parent =
            |ulid: Ulid| block.meta().compaction.parents.iter().any(|parent| parent.ulid == ulid);
        let mut blocks: Vec<Block> = self.blocks().to_vec();
        blocks.retain(|other| !is_parent(other.meta().ulid));
        blocks.push(block);
        self.replace(blocks);
    }

    pub(crate) fn remove(&self, is_gone: impl Fn(&Meta) -> bool) {
        let blocks = self.blocks();
        let left = blocks.iter().filter(|block| !is_gone(&block.meta())).cloned();
        self.replace(left.collect());
    }

    fn replace(&self, mut blocks: Vec<Block>) {
        blocks.sort_by_key(|block| (block.meta().min_time, block.meta().ulid));
        *self.blocks.write() = Arc::new(blocks);
    }
}

/// The folders of blocks, by name.
fn list(disk: &dyn Disk, directory: &Path) -> Result<Vec<Ulid>> {
    let entries = disk.list(directory).map_err(io("list", directory))?;
    let ulid = |entry: &runtime::disk::Entry| {
        entry.is_directory.then(|| Ulid::from_string(&entry.name).ok()).flatten()
    };
    Ok(entries.iter().filter_map(ulid).collect())
}

/// Removes what an earlier process did not finish.
pub(crate) fn remove_temporary(disk: &dyn Disk, directory: &Path) -> Result<()> {
    for entry in disk.list(directory).map_err(io("list", directory))? {
        let begins_with_ulid =
            entry.name.split_once('.').is_some_and(|(name, _)| Ulid::from_string(name).is_ok());
        let is_temporary = TEMPORARY.iter().any(|suffix| entry.name.ends_with(suffix));
        if entry.is_directory && begins_with_ulid && is_temporary {
            let path = directory.join(&entry.name);
            disk.remove_directory(&path).map_err(io("remove", &path))?;
        }
    }
    Ok(())
}

/// Removes a block's folder; after a crash it is there as a whole or not at all.
pub(crate) fn remove_block(disk: &dyn Disk, directory: &Path, ulid: Ulid) -> Result<()> {
    let path = directory.join(ulid.to_string());
    if !disk.exists(&path) {
        return Ok(());
    }
    let doomed = directory.join(format!("{ulid}.tmp-for-deletion"));
    disk.rename(&path, &doomed).map_err(io("rename", &path))?;
    disk.sync_directory(directory).map_err(io("sync", directory))?;
    disk.remove_directory(&doomed).map_err(io("remove", &doomed))
}

fn io(action: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let action = format!("{action} {}", path.display());
    move |source| Error::Io { action, source }
}
