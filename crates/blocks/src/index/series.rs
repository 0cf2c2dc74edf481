use stdx::cursor::Cursor;

use super::At;
use crate::{ChunkMeta, checksum};

/// Labels and chunks of one series, as they lie in the file.
#[derive(Clone, Copy)]
pub(crate) struct SeriesEntry<'a> {
    place: u64,
    n_labels: u64,
    labels: Cursor<'a>,
    chunks: Cursor<'a>,
}

impl<'a> SeriesEntry<'a> {
    pub(super) fn read(map: &'a [u8], place: u64) -> At<SeriesEntry<'a>> {
        let rest = usize::try_from(place).ok().and_then(|begin| map.get(begin..));
        let mut cursor = Cursor::new(rest.ok_or((place, "series is out of range"))?);
        let cut_off = (place, "series is cut off");
        let len = cursor.uvarint().and_then(|len| usize::try_from(len).ok()).ok_or(cut_off)?;
        let content = cursor.bytes(len.saturating_add(checksum::BYTES)).ok_or(cut_off)?;
        let content = checksum::verified(content).ok_or((place, "checksum mismatch"))?;
        let mut cursor = Cursor::new(content);
        let n_labels = cursor.uvarint().ok_or(cut_off)?;
        let labels = cursor;
        for _ in 0..n_labels.saturating_mul(2) {
            cursor.uvarint().ok_or(cut_off)?;
        }
        Ok(SeriesEntry { place, n_labels, labels, chunks: cursor })
    }

    /// References to the symbols of names and values, in order of names.
    pub(crate) fn labels(&self) -> impl Iterator<Item = (u32, u32)> + use<'a> {
        let mut cursor = self.labels;
        (0..self.n_labels).map_while(move |_| {
            let name = u32::try_from(cursor.uvarint()?).ok()?;
            Some((name, u32::try_from(cursor.uvarint()?).ok()?))
        })
    }

    /// Its chunks in order; an error is the last one.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = At<ChunkMeta>> + use<'a> {
        let place = self.place;
        let mut cursor = self.chunks;
        let mut n_left = match cursor.uvarint() {
            Some(n_chunks) => Ok(n_chunks),
            None => Err((place, "series is cut off")),
        };
        let mut last = None;
        std::iter::from_fn(move || {
            let n_chunks = match n_left {
                Ok(0) => return None,
                Ok(n_chunks) => n_chunks,
                Err(damage) => {
                    n_left = Ok(0);
                    return Some(Err(damage));
                }
            };
            last = read_chunk(&mut cursor, last.as_ref());
            n_left = Ok(if last.is_some() { n_chunks - 1 } else { 0 });
            Some(last.ok_or((place, "chunk of a series is cut off")))
        })
    }
}

fn read_chunk(cursor: &mut Cursor<'_>, last: Option<&ChunkMeta>) -> Option<ChunkMeta> {
    let start = match last {
        None => cursor.varint()?,
        Some(last) => last.end.wrapping_add_unsigned(cursor.uvarint()?),
    };
    let end = start.wrapping_add_unsigned(cursor.uvarint()?);
    let reference = match last {
        None => cursor.uvarint()?,
        Some(last) => last.reference.wrapping_add_signed(cursor.varint()?),
    };
    Some(ChunkMeta { start, end, reference })
}
