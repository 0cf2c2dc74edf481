//! Encoding 1: times as deltas of deltas, values XORed with the one before.

#[cfg(test)]
mod tests;

use crate::{
    Encoding, Error, Result,
    bits::{BitReader, BitWriter, peek},
    float::FloatState,
};

/// An open chunk stops growing here, so that no sample can push it beyond upstream's 1,024 bytes.
pub const FULL_BYTES: usize = 1024 - SAMPLE_BYTES_MAX;

/// What the largest sample takes: 68 bits of time, 77 of value.
const SAMPLE_BYTES_MAX: usize = 19;

const COUNT_BYTES: usize = 2;

/// A chunk that grows sample by sample.
#[derive(Debug, Clone)]
pub struct XorChunk {
    /// Begins with the number of samples; empty before the first.
    writer: BitWriter,
    time: i64,
    time_delta: u64,
    value: FloatState,
}

impl Default for XorChunk {
    fn default() -> XorChunk {
        let (writer, value) = (BitWriter::default(), FloatState::new(0.0));
        XorChunk { writer, time: 0, time_delta: 0, value }
    }
}

impl XorChunk {
    /// Goes on with a chunk that was written before.
    pub fn resume(mut bytes: Vec<u8>) -> Result<XorChunk> {
        let mut decoder = Decoder::new(&bytes)?;
        while decoder.advance()? {}
        if decoder.n_read == 0 {
            return Ok(XorChunk::default());
        }
        let chunk = XorChunk {
            writer: BitWriter::default(),
            time: decoder.time,
            time_delta: decoder.time_delta,
            value: decoder.value,
        };
        let (used, bytes_left) = (decoder.reader.used(), decoder.reader.bytes_left());
        bytes.truncate(bytes.len() - bytes_left);
        Ok(XorChunk { writer: BitWriter::resume(bytes, used), ..chunk })
    }

    /// Appends a sample that is later than the last one. A chunk takes 65,535 samples.
    pub fn append(&mut self, time: i64, value: f64) {
        let count = self.n_samples();
        debug_assert!(count < usize::from(u16::MAX));
        match count {
            0 => self.write_first(time, value),
            1 => {
                self.time_delta = time.wrapping_sub(self.time) as u64;
                self.writer.write_uvarint(self.time_delta);
                self.value.write(&mut self.writer, value);
            }
            _ => {
                let delta = time.wrapping_sub(self.time) as u64;
                self.write_change(delta.wrapping_sub(self.time_delta) as i64);
                self.time_delta = delta;
                self.value.write(&mut self.writer, value);
            }
        }
        self.time = time;
        let count = (count as u16 + 1).to_be_bytes();
        self.writer.bytes_mut()[..COUNT_BYTES].copy_from_slice(&count);
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
        self.value.value()
    }

    fn write_first(&mut self, time: i64, value: f64) {
        self.writer.write(0, 8 * COUNT_BYTES as u32);
        self.writer.write_varint(time);
        self.writer.write(value.to_bits(), 64);
        self.value = FloatState::new(value);
    }

    /// Writes how much the step between two samples has changed.
    fn write_change(&mut self, change: i64) {
        let payload = |bits: u32| change as u64 & ((1 << bits) - 1);
        match change {
            0 => self.writer.write(0, 1),
            -8_191..=8_192 => self.writer.write(0b10 << 14 | payload(14), 16),
            -65_535..=65_536 => self.writer.write(0b110 << 17 | payload(17), 20),
            -524_287..=524_288 => self.writer.write(0b1110 << 20 | payload(20), 24),
            _ => {
                self.writer.write(0b1111, 4);
                self.writer.write(change as u64, 64);
            }
        }
    }
}

/// Appends all samples of a chunk to two columns. On an error the columns hold the samples before
/// the damage.
pub fn decode(bytes: &[u8], times: &mut Vec<i64>, values: &mut Vec<f64>) -> Result<()> {
    let mut decoder = Decoder::new(bytes)?;
    let expected = decoder.n_samples.min(most_samples(bytes));
    times.reserve(expected);
    values.reserve(expected);
    while decoder.advance()? {
        times.push(decoder.time);
        values.push(decoder.value.value());
        if decoder.n_read == 2 {
            decoder.run(times, values);
        }
    }
    Ok(())
}

/// A sample takes two bits or more; a header that promises more samples lies.
fn most_samples(bytes: &[u8]) -> usize {
    bytes.len() * 4
}

struct Decoder<'a> {
    reader: BitReader<'a>,
    n_samples: usize,
    n_read: usize,
    time: i64,
    time_delta: u64,
    value: FloatState,
}

