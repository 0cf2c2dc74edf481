use stdx::cursor::Cursor;
use storage::postings::SortedList;

use super::{At, section};

/// A list of series as it lies in the file.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BigEndian<'a>(&'a [[u8; 4]]);

impl<'a> BigEndian<'a> {
    pub(super) fn read(map: &'a [u8], place: u64) -> At<BigEndian<'a>> {
        let mut cursor = Cursor::new(section(map, place)?);
        let n_ids = cursor.u32().ok_or((place, "postings are cut off"))?;
        let (ids, rest) = cursor.rest().as_chunks::<4>();
        if ids.len() != n_ids as usize || !rest.is_empty() {
            return Err((place, "unexpected length of postings"));
        }
        Ok(BigEndian(ids))
    }
}

impl SortedList<u32> for BigEndian<'_> {
    fn len(self) -> usize {
        self.0.len()
    }

    fn get(self, idx: usize) -> u32 {
        u32::from_be_bytes(self.0[idx])
    }
}
