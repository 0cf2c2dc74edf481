//! Reads the log while it is written.

#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use runtime::Disk;

use crate::{Error, Layout, PAGE_BYTES, Reader, Result, layout};

/// So much is read at once, unless a single record is longer.
const WINDOW_BYTES: usize = 256 << 10;

/// A place in the log, between two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    pub segment: u32,
    pub offset: u64,
}

/// Why [`Tail::read`] came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There is more to read.
    More,
    /// Everything that is there has been read.
    End,
    /// Segments were removed before they were read; reading goes on with the next that is there.
    Lost,
    /// The rest of a segment cannot be read; reading goes on with the next.
    Corrupt,
}

/// Follows a log that somebody else writes.
///
/// What a writer has written in part is not there yet. What the last record of a segment lacks
/// when the next segment exists was torn by a crash, and never was.
pub struct Tail {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    position: Position,
    /// Length of the segment when it was read to its end last.
    seen_len: u64,
    window: Vec<u8>,
    window_bytes: usize,
}

impl Tail {
    /// Begins at `from`, which must be a position that a tail or [`end`] has given.
    pub fn new(disk: Arc<dyn Disk>, directory: &Path, from: Position) -> Tail {
        Tail {
            disk,
            directory: directory.to_owned(),
            position: from,
            seen_len: 0,
            window: Vec::new(),
            window_bytes: WINDOW_BYTES,
        }
    }

    /// Behind the last record that was read.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Reads on a while; hands each record to `each`, with the position behind it.
    pub fn read(&mut self, each: &mut dyn FnMut(&[u8], Position)) -> Result<Step> {
        let path = self.directory.join(layout::segment_name(self.position.segment));
        // Before the length, so that a segment that has a successor is seen at its full length.
        let next = self.next_segment()?;
        let len = match self.disk.metadata(&path) {
            Ok(metadata) => metadata.len,
            Err(_) => return Ok(self.skip_to(next)),
        };
        // A writer that could not write a whole batch cuts it off, and goes on there.
        self.position.offset = self.position.offset.min(len);
        let is_seen = len == self.seen_len && next.is_none();
        if is_seen || len == self.position.offset {
            self.seen_len = len;
            return Ok(self.advance(next));
        }
        let begin = self.fill_window(&path, len)?;
        let is_whole = begin + self.window.len() as u64 >= len;
        let n_records = self.read_window(begin, each);
        if !is_whole {
            // A record that does not fit is longer than the window.
            self.window_bytes = if n_records == 0 { self.window_bytes * 2 } else { WINDOW_BYTES };
            return Ok(Step::More);
        }
        self.window_bytes = WINDOW_BYTES;
        self.seen_len = len;
        Ok(self.advance(next))
    }

    /// The end of a segment was reached.
    fn advance(&mut self, next: Option<u32>) -> Step {
        let Some(next) = next else { return Step::End };
        let is_torn = self.position.offset < self.seen_len && !self.rest_is_padding();
        let is_lost = next != self.position.segment + 1;
        self.go_to(next);
        match (is_lost, is_torn) {
            (true, _) => Step::Lost,
            (false, true) => Step::Corrupt,
            (false, false) => Step::More,
        }
    }

    /// Whether behind the last record there are only zeros.
    fn rest_is_padding(&self) -> bool {
        let begin = self.position.offset / PAGE_BYTES as u64 * PAGE_BYTES as u64;
        let skipped = (self.position.offset - begin) as usize;
        self.window.get(skipped..).is_none_or(|rest| rest.iter().all(|byte| *byte == 0))
    }

    fn skip_to(&mut self, next: Option<u32>) -> Step {
        match next {
            Some(next) => {
                self.go_to(next);
                Step::Lost
            }
            None => Step::End,
        }
    }

    fn go_to(&mut self, segment: u32) {
        self.position = Position { segment, offset: 0 };
        self.seen_len = 0;
        self.window.clear();
    }

    /// The lowest segment behind the present one.
    fn next_segment(&self) -> Result<Option<u32>> {
        let following = self.position.segment.saturating_add(1);
        if self.disk.exists(&self.directory.join(layout::segment_name(following))) {
            return Ok(Some(following));
        }
        let present = self.directory.join(layout::segment_name(self.position.segment));
        if self.disk.exists(&present) {
            return Ok(None);
        }
        let segments = layout::list_segments(&*self.disk, &self.directory)?;
        let numbers = segments.iter().map(|segment| segment.number);
        Ok(numbers.filter(|number| *number > self.position.segment).min())
    }

    /// Reads from the page of the position on; says where that is.
    fn fill_window(&mut self, path: &Path, len: u64) -> Result<u64> {
        let begin = self.position.offset / PAGE_BYTES as u64 * PAGE_BYTES as u64;
        let wanted = usize::try_from(len - begin).unwrap_or(usize::MAX).min(self.window_bytes);
        self.window.resize(wanted, 0);
        let file = self.disk.open(path).map_err(Error::io("open", path))?;
        let mut filled = 0;
        while filled < wanted {
            let at = begin + filled as u64;
            let n_read = file.read_at(&mut self.window[filled..], at);
            match n_read.map_err(Error::io("read", path))? {
                0 => break,
                n_read => filled += n_read,
            }
        }
        self.window.truncate(filled);
        Ok(begin)
    }

    /// Hands on the records in the window; says how many there are.
    fn read_window(&mut self, begin: u64, each: &mut dyn FnMut(&[u8], Position)) -> usize {
        let skipped = (self.position.offset - begin) as usize;
        let segment = self.position.segment;
        let mut reader = Reader::starting_at(&self.window, skipped);
        let mut n_records = 0;
        while let Ok(Some((record, end))) = reader.next_with_end() {
            // The reader takes missing bytes for zeros, but here they are still to come.
            let is_cut_off = end > self.window.len() as u64;
            if is_cut_off {
                break;
            }
            self.position = Position { segment, offset: begin + end };
            each(record, self.position);
            n_records += 1;
        }
        n_records
    }
}

/// The end of the log as it is now: what is appended later lies behind it.
pub fn end(disk: &dyn Disk, directory: &Path) -> Result<Option<Position>> {
    let Some(last) = Layout::read(disk, directory)?.segments.pop() else { return Ok(None) };
    let metadata = disk.metadata(&last.path).map_err(Error::io("look at", &last.path))?;
    Ok(Some(Position { segment: last.number, offset: metadata.len }))
}

/// Hands on every whole record of the segments before `segment` that are there, and of the
/// checkpoint: what a tail that begins at `segment` needs to have seen.
pub fn read_before(
    disk: &dyn Disk,
    directory: &Path,
    segment: u32,
    each: &mut dyn FnMut(&[u8], u32),
) -> Result<()> {
    let layout = Layout::read(disk, directory)?;
    let mut segments = Vec::new();
    if let Some(checkpoint) = &layout.checkpoint {
        let of_checkpoint = layout::list_segments(disk, &checkpoint.path)?;
        segments.extend(of_checkpoint.into_iter().map(|found| (checkpoint.number, found.path)));
    }
    let later = layout.segments_after_checkpoint().iter().filter(|found| found.number < segment);
    segments.extend(later.map(|found| (found.number, found.path.clone())));
    for (number, path) in segments {
        let bytes = disk.map(&path).map_err(Error::io("read", path))?;
        let mut reader = Reader::new(&bytes);
        while let Ok(Some(record)) = reader.next_record() {
            each(record, number);
        }
    }
    Ok(())
}