impl<'a> Decoder<'a> {
    fn new(bytes: &'a [u8]) -> Result<Decoder<'a>> {
        let body = match bytes.get(COUNT_BYTES..) {
            Some(body) => body,
            None if bytes.is_empty() => bytes,
            None => return Err(corrupt(0, "the count is cut off")),
        };
        Ok(Decoder {
            reader: BitReader::new(body),
            n_samples: crate::n_samples(bytes),
            n_read: 0,
            time: 0,
            time_delta: 0,
            value: FloatState::new(0.0),
        })
    }

    /// Reads the next sample into `time` and `value`; false at the end.
    #[inline]
    fn advance(&mut self) -> Result<bool> {
        if self.n_read == self.n_samples {
            return Ok(false);
        }
        let read = match self.n_read {
            0 => self.read_first(),
            1 => self.read_second(),
            _ => self.read_next(),
        };
        if read.is_none() {
            return Err(corrupt(self.n_read, "the bits end or make no sense"));
        }
        self.n_read += 1;
        Ok(true)
    }

    fn read_first(&mut self) -> Option<()> {
        self.time = self.reader.read_varint()?;
        self.value = FloatState::new(f64::from_bits(self.reader.read(64)?));
        Some(())
    }

    fn read_second(&mut self) -> Option<()> {
        self.time_delta = self.reader.read_uvarint()?;
        self.time = self.time.wrapping_add(self.time_delta as i64);
        self.value.read(&mut self.reader)
    }

    #[inline]
    fn read_next(&mut self) -> Option<()> {
        let change = match self.reader.read_ones(4)? {
            0 => 0,
            1 => self.read_change(14)?,
            2 => self.read_change(17)?,
            3 => self.read_change(20)?,
            _ => self.reader.read(64)? as i64,
        };
        self.time_delta = self.time_delta.wrapping_add(change as u64);
        self.time = self.time.wrapping_add(self.time_delta as i64);
        self.value.read(&mut self.reader)
    }

    #[inline]
    fn read_change(&mut self, bits: u32) -> Option<i64> {
        Some(signed(self.reader.read(bits)?, bits))
    }

    /// Reads samples behind the second one as long as they are ordinary and far from the end:
    /// the same as [`Decoder::advance`] at half the cost, because all that is looked at stays in
    /// registers and nothing can be cut off.
    fn run(&mut self, times: &mut Vec<i64>, values: &mut Vec<f64>) {
        let bytes = self.reader.bytes();
        let mut at = self.reader.position();
        let (mut time, mut delta) = (self.time, self.time_delta);
        let mut value = self.value;
        let begin = times.len();
        let room = (self.n_samples - self.n_read).min(most_samples(bytes));
        times.resize(begin + room, 0);
        values.resize(begin + room, 0.0);
        let mut n_new = 0;
        for (next_time, next_value) in times[begin..].iter_mut().zip(&mut values[begin..]) {
            let begun = at;
            let Some(bits) = peek(bytes, at) else { break };
            let (change, n_bits) = match bits.leading_ones() {
                0 => (0, 1),
                1 => (signed(bits << 2 >> 50, 14), 16),
                2 => (signed(bits << 3 >> 47, 17), 20),
                3 => (signed(bits << 4 >> 44, 20), 24),
                _ => break,
            };
            at += n_bits;
            let before = value;
            // As a rule samples are equally far apart, and what was looked at is enough.
            let bits = if n_bits == 1 { Some(bits << 1) } else { peek(bytes, at) };
            let after = bits.and_then(|bits| value.read_ahead(bits, bytes, &mut at));
            if after.is_none() {
                value = before;
                // Left to the careful way.
                at = begun;
                break;
            }
            delta = delta.wrapping_add(change as u64);
            time = time.wrapping_add(delta as i64);
            (*next_time, *next_value) = (time, value.value());
            n_new += 1;
        }
        times.truncate(begin + n_new);
        values.truncate(begin + n_new);
        (self.time, self.time_delta, self.value) = (time, delta, value);
        self.n_read += n_new;
        self.reader.seek(at);
    }
}

/// Not two's complement: of the two ends it is the positive one that is in range.
#[inline]
fn signed(raw: u64, bits: u32) -> i64 {
    let raw = raw as i64;
    if raw > 1 << (bits - 1) { raw - (1 << bits) } else { raw }
}

#[cold]
fn corrupt(sample_idx: usize, detail: &'static str) -> Error {
    Error::Corrupt { encoding: Encoding::Xor, sample_idx, detail }
}
