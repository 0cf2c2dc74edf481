//! Encodings 2 and 3: native histograms of one layout; 5 and 6: the same with start timestamps.
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

use crate::{
    Encoding, Error, Result,
    bits::{BitReader, BitWriter},
    starts::{self, Starts},
};

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

/// What a chunk of histograms without start timestamps says of the time before its first sample.
pub fn header(bytes: &[u8]) -> Header {
    Header::from_byte(bytes.get(HEADER_BYTES - 1).copied().unwrap_or_default())
}

/// What a chunk of histograms of any encoding says of the time before its first sample.
pub fn header_of(encoding: Encoding, bytes: &[u8]) -> Header {
    match encoding.has_starts() {
        true => Header::from_byte(bytes.first().copied().unwrap_or_default()),
        false => header(bytes),
    }
}

/// Appends the samples of a chunk of any encoding of histograms to two columns. On an error the
/// columns hold the samples before the damage.
pub fn decode(
    encoding: Encoding,
    bytes: &[u8],
    times: &mut Vec<i64>,
    histograms: &mut Vec<Arc<FloatHistogram>>,
) -> Result<()> {
    read_all(encoding, bytes, times, histograms, None)
}

/// The same with the starts in a third column, which stays empty as long as none is known.
pub fn decode_with_starts(
    encoding: Encoding,
    bytes: &[u8],
    times: &mut Vec<i64>,
    histograms: &mut Vec<Arc<FloatHistogram>>,
    starts: &mut Vec<i64>,
) -> Result<()> {
    read_all(encoding, bytes, times, histograms, Some(starts))
}

fn read_all(
    encoding: Encoding,
    bytes: &[u8],
    times: &mut Vec<i64>,
    histograms: &mut Vec<Arc<FloatHistogram>>,
    mut starts: Option<&mut Vec<i64>>,
) -> Result<()> {
    let n_samples = encoding.n_samples(bytes);
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
    let header = header_of(encoding, bytes);
    let mut push = |sample: Sample| {
        let counter_reset_hint = header.hint(sample.idx == 0);
        if let Some(starts) = &mut starts {
            starts::push(starts, times.len(), sample.start);
        }
        times.push(sample.time);
        histograms.push(Arc::new(FloatHistogram { counter_reset_hint, ..sample.value }));
    };
    let read_starts = if encoding.has_starts() { Starts::of(bytes) } else { Starts::default() };
    let samples = Samples { n_samples, starts: read_starts };
    match encoding {
        Encoding::Histogram | Encoding::HistogramStart => {
            integer::decode(&mut reader, &layout, samples, &mut push)
        }
        Encoding::FloatHistogram | Encoding::FloatHistogramStart => {
            float::decode(&mut reader, &layout, samples, &mut push)
        }
        other => return Err(Error::Unsupported(other)),
    }
    .map_err(corrupt)
}

/// What is known of the samples of a chunk before they are read.
struct Samples {
    n_samples: usize,
    starts: Starts,
}

/// One that was read.
struct Sample {
    idx: usize,
    time: i64,
    start: i64,
    value: FloatHistogram,
}

/// Steps of times: the first time whole, then changes of the step, which is zero before.
#[derive(Debug, Clone, Copy, Default)]
struct Times {
    time: i64,
    delta: i64,
}

impl Times {
    fn write(&mut self, writer: &mut BitWriter, sample_idx: usize, time: i64) {
        if sample_idx == 0 {
            writer.write_varbit(time);
            self.time = time;
            return;
        }
        let delta = time.wrapping_sub(self.time);
        writer.write_varbit(delta.wrapping_sub(self.delta));
        *self = Times { time, delta };
    }

    fn read(&mut self, reader: &mut BitReader<'_>, sample_idx: usize) -> Option<()> {
        let number = reader.read_varbit()?;
        if sample_idx == 0 {
            self.time = number;
            return Some(());
        }
        self.delta = self.delta.wrapping_add(number);
        self.time = self.time.wrapping_add(self.delta);
        Some(())
    }
}

/// The first bytes of a chunk: how many samples it has, and what is known of the time before them.
#[derive(Debug, Clone, Copy)]
struct Opening {
    encoding: Encoding,
}

impl Opening {
    /// Writes the header of an empty chunk.
    fn begin(self, writer: &mut BitWriter, header: Header) {
        let header = u64::from(header.as_byte());
        writer.write(if self.encoding.has_starts() { header << 16 } else { header }, 24);
    }

    /// Notes that a chunk has one more sample; says how many there were.
    fn count(self, writer: &mut BitWriter) -> usize {
        let n_samples = self.encoding.n_samples(writer.bytes());
        debug_assert!(n_samples < self.encoding.samples_max());
        // The bits above the number stay as they are.
        if let [high, low, ..] = writer.bytes_mut() {
            let number = u16::from_be_bytes([*high, *low]).wrapping_add(1);
            [*high, *low] = number.to_be_bytes();
        }
        n_samples
    }
}
