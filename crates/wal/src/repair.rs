use std::path::Path;

use runtime::Disk;

use crate::{Corruption, Error, Result, Segment, layout};

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
