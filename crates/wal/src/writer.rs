use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use runtime::{Disk, disk::File};

use crate::{
    Compression, Error, Position, Result, Segment, layout,
    page::{self, Fragment, HEADER_BYTES, PAGE_BYTES},
};

/// Upstream's size of a full segment.
pub const SEGMENT_BYTES: u64 = 128 << 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// A multiple of [`PAGE_BYTES`].
    pub segment_bytes: u64,
    pub compression: Compression,
}

impl Default for Options {
    fn default() -> Options {
        Options { segment_bytes: SEGMENT_BYTES, compression: Compression::default() }
    }
}

/// What a writer has done since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    pub n_writes: u64,
    pub n_pages_completed: u64,
    pub n_bytes: u64,
    /// Before compression.
    pub n_record_bytes: u64,
    pub writes_failed: u64,
    pub segment: u32,
}

/// Appends records to the log.
///
/// Begins a segment of its own, so that the torn end of an older one is never written on. When
/// [`Writer::append`] returns, the records have reached the operating system: they survive the
/// process. They survive the machine once their segment is synced: see [`Finished`].
///
/// What a failed write has left, on a full disk for example, is cut off again before anything else is
/// written. After a failed sync the writer takes nothing more: it does not know what is durable.
pub struct Writer {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    options: Options,
    file: Box<dyn File>,
    /// Length of the segment with what is in `pending`.
    offset: u64,
    /// Framed but not yet written.
    pending: Vec<u8>,
    packed: Vec<u8>,
    finished: Vec<Finished>,
    /// What lies behind it is to be cut off before anything else is written.
    cut_at: Option<Position>,
    /// Nobody knows what is durable.
    failed: bool,
    stats: Stats,
}

impl Writer {
    /// Creates `directory` if need be, and in it the segment behind the last one.
    pub fn open(disk: Arc<dyn Disk>, directory: &Path, options: Options) -> Result<Writer> {
        assert!(
            options.segment_bytes.is_multiple_of(PAGE_BYTES as u64),
            "segments are whole pages"
        );
        create_directory(&*disk, directory)?;
        let earlier = layout::list_segments(&*disk, directory)?;
        let number = earlier.last().map_or(0, |segment| segment.number + 1);
        // Whoever wrote them may have had no time to sync them.
        let finished = earlier.into_iter().map(|segment| Finished::earlier(&disk, segment));
        let finished = finished.collect();
        let file = create_segment(&*disk, directory, number)?;
        Ok(Writer {
            disk,
            directory: directory.to_owned(),
            options,
            file,
            offset: 0,
            pending: Vec::new(),
            packed: Vec::new(),
            finished,
            cut_at: None,
            failed: false,
            stats: Stats { segment: number, ..Stats::default() },
        })
    }

    /// Writes a batch of records: all of them, or after an error none. A reader finds each of them
    /// whole or not at all.
    pub fn append(&mut self, records: &[&[u8]]) -> Result<()> {
        self.mend()?;
        let begin = self.position();
        let outcome = self.try_append(records);
        if outcome.is_err() {
            self.stats.writes_failed += 1;
            self.undo(begin);
        }
        outcome
    }

    /// Takes back what was appended since the writer was at `position`. Nothing else is written
    /// before that has succeeded.
    pub fn undo(&mut self, position: Position) {
        self.pending.clear();
        let position = self.cut_at.map_or(position, |earlier| earlier.min(position));
        self.cut_at = Some(position);
        // If it fails it is tried again before the next write.
        self.mend().unwrap_or_default();
    }

    /// Ends the current segment and begins the next one.
    pub fn next_segment(&mut self) -> Result<()> {
        self.mend()?;
        let begin = self.position();
        let outcome = self.try_next_segment();
        if outcome.is_err() {
            self.undo(begin);
        }
        outcome
    }

    /// Segments that were ended since the last call, at first those that were there before. Syncing
    /// them takes a while: not under a lock that appends wait for.
    pub fn take_finished(&mut self) -> Vec<Finished> {
        std::mem::take(&mut self.finished)
    }

    /// Makes everything that was appended durable.
    pub fn sync(&mut self) -> Result<()> {
        for finished in self.take_finished() {
            finished.sync()?;
        }
        let path = self.segment_path();
        self.file.sync().map_err(Error::sync(path))
    }

    /// The number of the segment that is being written.
    pub fn segment(&self) -> u32 {
        self.stats.segment
    }

