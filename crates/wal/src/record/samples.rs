use super::{
    Kind,
    cursor::{Cursor, push_varint},
};
use crate::Result;

/// A float of a series; time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    pub series_ref: u64,
    pub time: i64,
    pub value: f64,
}

/// A sample takes at least one byte for each number and eight for the value.
const SAMPLE_BYTES_MIN: usize = 1 + 1 + 8;

/// Appends the samples of a record, with or without start timestamps, to `out`.
pub fn decode_samples(record: &[u8], out: &mut Vec<Sample>) -> Result<()> {
    let kinds = [Kind::Samples, Kind::SamplesV2];
    let (kind, cursor) = Cursor::new(record, "samples", &kinds)?;
    if cursor.is_empty() {
        return Ok(());
    }
    out.reserve(cursor.len() / SAMPLE_BYTES_MIN);
    match kind {
        Kind::SamplesV2 => decode_v2(cursor, out),
        _ => decode_v1(cursor, out),
    }
}

/// Numbers and times are differences from a base.
fn decode_v1(mut cursor: Cursor<'_>, out: &mut Vec<Sample>) -> Result<()> {
    let base_ref = cursor.u64()?;
    let base_time = cursor.u64()? as i64;
    while !cursor.is_empty() {
        out.push(Sample {
            series_ref: base_ref.wrapping_add(cursor.varint()? as u64),
            time: base_time.wrapping_add(cursor.varint()?),
            value: cursor.f64()?,
        });
    }
    Ok(())
}

/// Numbers are differences from the one before, times from the first. Start timestamps are read
/// over: nothing here keeps them yet.
fn decode_v2(mut cursor: Cursor<'_>, out: &mut Vec<Sample>) -> Result<()> {
    /// The start timestamp is written out; 0 stands for none, 1 for the same as before.
    const EXPLICIT_START: u8 = 2;

    let mut series_ref = cursor.varint()? as u64;
    let first_time = cursor.varint()?;
    cursor.varint()?;
    out.push(Sample { series_ref, time: first_time, value: cursor.f64()? });
    while !cursor.is_empty() {
        series_ref = series_ref.wrapping_add(cursor.varint()? as u64);
        let time = first_time.wrapping_add(cursor.varint()?);
        if cursor.byte()? >= EXPLICIT_START {
            cursor.varint()?;
        }
        out.push(Sample { series_ref, time, value: cursor.f64()? });
    }
    Ok(())
}

/// Appends a record with `samples` to `out`.
pub fn encode_samples(samples: &[Sample], out: &mut Vec<u8>) {
    out.push(Kind::Samples as u8);
    let Some(base) = samples.first() else { return };
    out.extend_from_slice(&base.series_ref.to_be_bytes());
    out.extend_from_slice(&base.time.to_be_bytes());
    for sample in samples {
        push_varint(out, sample.series_ref.wrapping_sub(base.series_ref) as i64);
        push_varint(out, sample.time.wrapping_sub(base.time));
        out.extend_from_slice(&sample.value.to_bits().to_be_bytes());
    }
}
