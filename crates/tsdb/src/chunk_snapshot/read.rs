use std::path::{Path, PathBuf};

use blocks::Interval;
use chunks::Encoding;
use model::Labels;
use runtime::Disk;
use stdx::cursor::Cursor;
use wal::{
    Layout, Position, Reader,
    record::{self, Kind},
};

use super::{EXEMPLARS, SERIES, TOMBSTONES, io, list};
use crate::{
    Error, Result,
    head_chunks::{self, HeadChunk},
};

/// A snapshot that can be read from its beginning to its end.
pub(crate) struct Snapshot {
    /// The log is needed from here on.
    pub(crate) position: Position,
    segments: Vec<PathBuf>,
    head_chunks: Vec<PathBuf>,
}

/// A series, with the chunk that takes its samples.
pub(crate) struct SnapshotSeries<'b> {
    pub(crate) series_ref: u64,
    pub(crate) labels: Labels,
    pub(crate) open: Option<OpenChunk<'b>>,
}

pub(crate) struct OpenChunk<'b> {
    pub(crate) encoding: Encoding,
    pub(crate) bytes: &'b [u8],
}

/// What stands in a record.
enum Part<'b> {
    Series(SnapshotSeries<'b>),
    Tombstones(Vec<(u64, Interval)>),
    Exemplars(Vec<record::Exemplar>),
}

impl Snapshot {
    /// The newest snapshot, if it fits the log and is good. Reads all of it.
    pub(crate) fn find(disk: &dyn Disk, data: &Path, log: &Layout) -> Result<Option<Snapshot>> {
        let Some((position, path)) = list(disk, data)?.pop() else { return Ok(None) };
        let checkpoint = log.checkpoint.as_ref().map(|checkpoint| checkpoint.number);
        let first = log.segments_after_checkpoint().first().map(|segment| segment.number);
        let is_behind = checkpoint.is_some_and(|number| position.segment <= number)
            || first.is_none_or(|first| position.segment < first)
            || log.last_number().is_none_or(|last| position.segment > last);
        if is_behind {
            tracing::warn!(snapshot = %path.display(), "chunk snapshot does not fit the log");
            return Ok(None);
        }
        let segments = Layout::read(disk, &path)?.segments;
        let snapshot = Snapshot {
            position,
            segments: segments.into_iter().map(|segment| segment.path).collect(),
            head_chunks: head_chunks::list(disk, data)?,
        };
        let checked = snapshot
            .each_part(disk, &mut |_| {})
            .and_then(|()| snapshot.each_full_chunk(disk, &mut |_| {}));
        match checked {
            Ok(()) => Ok(Some(snapshot)),
            Err(error) => {
                tracing::warn!(%error, "chunk snapshot cannot be read; all of the log is replayed");
                Ok(None)
            }
        }
    }

