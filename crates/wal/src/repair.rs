use std::path::Path;

use runtime::Disk;

use crate::{Corruption, Error, Layout, Reader, Result, Segment, layout};

/// Cuts `segment` off where it is damaged and removes all later segments, as upstream does: what
/// comes after a gap cannot be trusted to belong to what came before.
pub fn repair(
    disk: &dyn Disk,
    directory: &Path,
    segment: &Segment,
    corruption: &Corruption,
) -> Result<()> {
    // The latest first, each for good: a crash in between must not leave a gap.
    for later in layout::list_segments(disk, directory)?.iter().rev() {
        if later.number > segment.number {
            disk.remove_file(&later.path).map_err(Error::io("remove", &later.path))?;
            disk.sync_directory(directory).map_err(Error::io("sync", directory))?;
        }
    }
    let mut file = disk.append(&segment.path).map_err(Error::io("open", &segment.path))?;
    file.set_len(corruption.offset).map_err(Error::io("truncate", &segment.path))?;
    file.sync().map_err(Error::io("sync", &segment.path))
}

/// So many segments may not have been durable when power was lost: one may be on its way to the
/// disk while the next one is written.
const UNSURE: usize = 2;

/// Where the end of the log is torn. Only frames are looked at, so it takes no time.
pub fn find_torn_end<'l>(
    disk: &dyn Disk,
    layout: &'l Layout,
) -> Result<Option<(&'l Segment, Corruption)>> {
    let segments = layout.segments_after_checkpoint();
    for segment in &segments[segments.len().saturating_sub(UNSURE)..] {
        let bytes = disk.map(&segment.path).map_err(Error::io("read", &segment.path))?;
        let mut reader = Reader::new(&bytes);
        loop {
            match reader.skip_record() {
                Ok(true) => {}
                Ok(false) => break,
                Err(corruption) => return Ok(Some((segment, corruption))),
            }
        }
    }
    Ok(None)
}

/// The same as [`repair`] when the log has gone on behind `segments`, of which `segment` is one:
/// those behind it lose all they have, but stay, for there must be no gap.
pub fn blank(
    disk: &dyn Disk,
    segments: &[Segment],
    segment: &Segment,
    corruption: &Corruption,
) -> Result<()> {
    let cut = |segment: &Segment, len: u64| {
        let mut file = disk.append(&segment.path).map_err(Error::io("open", &segment.path))?;
        file.set_len(len).map_err(Error::io("truncate", &segment.path))?;
        file.sync().map_err(Error::io("sync", &segment.path))
    };
    // The latest first: a crash in between must not leave samples behind the damage.
    for later in segments.iter().rev().take_while(|later| later.number > segment.number) {
        cut(later, 0)?;
    }
    cut(segment, corruption.offset)
}
