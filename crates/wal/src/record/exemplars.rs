use model::Labels;

use super::{
    Kind,
    cursor::{Cursor, push_labels, push_varint},
};
use crate::Result;

/// An example of what a series counted, such as a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    pub series_ref: u64,
    pub time: i64,
    pub value: f64,
    pub labels: Labels,
}

/// Appends the exemplars of a record to `out`.
pub fn decode_exemplars(record: &[u8], out: &mut Vec<Exemplar>) -> Result<()> {
    let (_, mut cursor) = Cursor::new(record, "exemplars", &[Kind::Exemplars])?;
    if cursor.is_empty() {
        return Ok(());
    }
    let base_ref = cursor.u64()?;
    let base_time = cursor.u64()? as i64;
    while !cursor.is_empty() {
        out.push(Exemplar {
            series_ref: base_ref.wrapping_add(cursor.varint()? as u64),
            time: base_time.wrapping_add(cursor.varint()?),
            value: cursor.f64()?,
            labels: cursor.labels()?,
        });
    }
    Ok(())
}

/// Appends a record with `exemplars` to `out`.
pub fn encode_exemplars(exemplars: &[Exemplar], out: &mut Vec<u8>) {
    out.push(Kind::Exemplars as u8);
    let Some(base) = exemplars.first() else { return };
    out.extend_from_slice(&base.series_ref.to_be_bytes());
    out.extend_from_slice(&base.time.to_be_bytes());
    for exemplar in exemplars {
        push_varint(out, exemplar.series_ref.wrapping_sub(base.series_ref) as i64);
        push_varint(out, exemplar.time.wrapping_sub(base.time));
        out.extend_from_slice(&exemplar.value.to_bits().to_be_bytes());
        push_labels(out, exemplar.labels.len(), exemplar.labels.iter());
    }
}
