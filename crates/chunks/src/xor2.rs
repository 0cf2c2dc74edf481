//! Encoding 4: as encoding 1, with time and value under one control prefix, and with the start
//! timestamps of counters.

#[cfg(test)]
mod tests;

use model::float::{STALE, is_stale};

use crate::{
    Encoding, Error, Result,
    bits::{BitReader, BitWriter},
    float::FloatState,
    starts::{self, Starts},
};

/// An open chunk stops growing here, so that no sample can push it beyond upstream's 1,024 bytes.
pub const FULL_BYTES: usize = 1024 - SAMPLE_BYTES_MAX;

/// What the largest sample takes: 69 bits of time, 78 of value, 72 of start.
const SAMPLE_BYTES_MAX: usize = 28;

/// The count, and where starts change.
const HEADER_BYTES: usize = 3;

/// A chunk that grows sample by sample.
#[derive(Debug, Clone)]
pub struct Xor2Chunk {
    /// Begins with the header; empty before the first sample.
    writer: BitWriter,
    time: i64,
    time_delta: u64,
    /// Of the last sample that was no stale marker: what comes back is mostly what was before.
    value: FloatState,
    is_stale: bool,
    starts: Starts,
}

impl Default for Xor2Chunk {
    fn default() -> Xor2Chunk {
        Xor2Chunk {
            writer: BitWriter::default(),
            time: 0,
            time_delta: 0,
            value: FloatState::new(0.0),
            is_stale: false,
            starts: Starts::default(),
        }
    }
}

impl Xor2Chunk {
    /// Goes on with a chunk that was written before.
    pub fn resume(mut bytes: Vec<u8>) -> Result<Xor2Chunk> {
        let mut decoder = Decoder::new(&bytes)?;
        while decoder.advance()? {}
        if decoder.n_read == 0 {
            return Ok(Xor2Chunk::default());
        }
        let Decoder { time, time_delta, value, is_stale, starts, .. } = decoder;
        let (used, bytes_left) = (decoder.reader.used(), decoder.reader.bytes_left());
        bytes.truncate(bytes.len() - bytes_left);
        let writer = BitWriter::resume(bytes, used);
        Ok(Xor2Chunk { writer, time, time_delta, value, is_stale, starts })
    }

    /// Appends a sample that is later than the last one; `start` is when its counter began, zero
    /// if that is not known. A chunk takes 65,535 samples.
    pub fn append(&mut self, start: i64, time: i64, value: f64) {
        let count = self.n_samples();
        debug_assert!(count < usize::from(u16::MAX));
        let delta = time.wrapping_sub(self.time) as u64;
        match count {
            0 => self.write_first(time, value),
            1 => {
                self.writer.write_uvarint(delta);
                self.write_value(value);
                self.time_delta = delta;
            }
            _ => {
                self.write_next(delta.wrapping_sub(self.time_delta) as i64, value);
                self.time_delta = delta;
            }
        }
        self.is_stale = is_stale(value);
        self.starts.write(&mut self.writer, count, [self.time, time], start);
        self.time = time;
        let count = (count as u16 + 1).to_be_bytes();
        self.writer.bytes_mut()[..2].copy_from_slice(&count);
    }

    pub fn bytes(&self) -> &[u8] {
        self.writer.bytes()
    }

    /// The bytes of the chunk, which is closed by this.
    pub fn into_bytes(self) -> Vec<u8> {
        self.writer.into_bytes()
    }

    pub fn n_samples(&self) -> usize {
        crate::n_samples(self.writer.bytes())
    }

    /// The time of the last sample; 0 if there is none.
    pub fn last_time(&self) -> i64 {
        self.time
    }

    /// The last value; 0 if there is none.
    pub fn last_value(&self) -> f64 {
        if self.is_stale { STALE } else { self.value.value() }
    }

    /// When the counter of the last sample began; 0 if that is not known.
    pub fn last_start(&self) -> i64 {
        self.starts.start
    }

    fn write_first(&mut self, time: i64, value: f64) {
        self.writer.write(0, 8 * HEADER_BYTES as u32);
        self.writer.write_varint(time);
        self.writer.write(value.to_bits(), 64);
        self.value = FloatState::new(if is_stale(value) { 0.0 } else { value });
    }

    /// Writes how much the step between two samples has changed, and the value.
    fn write_next(&mut self, change: i64, value: f64) {
        let writer = &mut self.writer;
        let payload = |bits: u32| change as u64 & ((1 << bits) - 1);
        match change {
            0 if is_stale(value) => return writer.write(0b11111, 5),
            0 if value.to_bits() == self.value.bits => return writer.write(0, 1),
            0 => return self.value.write_changed(writer, value, (0b100, 3), (0b101, 3)),
            -0x1000..=0xfff => writer.write(0b110 << 13 | payload(13), 16),
            -0x8_0000..=0x7_ffff => writer.write(0b1110 << 20 | payload(20), 24),
            _ => {
                writer.write(0b11110, 5);
                writer.write(change as u64, 64);
            }
        }
        self.write_value(value);
    }

