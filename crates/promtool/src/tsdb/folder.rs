//! A data directory that others may be writing.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use blocks::Block;
use model::TimeRange;
use runtime::{Disk, Runtime};
use storage::{Querier, Queryable as _};
use tsdb::{Database, Options};

use crate::check::describe;

const LOG: &str = "wal";

/// The blocks in a directory, oldest first.
pub(super) fn open_blocks(disk: &dyn Disk, folder: &Path) -> anyhow::Result<Vec<Block>> {
    let shown = folder.display();
    let entries = disk.list(folder).map_err(|error| {
        anyhow::anyhow!("opening the db dir: stat {shown}: {}", describe(&error))
    })?;
    let mut blocks = Vec::new();
    for entry in entries {
        let is_block = entry.is_directory && ulid::Ulid::from_string(&entry.name).is_ok();
        if is_block {
            blocks.push(Block::open(disk, &folder.join(&entry.name))?);
        }
    }
    blocks.sort_by_key(|block| (block.meta().min_time, block.meta().ulid));
    Ok(blocks)
}

/// All samples of a data directory: those in blocks, and those in its log.
pub(super) struct Everything {
    blocks: Vec<Block>,
    log: Option<Sandbox>,
}

impl Everything {
    /// Opens `folder` for reading; the log is replayed from a copy below `sandbox_root`.
    pub(super) fn open(
        runtime: &Runtime,
        folder: &Path,
        sandbox_root: Option<&Path>,
    ) -> anyhow::Result<Everything> {
        let disk = &*runtime.disk;
        let blocks = open_blocks(disk, folder)?;
        let root = sandbox_root.unwrap_or(folder);
        let log = match disk.exists(&folder.join(LOG)) {
            true => Some(Sandbox::copy(runtime, folder, root)?),
            false => None,
        };
        Ok(Everything { blocks, log })
    }

    pub(super) fn querier(&self, range: TimeRange) -> anyhow::Result<Box<dyn Querier>> {
        let mut parts = Vec::new();
        for block in &self.blocks {
            if block.meta().range().overlaps(range) {
                parts.push(block.querier(range)?);
            }
        }
        if let Some(Sandbox { database: Some(database), .. }) = &self.log {
            parts.push(database.querier(range)?);
        }
        Ok(storage::merge(parts))
    }
}

/// A copy of a log, opened as a database. Opening one repairs its end, which is for the server
/// alone to do while it writes there.
struct Sandbox {
    runtime: Runtime,
    folder: PathBuf,
    /// `None` while it is being opened or closed.
    database: Option<Database>,
}

impl Sandbox {
    fn copy(runtime: &Runtime, from: &Path, root: &Path) -> anyhow::Result<Sandbox> {
        let name = format!("tmp_dbro_sandbox{}", runtime.random.u64());
        let folder = root.join(name);
        let mut sandbox = Sandbox { runtime: runtime.clone(), folder, database: None };
        let to = sandbox.folder.join(LOG);
        copy_folder(&*runtime.disk, &from.join(LOG), &to)
            .with_context(|| format!("setting up sandbox dir {}", sandbox.folder.display()))?;
        let options = Options { no_lockfile: true, ..Options::default() };
        sandbox.database = Some(Database::open(runtime, &sandbox.folder, options)?);
        Ok(sandbox)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.database = None;
        // What is left over is only a copy, and its name says what it was.
        self.runtime.disk.remove_directory(&self.folder).unwrap_or_default();
    }
}

fn copy_folder(disk: &dyn Disk, from: &Path, to: &Path) -> std::io::Result<()> {
    disk.create_directories(to)?;
    for entry in disk.list(from)? {
        let (from, to) = (from.join(&entry.name), to.join(&entry.name));
        if entry.is_directory {
            copy_folder(disk, &from, &to)?;
        } else {
            let bytes = disk.map(&from)?;
            disk.create(&to)?.write_all(&bytes)?;
        }
    }
    Ok(())
}