    /// Behind the last record.
    pub fn position(&self) -> Position {
        Position { segment: self.stats.segment, offset: self.offset }
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub fn stats(&self) -> Stats {
        self.stats
    }

    fn try_append(&mut self, records: &[&[u8]]) -> Result<()> {
        // What belongs together stays in one segment: of several one may be lost with the power.
        let n_bytes: usize = records.iter().map(|record| record.len() + HEADER_BYTES).sum();
        let fits_in_segment = (n_bytes as u64) < self.options.segment_bytes / 2;
        if fits_in_segment && n_bytes as u64 > self.room_in_segment() {
            self.try_next_segment()?;
        }
        for record in records.iter().filter(|record| !record.is_empty()) {
            let mut packed = std::mem::take(&mut self.packed);
            let compression = self.options.compression.pack(record, &mut packed);
            let stored = if compression == Compression::None { record } else { packed.as_slice() };
            if stored.len() as u64 > self.room_in_segment() {
                self.try_next_segment()?;
            }
            self.frame(stored, compression);
            self.packed = packed;
            self.stats.n_record_bytes += record.len() as u64;
        }
        self.flush()
    }

    fn try_next_segment(&mut self) -> Result<()> {
        self.pad_page();
        self.flush()?;
        let number = self.stats.segment + 1;
        let file = create_segment(&*self.disk, &self.directory, number);
        let file = file.inspect_err(|error| self.failed |= error.is_of_sync())?;
        let (path, number_before) = (self.segment_path(), self.stats.segment);
        let file = std::mem::replace(&mut self.file, file);
        self.finished.push(Finished { number: number_before, path, file: Source::Open(file) });
        self.offset = 0;
        self.stats.segment = number;
        Ok(())
    }

    /// Cuts off what must not be there.
    fn mend(&mut self) -> Result<()> {
        if self.failed {
            return Err(Error::Poisoned { path: self.directory.clone() });
        }
        let Some(Position { segment, offset }) = self.cut_at else { return Ok(()) };
        let len_of = |number: u32| if number == segment { offset } else { 0 };
        let path = self.segment_path();
        // The latest first: no gap is left if it goes wrong in between.
        let len = len_of(self.stats.segment);
        self.file.set_len(len).map_err(Error::io("truncate", path))?;
        self.offset = len;
        for finished in self.finished.iter_mut().rev() {
            if finished.number >= segment {
                finished.cut(len_of(finished.number))?;
            }
        }
        self.cut_at = None;
        Ok(())
    }

    /// How long a record may be so that it ends in this segment.
    fn room_in_segment(&self) -> u64 {
        let left = self.options.segment_bytes.saturating_sub(self.offset);
        let headers = left.div_ceil(PAGE_BYTES as u64) * HEADER_BYTES as u64;
        left.saturating_sub(headers)
    }

    /// Cuts a packed record into fragments.
    fn frame(&mut self, stored: &[u8], compression: Compression) {
        let mut rest = stored;
        let mut is_first = true;
        while is_first || !rest.is_empty() {
            let room = PAGE_BYTES - self.offset_in_page() - HEADER_BYTES;
            let (data, after) = rest.split_at(room.min(rest.len()));
            let fragment = Fragment::new(is_first, after.is_empty());
            self.pending.push(fragment.as_byte() | compression.flag());
            self.pending.extend_from_slice(&(data.len() as u16).to_be_bytes());
            self.pending.extend_from_slice(&page::checksum(data).to_be_bytes());
            self.pending.extend_from_slice(data);
            self.offset += (HEADER_BYTES + data.len()) as u64;
            if self.offset_in_page() + HEADER_BYTES > PAGE_BYTES {
                self.pad_page();
            }
            if self.offset_in_page() == 0 {
                self.stats.n_pages_completed += 1;
            }
            (rest, is_first) = (after, false);
        }
    }

    fn pad_page(&mut self) {
        let end = self.offset.next_multiple_of(PAGE_BYTES as u64);
        let n_zeros = (end - self.offset) as usize;
        self.pending.resize(self.pending.len() + n_zeros, 0);
        self.offset = end;
    }

    fn offset_in_page(&self) -> usize {
        (self.offset % PAGE_BYTES as u64) as usize
    }

    fn flush(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let outcome = self.file.write_all(&self.pending);
        self.stats.n_writes += 1;
        self.stats.n_bytes += self.pending.len() as u64;
        self.pending.clear();
        outcome.map_err(Error::io("write", self.segment_path()))
    }

    fn segment_path(&self) -> PathBuf {
        self.directory.join(layout::segment_name(self.stats.segment))
    }
}

/// A log whose directory is not durable is lost as a whole, whatever was synced in it.
fn create_directory(disk: &dyn Disk, directory: &Path) -> Result<()> {
    if disk.exists(directory) {
        return Ok(());
    }
    disk.create_directories(directory).map_err(Error::io("create", directory))?;
    let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    disk.sync_directory(parent).map_err(Error::sync(parent))
}

fn create_segment(disk: &dyn Disk, directory: &Path, number: u32) -> Result<Box<dyn File>> {
    let path = directory.join(layout::segment_name(number));
    let file = disk.append(&path).map_err(Error::io("create", path))?;
    // A later segment must not outlive this one: a gap would stop the next start.
    disk.sync_directory(directory).map_err(Error::sync(directory))?;
    Ok(file)
}

/// A segment that takes no more records but may not be durable yet.
pub struct Finished {
    number: u32,
    path: PathBuf,
    file: Source,
}

enum Source {
    Open(Box<dyn File>),
    /// There may be many of an earlier process: they are opened one by one.
    On(Arc<dyn Disk>),
}

impl Finished {
    fn earlier(disk: &Arc<dyn Disk>, Segment { number, path }: Segment) -> Finished {
        Finished { number, path, file: Source::On(disk.clone()) }
    }

    pub fn sync(self) -> Result<()> {
        let mut file = match self.file {
            Source::Open(file) => file,
            Source::On(disk) => match disk.open(&self.path) {
                Ok(file) => file,
                // A checkpoint stands for it by now.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(Error::io("open", &self.path)(error)),
            },
        };
        file.sync().map_err(Error::sync(&self.path))
    }

    fn cut(&mut self, len: u64) -> Result<()> {
        match &mut self.file {
            Source::Open(file) => file.set_len(len).map_err(Error::io("truncate", &self.path)),
            // Nothing of ours is in it.
            Source::On(_) => Ok(()),
        }
    }
}