    /// Writes the value of a sample whose time was written apart.
    fn write_value(&mut self, value: f64) {
        if is_stale(value) {
            self.writer.write(0b111, 3);
        } else if value.to_bits() == self.value.bits {
            self.writer.write(0, 1);
        } else {
            self.value.write_changed(&mut self.writer, value, (0b10, 2), (0b110, 3));
        }
    }
}

/// Appends all samples of a chunk to two columns and their starts to a third, which stays empty as
/// long as none is known. On an error the columns hold the samples before the damage.
pub fn decode(
    bytes: &[u8],
    times: &mut Vec<i64>,
    values: &mut Vec<f64>,
    starts: &mut Vec<i64>,
) -> Result<()> {
    let mut decoder = Decoder::new(bytes)?;
    // A sample takes a bit at least; a header that promises more samples lies.
    let expected = decoder.n_samples.min(bytes.len() * 8);
    times.reserve(expected);
    values.reserve(expected);
    while decoder.advance()? {
        starts::push(starts, times.len(), decoder.starts.start);
        times.push(decoder.time);
        values.push(if decoder.is_stale { STALE } else { decoder.value.value() });
    }
    Ok(())
}

struct Decoder<'a> {
    reader: BitReader<'a>,
    n_samples: usize,
    n_read: usize,
    time: i64,
    time_delta: u64,
    value: FloatState,
    is_stale: bool,
    starts: Starts,
}

impl<'a> Decoder<'a> {
    fn new(bytes: &'a [u8]) -> Result<Decoder<'a>> {
        let body = match bytes.get(HEADER_BYTES..) {
            Some(body) => body,
            None if bytes.is_empty() => bytes,
            None => return Err(corrupt(0, "the header is cut off")),
        };
        Ok(Decoder {
            reader: BitReader::new(body),
            n_samples: crate::n_samples(bytes),
            n_read: 0,
            time: 0,
            time_delta: 0,
            value: FloatState::new(0.0),
            is_stale: false,
            starts: Starts::of(bytes),
        })
    }

    /// Reads the next sample; false at the end.
    fn advance(&mut self) -> Result<bool> {
        if self.n_read == self.n_samples {
            return Ok(false);
        }
        let before = self.time;
        let read = match self.n_read {
            0 => self.read_first(),
            1 => self.read_second(),
            _ => self.read_next(),
        };
        let times = [before, self.time];
        let read = read.and_then(|()| self.starts.read(&mut self.reader, self.n_read, times));
        if read.is_none() {
            return Err(corrupt(self.n_read, "the bits end or make no sense"));
        }
        self.n_read += 1;
        Ok(true)
    }

    fn read_first(&mut self) -> Option<()> {
        self.time = self.reader.read_varint()?;
        let value = f64::from_bits(self.reader.read(64)?);
        self.is_stale = is_stale(value);
        self.value = FloatState::new(if self.is_stale { 0.0 } else { value });
        Some(())
    }

    fn read_second(&mut self) -> Option<()> {
        self.time_delta = self.reader.read_uvarint()?;
        self.time = self.time.wrapping_add(self.time_delta as i64);
        self.read_value()
    }

    fn read_next(&mut self) -> Option<()> {
        let prefix = self.reader.read_ones(5)?;
        let change = match prefix {
            2 => self.read_change(13)?,
            3 => self.read_change(20)?,
            4 => self.reader.read(64)? as i64,
            _ => 0,
        };
        self.time_delta = self.time_delta.wrapping_add(change as u64);
        self.time = self.time.wrapping_add(self.time_delta as i64);
        self.is_stale = prefix == 5;
        match prefix {
            0 | 5 => Some(()),
            1 => {
                let is_new_window = self.reader.read(1)? == 1;
                self.value.read_changed(&mut self.reader, is_new_window)
            }
            _ => self.read_value(),
        }
    }

    fn read_value(&mut self) -> Option<()> {
        let prefix = self.reader.read_ones(3)?;
        self.is_stale = prefix == 3;
        match prefix {
            1 => self.value.read_changed(&mut self.reader, false),
            2 => self.value.read_changed(&mut self.reader, true),
            _ => Some(()),
        }
    }

    /// A number in two's complement.
    fn read_change(&mut self, bits: u32) -> Option<i64> {
        let unused = 64 - bits;
        Some(((self.reader.read(bits)? << unused) as i64) >> unused)
    }
}

#[cold]
fn corrupt(sample_idx: usize, detail: &'static str) -> Error {
    Error::Corrupt { encoding: Encoding::Xor2, sample_idx, detail }
}
