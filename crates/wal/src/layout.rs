use std::path::{Path, PathBuf};

use runtime::Disk;

use crate::{Error, Result, checkpoint};

/// One file of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    pub number: u32,
    pub path: PathBuf,
}

/// What a log's directory holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// Stands for all segments up to its number.
    pub checkpoint: Option<Segment>,
    /// In order; without gaps, but for those that the checkpoint stands for.
    pub segments: Vec<Segment>,
}

impl Layout {
    /// Lists `directory`; nothing, if it does not exist.
    pub fn read(disk: &dyn Disk, directory: &Path) -> Result<Layout> {
        if !disk.exists(directory) {
            return Ok(Layout::default());
        }
        let checkpoint = checkpoint::list(disk, directory)?.pop();
        let layout = Layout { checkpoint, segments: list_segments(disk, directory)? };
        for pair in layout.segments_after_checkpoint().windows(2) {
            let (before, after) = (pair[0].number, pair[1].number);
            if before + 1 != after {
                return Err(Error::NotSequential { path: directory.to_owned(), before, after });
            }
        }
        Ok(layout)
    }

    /// The segments that the checkpoint does not stand for.
    pub fn segments_after_checkpoint(&self) -> &[Segment] {
        let first = self.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.number + 1);
        let skipped = self.segments.partition_point(|segment| segment.number < first);
        &self.segments[skipped..]
    }

    pub fn first_number(&self) -> Option<u32> {
        self.segments.first().map(|segment| segment.number)
    }

    pub fn last_number(&self) -> Option<u32> {
        self.segments.last().map(|segment| segment.number)
    }
}

/// Segments are written with eight digits and read with any number of them.
pub fn segment_name(number: u32) -> String {
    format!("{number:08}")
}

/// What the files in `directory` and its checkpoints take; files that just went count nothing.
pub fn bytes_on_disk(disk: &dyn Disk, directory: &Path) -> u64 {
    let entries = disk.list(directory).unwrap_or_default();
    let bytes = |entry: &runtime::disk::Entry| {
        let path = directory.join(&entry.name);
        match entry.is_directory {
            true => bytes_on_disk(disk, &path),
            false => disk.metadata(&path).map_or(0, |metadata| metadata.len),
        }
    };
    entries.iter().map(bytes).sum()
}

/// The segments in `directory`, in order.
pub(crate) fn list_segments(disk: &dyn Disk, directory: &Path) -> Result<Vec<Segment>> {
    let entries = disk.list(directory).map_err(Error::io("list", directory))?;
    let segment = |entry: runtime::disk::Entry| {
        let number = entry.name.parse().ok().filter(|_| !entry.is_directory)?;
        Some(Segment { number, path: directory.join(&entry.name) })
    };
    let mut segments: Vec<Segment> = entries.into_iter().filter_map(segment).collect();
    segments.sort_by_key(|segment| segment.number);
    Ok(segments)
}
