use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::head::SeriesId;

/// From numbers in the log to series.
///
/// Numbers come in runs, and so do those of a record: they lie in short tables, of which the last
/// one is at hand.
#[derive(Default)]
pub(super) struct Refs {
    tables: Vec<Table>,
    /// By the upper part of the number.
    places: HashMap<u64, usize, FixedState>,
    at_hand: Option<(u64, usize)>,
}

const N_NUMBERS: u64 = 256;

/// No series has the last number.
const NONE: u32 = u32::MAX;

type Table = [u32; N_NUMBERS as usize];

impl Refs {
    pub(super) fn get(&mut self, series_ref: u64) -> Option<SeriesId> {
        let place = self.place(series_ref / N_NUMBERS)?;
        let id = self.tables.get(place)?[(series_ref % N_NUMBERS) as usize];
        (id != NONE).then_some(SeriesId(id))
    }

    /// Gives the series that had the number before.
    pub(super) fn insert(&mut self, series_ref: u64, id: SeriesId) -> Option<SeriesId> {
        let upper = series_ref / N_NUMBERS;
        let place = self.place(upper).unwrap_or_else(|| {
            self.tables.push([NONE; N_NUMBERS as usize]);
            let place = self.tables.len() - 1;
            self.places.insert(upper, place);
            place
        });
        let slot = &mut self.tables[place][(series_ref % N_NUMBERS) as usize];
        let before = std::mem::replace(slot, id.0);
        (before != NONE).then_some(SeriesId(before))
    }

    fn place(&mut self, upper: u64) -> Option<usize> {
        match self.at_hand {
            Some((known, place)) if known == upper => Some(place),
            _ => {
                let place = *self.places.get(&upper)?;
                self.at_hand = Some((upper, place));
                Some(place)
            }
        }
    }
}
