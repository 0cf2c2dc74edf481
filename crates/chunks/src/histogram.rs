//! Encodings 2 and 3: native histograms of one layout.
//!
//! The layout (schema, zero threshold, spans, custom bounds) is written once. Of integer
//! histograms the counts are written as deltas of deltas, of float histograms as XORed floats.

mod float;
mod integer;
mod layout;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use model::{FloatHistogram, histogram::CounterResetHint};

pub use float::FloatHistogramChunk;
pub use integer::HistogramChunk;
pub use layout::Layout;

use crate::{Encoding, Error, Result, bits::BitReader};

/// A chunk of histograms takes no more samples once it has so many bytes and enough samples.
pub const FULL_BYTES: usize = 1024;

/// The count, and the byte of flags.
const HEADER_BYTES: usize = 3;

/// What is known about a counter reset before the first sample of a chunk; the two upper bits of
/// the flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    Unknown,
    NotReset,
    Reset,
    Gauge,
}

impl Header {
    fn as_byte(self) -> u8 {
        match self {
            Header::Unknown => 0,
            Header::NotReset => 0b01 << 6,
            Header::Reset => 0b10 << 6,
            Header::Gauge => 0b11 << 6,
        }
    }

    fn from_byte(byte: u8) -> Header {
        match byte >> 6 {
            0b01 => Header::NotReset,
            0b10 => Header::Reset,
            0b11 => Header::Gauge,
            _ => Header::Unknown,
        }
    }

    /// What is said of one sample: within a chunk of counters there is no reset, and what was
    /// before the first sample is not known here.
    fn hint(self, is_first: bool) -> CounterResetHint {
        match self {
            Header::Gauge => CounterResetHint::Gauge,
            _ if is_first => CounterResetHint::Unknown,
            _ => CounterResetHint::NotReset,
        }
    }
}

/// What a chunk of histograms says of the time before its first sample.
pub fn header(bytes: &[u8]) -> Header {
    Header::from_byte(bytes.get(HEADER_BYTES - 1).copied().unwrap_or_default())
}

/// Appends the samples of a chunk of either encoding to two columns. On an error the columns hold
/// the samples before the damage.
pub fn decode(
    encoding: Encoding,
    bytes: &[u8],
    times: &mut Vec<i64>,
    histograms: &mut Vec<Arc<FloatHistogram>>,
) -> Result<()> {
    let n_samples = crate::n_samples(bytes);
    if n_samples == 0 {
        return Ok(());
    }
    let corrupt = |sample_idx: usize| Error::Corrupt {
        encoding,
        sample_idx,
        detail: "the bits end or make no sense",
    };
    let mut reader = BitReader::new(bytes.get(HEADER_BYTES..).ok_or_else(|| corrupt(0))?);
    let layout = Layout::read(&mut reader).ok_or_else(|| corrupt(0))?;
    let header = header(bytes);
    let mut push = |sample_idx: usize, time: i64, histogram: FloatHistogram| {
        let counter_reset_hint = header.hint(sample_idx == 0);
        times.push(time);
        histograms.push(Arc::new(FloatHistogram { counter_reset_hint, ..histogram }));
    };
    match encoding {
        Encoding::Histogram => integer::decode(&mut reader, &layout, n_samples, &mut push),
        Encoding::FloatHistogram => float::decode(&mut reader, &layout, n_samples, &mut push),
        other => return Err(Error::Unsupported(other)),
    }
    .map_err(corrupt)
}

/// Steps of times: the first time whole, then a step, then changes of the step.
#[derive(Debug, Clone, Copy, Default)]
struct Times {
    time: i64,
    delta: i64,
}

impl Times {
    fn write(&mut self, writer: &mut crate::bits::BitWriter, sample_idx: usize, time: i64) {
        let delta = time.wrapping_sub(self.time);
        match sample_idx {
            0 => writer.write_varbit(time),
            1 => writer.write_varbit_unsigned(delta as u64),
            _ => writer.write_varbit(delta.wrapping_sub(self.delta)),
        }
        *self = Times { time, delta };
    }

    fn read(&mut self, reader: &mut BitReader<'_>, sample_idx: usize) -> Option<()> {
        match sample_idx {
            0 => self.time = reader.read_varbit()?,
            1 => self.delta = reader.read_varbit_unsigned()? as i64,
            _ => self.delta = self.delta.wrapping_add(reader.read_varbit()?),
        }
        if sample_idx > 0 {
            self.time = self.time.wrapping_add(self.delta);
        }
        Some(())
    }
}

/// Writes the header of an empty chunk.
fn begin(writer: &mut crate::bits::BitWriter, header: Header) {
    writer.write(0, 16);
    writer.write(u64::from(header.as_byte()), 8);
}

/// Notes that a chunk has one more sample.
fn count(writer: &mut crate::bits::BitWriter) -> usize {
    let sample_idx = crate::n_samples(writer.bytes());
    let count = (sample_idx as u16 + 1).to_be_bytes();
    writer.bytes_mut()[..2].copy_from_slice(&count);
    sample_idx
}
