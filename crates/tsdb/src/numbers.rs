//! Numbers of series for a head that does not know yet which ones the log has.
//!
//! A small file says: all numbers in the log's segments up to this one are smaller than that. So a
//! server may write before it has read. What is behind that segment somebody else has written, or
//! we did and had no time to say so: it is read for its numbers at the start, which is soon done.
//! Upstream does not know the file, and without it everything is read.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use runtime::Disk;
use wal::{
    Layout, Reader, Segment,
    record::{self, Kind},
};

use crate::{Error, Result};

const FILE: &str = "series_numbers";

/// So many are reserved at once. Upstream has room for 2^40 of them.
const STEP: u64 = 1 << 20;

/// Hands out what nobody has used.
pub(crate) struct Numbers {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    /// No other lock is taken under it.
    reserved: Mutex<Reserved>,
}

/// What the file says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Reserved {
    /// All numbers in the log are at most this one,
    last: u64,
    /// in the segments up to this one; `None` if nothing is known.
    segment: Option<u32>,
}

impl Numbers {
    /// Looks which numbers the log has; also gives one that none exceeds.
    pub(crate) fn open(
        disk: &Arc<dyn Disk>,
        directory: &Path,
        log: &Layout,
    ) -> Result<(Numbers, u64)> {
        let path = directory.join(FILE);
        let text = disk.read_to_string(&path).unwrap_or_default();
        let reserved = Reserved::parse(&text).unwrap_or_default();
        let is_unknown =
            |segment: &&Segment| reserved.segment.is_none_or(|known| segment.number > known);
        let mut last = reserved.last;
        if let Some(checkpoint) = log.checkpoint.iter().find(is_unknown) {
            for segment in Layout::read(&**disk, &checkpoint.path)?.segments {
                last = last.max(last_number(&**disk, &segment)?);
            }
        }
        for segment in log.segments.iter().filter(is_unknown) {
            last = last.max(last_number(&**disk, segment)?);
        }
        let reserved = Mutex::new(Reserved { last, segment: None });
        Ok((Numbers { disk: disk.clone(), path, reserved }, last))
    }

    /// From now on `segment` is written, with numbers from [`Numbers::open`]'s on.
    pub(crate) fn begin(&self, segment: u32) {
        let mut reserved = self.reserved.lock();
        let next = Reserved { last: reserved.last + STEP, segment: Some(segment) };
        match self.write(next) {
            Ok(()) => *reserved = next,
            // The next start reads for itself then. Nothing is promised, so nothing is broken.
            Err(error) => {
                tracing::warn!(%error, "series numbers not reserved");
                *reserved = Reserved { last: u64::MAX, segment: None };
            }
        }
    }

    /// Must be asked before numbers up to `last` are written to the log.
    pub(crate) fn reserve(&self, last: u64) -> std::io::Result<()> {
        let mut reserved = self.reserved.lock();
        if last <= reserved.last {
            return Ok(());
        }
        let next = Reserved { last: last.saturating_add(STEP), ..*reserved };
        self.write(next)?;
        *reserved = next;
        Ok(())
    }

    /// The log has come to `segment`.
    pub(crate) fn note_segment(&self, segment: u32) {
        let mut reserved = self.reserved.lock();
        if reserved.segment.is_none_or(|known| known >= segment) {
            return;
        }
        let next = Reserved { segment: Some(segment), ..*reserved };
        match self.write(next) {
            Ok(()) => *reserved = next,
            // The next start reads it.
            Err(error) => tracing::debug!(%error, "series numbers not noted"),
        }
    }

    fn write(&self, reserved: Reserved) -> std::io::Result<()> {
        self.disk.write_atomically(&self.path, reserved.text().as_bytes())
    }
}

impl Reserved {
    fn text(self) -> String {
        format!("last {}\nsegment {}\n", self.last, self.segment.unwrap_or_default())
    }

    fn parse(text: &str) -> Option<Reserved> {
        let mut lines = text.lines();
        let last = lines.next()?.strip_prefix("last ")?.parse().ok()?;
        let segment = lines.next()?.strip_prefix("segment ")?.parse().ok()?;
        Some(Reserved { last, segment: Some(segment) })
    }
}

/// The largest number in a segment, as far as that can be read.
fn last_number(disk: &dyn Disk, segment: &Segment) -> Result<u64> {
    let bytes = disk.map(&segment.path).map_err(|source| Error::Io {
        action: format!("read {}", segment.path.display()),
        source,
    })?;
    let mut reader = Reader::new(&bytes);
    let (mut last, mut series, mut samples) = (0, Vec::new(), Vec::new());
    while let Ok(Some(record)) = reader.next_record() {
        match Kind::of(record) {
            Some(Kind::Series) => {
                series.clear();
                // What cannot be read is no one's number.
                record::decode_series(record, &mut series).unwrap_or_default();
                last = series.iter().map(|s: &record::Series| s.series_ref).fold(last, u64::max);
            }
            Some(Kind::Samples | Kind::SamplesV2) => {
                samples.clear();
                record::decode_samples(record, &mut samples).unwrap_or_default();
                last = samples.iter().map(|s: &record::Sample| s.series_ref).fold(last, u64::max);
            }
            _ => {}
        }
    }
    Ok(last)
}
