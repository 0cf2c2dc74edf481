use super::cursor::{Cursor, push_varint};
use crate::Result;

/// How a start timestamp is written.
const NO_START: u8 = 0;
const SAME_START: u8 = 1;
/// As any larger number, behind which upstream expects one, too.
const OTHER_START: u8 = 2;

/// Of which series a sample is, when it was, and when its counter began, 0 if that is not known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) series_ref: u64,
    pub(super) time: i64,
    pub(super) start: i64,
}

/// Where the samples of a record with start timestamps belong: the number of the series is a
/// difference from the sample before, time and start are differences from the first.
#[derive(Debug, Default)]
pub(super) struct Places {
    first: Option<Place>,
    before: Place,
}

impl Places {
    pub(super) fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<Place> {
        let place = match self.first {
            None => Place {
                series_ref: cursor.varint()? as u64,
                time: cursor.varint()?,
                start: cursor.varint()?,
            },
            Some(first) => Place {
                series_ref: self.before.series_ref.wrapping_add(cursor.varint()? as u64),
                time: first.time.wrapping_add(cursor.varint()?),
                start: match cursor.byte()? {
                    NO_START => 0,
                    SAME_START => self.before.start,
                    _ => first.start.wrapping_add(cursor.varint()?),
                },
            },
        };
        self.first.get_or_insert(place);
        self.before = place;
        Ok(place)
    }

    pub(super) fn write(&mut self, place: Place, out: &mut Vec<u8>) {
        match self.first {
            None => {
                push_varint(out, place.series_ref as i64);
                push_varint(out, place.time);
                push_varint(out, place.start);
            }
            Some(first) => {
                push_varint(out, place.series_ref.wrapping_sub(self.before.series_ref) as i64);
                push_varint(out, place.time.wrapping_sub(first.time));
                match place.start {
                    0 => out.push(NO_START),
                    start if start == self.before.start => out.push(SAME_START),
                    start => {
                        out.push(OTHER_START);
                        push_varint(out, start.wrapping_sub(first.start));
                    }
                }
            }
        }
        self.first.get_or_insert(place);
        self.before = place;
    }
}
