use super::{
    Kind,
    cursor::{Cursor, push_varint},
    place::{Place, Places},
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
    decode(record, out, |_| {})
}

/// The same with the start timestamp of each sample in `starts`, 0 for none.
pub fn decode_samples_with_starts(
    record: &[u8],
    out: &mut Vec<Sample>,
    starts: &mut Vec<i64>,
) -> Result<()> {
    decode(record, out, |start| starts.push(start))
}

fn decode(record: &[u8], out: &mut Vec<Sample>, note_start: impl FnMut(i64)) -> Result<()> {
    let kinds = [Kind::Samples, Kind::SamplesV2];
    let (kind, cursor) = Cursor::new(record, "samples", &kinds)?;
    if cursor.is_empty() {
        return Ok(());
    }
    out.reserve(cursor.len() / SAMPLE_BYTES_MIN);
    match kind {
        Kind::SamplesV2 => decode_v2(cursor, out, note_start),
        _ => decode_v1(cursor, out, note_start),
    }
}

/// Numbers and times are differences from a base.
fn decode_v1(
    mut cursor: Cursor<'_>,
    out: &mut Vec<Sample>,
    mut note_start: impl FnMut(i64),
) -> Result<()> {
    let base_ref = cursor.u64()?;
    let base_time = cursor.u64()? as i64;
    while !cursor.is_empty() {
        out.push(Sample {
            series_ref: base_ref.wrapping_add(cursor.varint()? as u64),
            time: base_time.wrapping_add(cursor.varint()?),
            value: cursor.f64()?,
        });
        note_start(0);
    }
    Ok(())
}

fn decode_v2(
    mut cursor: Cursor<'_>,
    out: &mut Vec<Sample>,
    mut note_start: impl FnMut(i64),
) -> Result<()> {
    let mut places = Places::default();
    while !cursor.is_empty() {
        let Place { series_ref, time, start } = places.read(&mut cursor)?;
        out.push(Sample { series_ref, time, value: cursor.f64()? });
        note_start(start);
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

/// Appends a record with `samples` and their start timestamps, 0 for none, to `out`.
pub fn encode_samples_with_starts(samples: &[Sample], starts: &[i64], out: &mut Vec<u8>) {
    debug_assert_eq!(samples.len(), starts.len());
    out.push(Kind::SamplesV2 as u8);
    let mut places = Places::default();
    for (Sample { series_ref, time, value }, start) in samples.iter().zip(starts) {
        places.write(Place { series_ref: *series_ref, time: *time, start: *start }, out);
        out.extend_from_slice(&value.to_bits().to_be_bytes());
    }
}
