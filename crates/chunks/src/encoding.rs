use crate::{Error, Result, xor};

/// How the bytes of a chunk are to be read; the numbers are those in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Encoding {
    Xor = 1,
    Histogram = 2,
    FloatHistogram = 3,
    /// [`Encoding::Xor`] with start timestamps.
    Xor2 = 4,
    HistogramStart = 5,
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
        other => Err(Error::Unsupported(other)),
    }
}

/// How many samples a chunk says that it holds: every encoding begins with that number.
pub fn n_samples(bytes: &[u8]) -> usize {
    match bytes {
        [high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    }
}
