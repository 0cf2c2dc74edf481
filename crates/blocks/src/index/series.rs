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

    pub(crate) fn chunks(&self) -> At<Vec<ChunkMeta>> {
        let place = self.place;
        let mut cursor = self.chunks;
        let n_chunks = cursor.uvarint().ok_or((place, "series is cut off"))?;
        // A chunk takes three bytes at least.
        let mut chunks: Vec<ChunkMeta> =
            Vec::with_capacity((n_chunks as usize).min(cursor.rest().len() / 3));
        for _ in 0..n_chunks {
            let next = read_chunk(&mut cursor, chunks.last());
            chunks.push(next.ok_or((place, "chunk of a series is cut off"))?);
        }
        Ok(chunks)
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
