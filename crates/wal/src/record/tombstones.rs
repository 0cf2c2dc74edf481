use model::TimeRange;

use super::{
    Kind,
    cursor::{Cursor, push_varint},
};
use crate::Result;

/// Samples of a series that were deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tombstone {
    pub series_ref: u64,
    pub range: TimeRange,
}

/// Appends the tombstones of a record to `out`.
pub fn decode_tombstones(record: &[u8], out: &mut Vec<Tombstone>) -> Result<()> {
    let (_, mut cursor) = Cursor::new(record, "tombstones", &[Kind::Tombstones])?;
    while !cursor.is_empty() {
        let series_ref = cursor.u64()?;
        let range = TimeRange::from_millis(cursor.varint()?, cursor.varint()?);
        out.push(Tombstone { series_ref, range });
    }
    Ok(())
}

/// Appends a record with `tombstones` to `out`.
pub fn encode_tombstones(tombstones: &[Tombstone], out: &mut Vec<u8>) {
    out.push(Kind::Tombstones as u8);
    for Tombstone { series_ref, range } in tombstones {
        out.extend_from_slice(&series_ref.to_be_bytes());
        push_varint(out, range.start.as_millis());
        push_varint(out, range.end.as_millis());
    }
}
