//! `tsdb list`: the blocks of a data directory.

use std::{io::Write as _, path::Path, time::Duration};

use blocks::Meta;
use runtime::Disk;

use super::folder;
use crate::{Exit, World, arguments::ListBlocks, time::go_duration};

const TITLES: [&str; 8] = [
    "BLOCK ULID",
    "MIN TIME",
    "MAX TIME",
    "DURATION",
    "NUM SAMPLES",
    "NUM CHUNKS",
    "NUM SERIES",
    "SIZE",
];

pub(crate) fn run(world: &mut World, list: &ListBlocks) -> anyhow::Result<Exit> {
    let disk = world.runtime.disk.clone();
    let mut table = BlockTable::new(list.human_readable);
    let mut rows = Vec::new();
    for block in folder::open_blocks(&*disk, &list.path)? {
        rows.push(table.row(&*disk, &block.meta(), block.directory())?);
    }
    table.print(world, rows)?;
    Ok(Exit::Success)
}

/// A table of blocks that can grow; its titles are printed once.
pub(super) struct BlockTable {
    human_readable: bool,
    has_titles: bool,
}

type Row = [String; 8];

impl BlockTable {
    pub(super) fn new(human_readable: bool) -> BlockTable {
        BlockTable { human_readable, has_titles: false }
    }

    /// Prints the row of a block that was just written.
    pub(super) fn add(
        &mut self,
        world: &mut World,
        meta: &Meta,
        parent: &Path,
    ) -> anyhow::Result<()> {
        let disk = world.runtime.disk.clone();
        let row = self.row(&*disk, meta, &parent.join(meta.ulid.to_string()))?;
        self.print(world, vec![row])?;
        world.stdout.flush()?;
        Ok(())
    }

    fn print(&mut self, world: &mut World, mut rows: Vec<Row>) -> anyhow::Result<()> {
        if !self.has_titles {
            self.has_titles = true;
            rows.insert(0, TITLES.map(str::to_owned));
        }
        world.stdout.write_all(crate::table::render(&rows, 13, 2).as_bytes())?;
        Ok(())
    }

    fn row(&self, disk: &dyn Disk, meta: &Meta, folder: &Path) -> anyhow::Result<Row> {
        let bytes = size(disk, folder)?;
        let length = meta.max_time.saturating_sub(meta.min_time);
        let length = Duration::from_millis(u64::try_from(length).unwrap_or_default());
        let time = |millis: i64| match self.human_readable {
            true => utc(millis),
            false => millis.to_string(),
        };
        Ok([
            meta.ulid.to_string(),
            time(meta.min_time),
            time(meta.max_time),
            go_duration(length),
            meta.stats.num_samples.to_string(),
            meta.stats.num_chunks.to_string(),
            meta.stats.num_series.to_string(),
            if self.human_readable { units(bytes) } else { bytes.to_string() },
        ])
    }
}

/// What all files of a block take.
fn size(disk: &dyn Disk, folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in disk.list(folder)? {
        let path = folder.join(&entry.name);
        bytes += match entry.is_directory {
            true => size(disk, &path)?,
            false => disk.metadata(&path)?.len,
        };
    }
    Ok(bytes)
}

fn utc(millis: i64) -> String {
    match jiff::Timestamp::from_second(millis.div_euclid(1000)) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string(),
        Err(_) => millis.to_string(),
    }
}

/// `1MiB512KiB`: every unit that is not zero.
fn units(bytes: u64) -> String {
    const UNITS: [(&str, u32); 6] =
        [("PiB", 50), ("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)];
    let mut out = String::new();
    let mut rest = bytes;
    for (unit, shift) in UNITS {
        let count = rest >> shift;
        if count > 0 {
            out.push_str(&format!("{count}{unit}"));
            rest -= count << shift;
        }
    }
    if out.is_empty() { "0B".to_owned() } else { out }
}
