use stdx::cursor::Cursor;

use super::{At, section};

/// Of the symbols one in so many is found at once, the others by walking from it.
const STRIDE: u32 = 8;

/// Where the texts of names and values are.
pub(super) struct Symbols {
    n_symbols: u32,
    places: Vec<u32>,
    end: usize,
}

impl Symbols {
    pub(super) fn read(map: &[u8], place: u64) -> At<Symbols> {
        let content = section(map, place)?;
        let begin = place as usize + 4;
        let end = begin + content.len();
        let n_symbols = Cursor::new(content).u32().ok_or((place, "symbols are cut off"))?;
        let mut places = Vec::with_capacity(n_symbols.min(1 << 20).div_ceil(STRIDE) as usize);
        let mut at = begin + 4;
        for number in 0..n_symbols {
            if number % STRIDE == 0 {
                places.push(u32::try_from(at).map_err(|_| (place, "index is too large"))?);
            }
            let text = text_at(&map[..end], at)?;
            at += sized_bytes(text);
        }
        places.shrink_to_fit();
        Ok(Symbols { n_symbols, places, end })
    }

    pub(super) fn get<'a>(&self, map: &'a [u8], number: u32) -> At<&'a str> {
        let place = self.places.get((number / STRIDE) as usize).filter(|_| number < self.n_symbols);
        let mut at =
            *place.ok_or((u64::from(number), "there is no symbol of this number"))? as usize;
        for _ in 0..number % STRIDE {
            at += skip(map, at)?;
        }
        text_at(map, at)
    }

    /// The number of the symbol that begins at a place.
    pub(super) fn number_of(&self, map: &[u8], place: u32) -> At<u32> {
        let nobody = (u64::from(place), "there is no symbol");
        let slot = self.places.partition_point(|begin| *begin <= place).checked_sub(1);
        let slot = slot.ok_or(nobody)?;
        let mut at = self.places[slot] as usize;
        for step in 0..STRIDE {
            if at == place as usize {
                return Ok(slot as u32 * STRIDE + step);
            }
            at += skip(map, at)?;
        }
        Err(nobody)
    }

    pub(super) fn iter<'a>(&self, map: &'a [u8]) -> impl Iterator<Item = &'a str> + use<'a> {
        let (end, mut left) = (self.end, self.n_symbols);
        let mut at = self.places.first().map_or(end, |place| *place as usize);
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let text = text_at(map.get(..end)?, at).ok()?;
            at += sized_bytes(text);
            Some(text)
        })
    }
}

pub(super) fn text_at(map: &[u8], at: usize) -> At<&str> {
    let bytes = map.get(at..).and_then(|rest| Cursor::new(rest).sized());
    let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
    text.ok_or((at as u64, "symbol is no text"))
}

/// The bytes of the text at a place, its length included.
fn skip(map: &[u8], at: usize) -> At<usize> {
    let rest = map.get(at..).unwrap_or_default();
    let mut cursor = Cursor::new(rest);
    cursor.sized().ok_or((at as u64, "symbol is cut off"))?;
    Ok(rest.len() - cursor.rest().len())
}

/// What a text takes behind its length.
fn sized_bytes(text: &str) -> usize {
    let bits = usize::BITS - (text.len() | 1).leading_zeros();
    bits.div_ceil(7) as usize + text.len()
}