    pub(crate) fn each_series(
        &self,
        disk: &dyn Disk,
        each: &mut dyn FnMut(SnapshotSeries<'_>),
    ) -> Result<()> {
        self.each_part(disk, &mut |part| {
            if let Part::Series(series) = part {
                each(series);
            }
        })
    }

    pub(crate) fn each_other(
        &self,
        disk: &dyn Disk,
        tombstone: &mut dyn FnMut(u64, Interval),
        exemplar: &mut dyn FnMut(record::Exemplar),
    ) -> Result<()> {
        self.each_part(disk, &mut |part| match part {
            Part::Series(_) => {}
            Part::Tombstones(deleted) => {
                deleted.into_iter().for_each(|(series, interval)| tombstone(series, interval));
            }
            Part::Exemplars(exemplars) => exemplars.into_iter().for_each(&mut *exemplar),
        })
    }

    /// The full chunks of all series, those of each in order of time. Late ones are left out: the
    /// log of those has their samples.
    pub(crate) fn each_full_chunk(
        &self,
        disk: &dyn Disk,
        each: &mut dyn FnMut(HeadChunk<'_>),
    ) -> Result<()> {
        for path in &self.head_chunks {
            let file = disk.map(path).map_err(io("read", path))?;
            let read = head_chunks::read(&file, &mut |chunk| {
                if !chunk.is_late {
                    each(chunk);
                }
            });
            read.map_err(|(offset, detail)| corrupt(path, offset as u64, detail.to_owned()))?;
        }
        Ok(())
    }

    fn each_part(&self, disk: &dyn Disk, each: &mut dyn FnMut(Part<'_>)) -> Result<()> {
        for path in &self.segments {
            let file = disk.map(path).map_err(io("read", path))?;
            let mut reader = Reader::new(&file);
            loop {
                let offset = reader.offset();
                let wrong = |detail: String| corrupt(path, offset, detail);
                match reader.next_record() {
                    Ok(None) => break,
                    Ok(Some(record)) => match part(record) {
                        Some(part) => each(part),
                        None => return Err(wrong("record of a chunk snapshot is broken".into())),
                    },
                    Err(corruption) => return Err(wrong(corruption.detail)),
                }
            }
        }
        Ok(())
    }
}

fn corrupt(path: &Path, offset: u64, detail: String) -> Error {
    wal::Error::Corrupt { path: path.to_owned(), offset, detail }.into()
}

fn part(record: &[u8]) -> Option<Part<'_>> {
    let (kind, content) = record.split_first()?;
    match *kind {
        SERIES => series(content).map(Part::Series),
        TOMBSTONES => tombstones(content).map(Part::Tombstones),
        EXEMPLARS => {
            let record = [&[Kind::Exemplars as u8], content].concat();
            let mut exemplars = Vec::new();
            record::decode_exemplars(&record, &mut exemplars).ok()?;
            Some(Part::Exemplars(exemplars))
        }
        _ => None,
    }
}

fn series(content: &[u8]) -> Option<SnapshotSeries<'_>> {
    let mut cursor = Cursor::new(content);
    let series_ref = cursor.u64()?;
    let n_labels = cursor.uvarint()?;
    let mut pairs = Vec::new();
    for _ in 0..n_labels {
        let name = std::str::from_utf8(cursor.sized()?).ok()?;
        let value = std::str::from_utf8(cursor.sized()?).ok()?;
        pairs.push((name, value));
    }
    let labels = Labels::from_pairs(pairs);
    // The range of chunks stood here once.
    cursor.u64()?;
    if cursor.uvarint()? == 0 {
        return Some(SnapshotSeries { series_ref, labels, open: None });
    }
    let _times = (cursor.u64()?, cursor.u64()?);
    let encoding = Encoding::from_byte(cursor.byte()?).ok()?;
    let bytes = cursor.sized()?;
    // The last sample follows, which the chunk has, too.
    Some(SnapshotSeries { series_ref, labels, open: Some(OpenChunk { encoding, bytes }) })
}

fn tombstones(content: &[u8]) -> Option<Vec<(u64, Interval)>> {
    let mut cursor = Cursor::new(Cursor::new(content).sized()?);
    let _version = cursor.byte()?;
    let mut found = Vec::new();
    while !cursor.is_empty() {
        let series_ref = cursor.uvarint()?;
        found.push((series_ref, Interval { start: cursor.varint()?, end: cursor.varint()? }));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::part;
    use crate::head_chunks;

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            kind in 1u8..4,
            bytes in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            drop(part(&[&[kind], &bytes[..]].concat()));
            let file = [&[0x01, 0x30, 0xbc, 0x91, 1, 0, 0, 0], &bytes[..]].concat();
            let mut n_chunks = 0;
            let read = head_chunks::read(&file, &mut |_| n_chunks += 1);
            // Nobody guesses a checksum.
            prop_assert_eq!(n_chunks, 0);
            prop_assert!(read.is_err() || bytes.iter().take(24).all(|byte| *byte == 0));
        }
    }
}
