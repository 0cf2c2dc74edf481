use crate::{Error, Result, xor, xor2};

/// How the bytes of a chunk are to be read; the numbers are those in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Encoding {
    Xor = 1,
    Histogram = 2,
    FloatHistogram = 3,
    /// Floats with start timestamps.
    Xor2 = 4,
    /// [`Encoding::Histogram`] with start timestamps.
    HistogramStart = 5,
    /// [`Encoding::FloatHistogram`] with start timestamps.
    FloatHistogramStart = 6,
}

impl Encoding {
    pub fn from_byte(byte: u8) -> Result<Encoding> {
        match byte {
            1 => Ok(Encoding::Xor),
            2 => Ok(Encoding::Histogram),
            3 => Ok(Encoding::FloatHistogram),
            4 => Ok(Encoding::Xor2),
            5 => Ok(Encoding::HistogramStart),
            6 => Ok(Encoding::FloatHistogramStart),
            unknown => Err(Error::UnknownEncoding(unknown)),
        }
    }

    pub fn as_byte(self) -> u8 {
        self as u8
    }

    /// Whether chunks of histograms keep when counters began; of floats they always may.
    pub(crate) fn has_starts(self) -> bool {
        matches!(self, Encoding::HistogramStart | Encoding::FloatHistogramStart)
    }

    /// How many samples a chunk says that it holds.
    pub fn n_samples(self, bytes: &[u8]) -> usize {
        n_samples(bytes) & self.samples_max()
    }

    /// How many samples a chunk can hold.
    pub fn samples_max(self) -> usize {
        // The two bits above are needed for something else.
        if self.has_starts() { 0x3fff } else { 0xffff }
    }
}

/// Appends the floats of a whole chunk to two columns. On an error the columns hold the samples
/// before the damage.
pub fn decode(
    encoding: Encoding,
    bytes: &[u8],
    times: &mut Vec<i64>,
    values: &mut Vec<f64>,
) -> Result<()> {
    match encoding {
        Encoding::Xor => xor::decode(bytes, times, values),
        Encoding::Xor2 => xor2::decode(bytes, times, values, &mut Vec::new()),
        other => Err(Error::Unsupported(other)),
    }
}

/// The same with the starts in a third column: it is empty as long as none is known, and as long
/// as the others from then on.
pub fn decode_with_starts(
    encoding: Encoding,
    bytes: &[u8],
    times: &mut Vec<i64>,
    values: &mut Vec<f64>,
    starts: &mut Vec<i64>,
) -> Result<()> {
    if encoding == Encoding::Xor2 {
        return xor2::decode(bytes, times, values, starts);
    }
    let outcome = decode(encoding, bytes, times, values);
    if !starts.is_empty() {
        starts.resize(times.len(), 0);
    }
    outcome
}

/// How many samples a chunk of encodings 1 to 4 says that it holds; see [`Encoding::n_samples`].
pub fn n_samples(bytes: &[u8]) -> usize {
    match bytes {
        [high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    }
}
