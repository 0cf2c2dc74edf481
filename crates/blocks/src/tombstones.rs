//! What was deleted since the block was written: the file `tombstones`.

use std::{collections::BTreeMap, path::Path};

use model::TimeRange;
use runtime::Disk;
use stdx::cursor::{Cursor, push_uvarint, push_varint};
use storage::{Columns, Mark};

use crate::{Error, Result, checksum};

pub(crate) const FILE: &str = "tombstones";
const MAGIC: u32 = 0x0130_ba30;
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 5;

/// Milliseconds, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    pub start: i64,
    pub end: i64,
}

/// Stretches of time: sorted, with room between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intervals(Vec<Interval>);

impl Intervals {
    #[cfg(test)]
    pub(crate) fn of_sorted(intervals: Vec<Interval>) -> Intervals {
        Intervals(intervals)
    }

    /// Adds a stretch; what touches it becomes one with it. One that ends before it begins is
    /// nothing.
    pub fn add(&mut self, mut interval: Interval) {
        if interval.is_empty() {
            return;
        }
        let first = self.0.partition_point(|other| other.end.saturating_add(1) < interval.start);
        let end = self.0.partition_point(|other| other.start <= interval.end.saturating_add(1));
        if let Some(touched) = self.0.get(first..end)
            && let (Some(earliest), Some(latest)) = (touched.first(), touched.last())
        {
            interval.start = interval.start.min(earliest.start);
            interval.end = interval.end.max(latest.end);
        }
        self.0.splice(first..end.max(first), [interval]);
    }

    /// Forgets stretches that end before `time`.
    pub fn truncate_before(&mut self, time: i64) {
        self.0.retain(|interval| interval.end >= time);
    }

    pub fn iter(&self) -> impl Iterator<Item = &Interval> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all of the range is in one of the stretches.
    pub fn cover(&self, start: i64, end: i64) -> bool {
        self.0.iter().any(|interval| interval.start <= start && end <= interval.end)
    }

    pub fn overlap(&self, start: i64, end: i64) -> bool {
        self.0.iter().any(|interval| interval.start <= end && start <= interval.end)
    }

    /// Takes out of the columns, from `mark` on, what is within a stretch.
    pub fn remove_from(&self, columns: &mut Columns, mark: Mark) {
        if !self.is_empty() {
            columns.retain(mark, |time| !self.cover(time, time));
        }
    }
}

/// The deleted stretches of each series, which go by their numbers in the index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tombstones {
    by_series: BTreeMap<u64, Intervals>,
}

impl Tombstones {
    pub fn add(&mut self, series: u64, interval: Interval) {
        if !interval.is_empty() {
            self.by_series.entry(series).or_default().add(interval);
        }
    }

    pub fn of(&self, series: u64) -> Option<&Intervals> {
        self.by_series.get(&series)
    }

    pub fn is_empty(&self) -> bool {
        self.by_series.is_empty()
    }

    /// How many stretches there are.
    pub fn len(&self) -> u64 {
        self.by_series.values().map(|intervals| intervals.0.len() as u64).sum()
    }

    pub fn iter(&self) -> impl Iterator<Item = (u64, &Intervals)> {
        self.by_series.iter().map(|(series, intervals)| (*series, intervals))
    }

    /// Nothing is deleted if there is no file.
    pub fn read(disk: &dyn Disk, block: &Path) -> Result<Tombstones> {
        let path = block.join(FILE);
        if !disk.exists(&path) {
            return Ok(Tombstones::default());
        }
        let bytes = disk.read(&path).map_err(Error::io("read", &path))?;
        Tombstones::decode(&bytes).map_err(|(offset, detail)| Error::Corrupt {
            path,
            offset: offset as u64,
            detail: detail.to_owned(),
        })
    }

    pub fn write(&self, disk: &dyn Disk, block: &Path) -> Result<()> {
        let path = block.join(FILE);
        disk.write_atomically(&path, &self.encode()).map_err(Error::io("write", path))
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Tombstones, (usize, &'static str)> {
        let mut header = Cursor::new(bytes);
        if header.u32() != Some(MAGIC) {
            return Err((0, "it is no file of tombstones"));
        }
        if header.byte() != Some(VERSION) {
            return Err((4, "unknown version"));
        }
        let content =
            checksum::verified(header.rest()).ok_or((HEADER_BYTES, "checksum mismatch"))?;
        let mut cursor = Cursor::new(content);
        let mut tombstones = Tombstones::default();
        while !cursor.is_empty() {
            let offset = HEADER_BYTES + content.len() - cursor.rest().len();
            let cut_off = (offset, "tombstone is cut off");
            let series = cursor.uvarint().ok_or(cut_off)?;
            let start = cursor.varint().ok_or(cut_off)?;
            let end = cursor.varint().ok_or(cut_off)?;
            tombstones.add(series, Interval { start, end });
        }
        Ok(tombstones)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut content = Vec::new();
        for (series, intervals) in &self.by_series {
            for interval in &intervals.0 {
                push_uvarint(&mut content, *series);
                push_varint(&mut content, interval.start);
                push_varint(&mut content, interval.end);
            }
        }
        let checksum = checksum::crc32c(&content);
        [&MAGIC.to_be_bytes()[..], &[VERSION], &content, &checksum.to_be_bytes()].concat()
    }
}

impl Interval {
    /// What of `range` is to be deleted.
    pub fn of(range: TimeRange) -> Interval {
        Interval { start: range.start.as_millis(), end: range.end.as_millis() }
    }

    fn is_empty(&self) -> bool {
        self.start > self.end
    }
}
