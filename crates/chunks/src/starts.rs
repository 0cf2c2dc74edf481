//! When the counters of a chunk began: start timestamps behind the samples.
//!
//! Nearly always a counter goes on counting, so nothing is written but the first start, and from
//! the first change on how far each start is from the time of the sample before, as changes of
//! that distance. One byte of the chunk's header says where that is.

use crate::bits::{BitReader, BitWriter};

/// Where the header's byte is, in every encoding with start timestamps.
const HEADER_IDX: usize = 2;

/// The first sample has a start.
const FIRST_KNOWN: u8 = 0x80;

/// The header has no room for a later sample: if nothing has changed up to this one, it is
/// written as if it had.
const CHANGE_MAX: usize = 0x7f;

/// The last start of a run, zero for none.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Starts {
    header: u8,
    pub(crate) start: i64,
    /// From the start to the time of the sample before.
    distance: i64,
}

impl Starts {
    /// What the header of a chunk says; nothing is read if it has none.
    pub(crate) fn of(chunk: &[u8]) -> Starts {
        Starts { header: chunk.get(HEADER_IDX).copied().unwrap_or_default(), ..Starts::default() }
    }

    /// The sample from which on starts are written; zero if there is none.
    fn changes_from(self) -> usize {
        usize::from(self.header & !FIRST_KNOWN)
    }

    /// Writes the start of a sample, of which the rest is written.
    pub(crate) fn write(
        &mut self,
        writer: &mut BitWriter,
        sample_idx: usize,
        [time_before, time]: [i64; 2],
        start: i64,
    ) {
        let distance = time_before.wrapping_sub(start);
        if sample_idx == 0 {
            if start != 0 {
                writer.write_varint(time.wrapping_sub(start));
                self.header = FIRST_KNOWN;
            }
        } else if self.changes_from() > 0 {
            writer.write_varbit(distance.wrapping_sub(self.distance));
            self.distance = distance;
        } else if start != self.start || sample_idx == CHANGE_MAX {
            debug_assert!(sample_idx <= CHANGE_MAX);
            writer.write_varbit(distance);
            self.header |= sample_idx as u8;
            self.distance = distance;
        }
        self.start = start;
        writer.bytes_mut()[HEADER_IDX] = self.header;
    }

    /// Reads the start of a sample, of which the rest is read.
    pub(crate) fn read(
        &mut self,
        reader: &mut BitReader<'_>,
        sample_idx: usize,
        [time_before, time]: [i64; 2],
    ) -> Option<()> {
        if sample_idx == 0 {
            if self.header & FIRST_KNOWN != 0 {
                self.start = time.wrapping_sub(reader.read_varint()?);
            }
            return Some(());
        }
        let changes_from = self.changes_from();
        if changes_from == 0 || sample_idx < changes_from {
            return Some(());
        }
        let number = reader.read_varbit()?;
        let is_first = sample_idx == changes_from;
        self.distance = if is_first { number } else { self.distance.wrapping_add(number) };
        self.start = time_before.wrapping_sub(self.distance);
        Some(())
    }
}

/// Adds the start of a sample to a column that is empty as long as none is known; `n_before`
/// samples are before it.
pub(crate) fn push(starts: &mut Vec<i64>, n_before: usize, start: i64) {
    if starts.is_empty() {
        if start == 0 {
            return;
        }
        starts.resize(n_before, 0);
    }
    starts.push(start);
}
