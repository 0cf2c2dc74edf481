//! The file `index`: from labels to series, from series to chunks.
//!
//! Stays on disk, mapped: in memory are only the places of every eighth symbol and of every 32nd
//! value of a label.

mod postings;
mod series;
mod symbols;
mod writer;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use runtime::{Disk, disk::Map};
use stdx::cursor::Cursor;
use storage::label_index::LabelIndex;

pub(crate) use postings::BigEndian;
pub(crate) use series::SeriesEntry;
pub(crate) use writer::IndexWriter;

use self::symbols::Symbols;
use crate::{Error, Result, checksum};

pub(crate) const FILE: &str = "index";
const MAGIC: [u8; 4] = [0xba, 0xaa, 0xd7, 0x00];

/// Six places of eight bytes, and the checksum.
const TOC_BYTES: usize = 6 * 8 + checksum::BYTES;

/// Series begin at multiples of this; so their places fit 32 bits.
const SERIES_ALIGN: u64 = 16;

/// Of the values of a label one in so many is found by bisection, the others by walking.
const VALUE_STRIDE: usize = 32;

/// Says what is wrong, and where.
pub(crate) type At<T> = Result<T, (u64, &'static str)>;

pub(crate) struct Index {
    path: PathBuf,
    map: Map,
    /// In version 1 references are places in the file, and values are in no order.
    is_version_1: bool,
    symbols: Symbols,
    names: BTreeMap<Box<str>, Values>,
    /// Where the list of all series is.
    all: Option<u64>,
}

/// Where the entries of one label are, in the table of offsets: all of them, sorted by value
/// (version 1), or the first, every 32nd and so on of a sorted run.
#[derive(Default)]
struct Values {
    places: Vec<u32>,
    n_values: usize,
}

/// An entry of the table of offsets.
#[derive(Clone, Copy)]
struct Entry<'a> {
    name: &'a str,
    value: &'a str,
    postings: u64,
}

impl Index {
    pub(crate) fn open(disk: &dyn Disk, block: &Path) -> Result<Index> {
        let path = block.join(FILE);
        let map = disk.map(&path).map_err(Error::io("map", &path))?;
        match Index::read(map, path.clone()) {
            Ok(index) => Ok(index),
            Err((offset, detail)) => {
                Err(Error::Corrupt { path, offset, detail: detail.to_owned() })
            }
        }
    }

    fn read(map: Map, path: PathBuf) -> At<Index> {
        let is_version_1 = match (map.get(..4) == Some(&MAGIC), map.get(4)) {
            (true, Some(1)) => true,
            (true, Some(2)) => false,
            (true, _) => return Err((4, "unknown version of the index")),
            (false, _) => return Err((0, "it is no index")),
        };
        let toc = toc(&map)?;
        let symbols = Symbols::read(&map, toc[0])?;
        let (names, all) = read_offsets(&map, toc[5], is_version_1)?;
        Ok(Index { path, map, is_version_1, symbols, names, all })
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.map.len() as u64
    }

    /// The texts of all names and values, in order.
    pub(crate) fn symbols(&self) -> impl Iterator<Item = &str> {
        self.symbols.iter(&self.map)
    }

    pub(crate) fn series(&self, id: u32) -> Result<SeriesEntry<'_>> {
        let align = if self.is_version_1 { 1 } else { SERIES_ALIGN };
        self.locate(SeriesEntry::read(&self.map, u64::from(id) * align))
    }

    /// The text of a symbol that a series refers to.
    pub(crate) fn symbol(&self, reference: u32) -> Result<&str> {
        self.locate(match self.is_version_1 {
            true => symbols::text_at(&self.map, reference as usize),
            false => self.symbols.get(&self.map, reference),
        })
    }

    /// The number, among all symbols, of one that a series refers to.
    pub(crate) fn symbol_number(&self, reference: u32) -> Result<u32> {
        self.locate(match self.is_version_1 {
            true => self.symbols.number_of(&self.map, reference),
            false => Ok(reference),
        })
    }

    fn locate<T>(&self, outcome: At<T>) -> Result<T> {
        outcome.map_err(|(offset, detail)| Error::Corrupt {
            path: self.path.clone(),
            offset,
            detail: detail.to_owned(),
        })
    }

    fn postings(&self, place: u64) -> Result<BigEndian<'_>> {
        self.locate(BigEndian::read(&self.map, place))
    }

    fn entry(&self, place: usize) -> Result<(Entry<'_>, usize)> {
        self.locate(read_entry(&self.map, place))
    }

    fn find(&self, values: &Values, value: &str) -> Result<Option<u64>> {
        // The entry with `value` is at or behind the last place whose value is not larger.
        let (mut low, mut high) = (0, values.places.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let (entry, _) = self.entry(values.places[middle] as usize)?;
            if entry.value <= value {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let Some(slot) = low.checked_sub(1) else { return Ok(None) };
        let mut place = values.places[slot] as usize;
        let n_walked = if self.is_version_1 { 1 } else { VALUE_STRIDE };
        for _ in 0..n_walked.min(values.n_values - slot * n_walked) {
            let (entry, next) = self.entry(place)?;
            if entry.value >= value {
                return Ok((entry.value == value).then_some(entry.postings));
            }
            place = next;
        }
        Ok(None)
    }
}

impl LabelIndex for Index {
    type Id = u32;
    type List<'a> = BigEndian<'a>;

    fn all(&self) -> storage::Result<BigEndian<'_>> {
        match self.all {
            Some(place) => Ok(self.postings(place)?),
            None => Ok(BigEndian::default()),
        }
    }

    fn series_with(&self, name: &str, value: &str) -> storage::Result<Option<BigEndian<'_>>> {
        let Some(values) = self.names.get(name) else { return Ok(None) };
        let Some(place) = self.find(values, value)? else { return Ok(None) };
        Ok(Some(self.postings(place)?))
    }

    fn each_value<'a>(
        &'a self,
        name: &str,
        visit: &mut dyn FnMut(&str, BigEndian<'a>),
    ) -> storage::Result<()> {
        let Some(values) = self.names.get(name) else { return Ok(()) };
        if self.is_version_1 {
            for place in &values.places {
                let (entry, _) = self.entry(*place as usize)?;
                visit(entry.value, self.postings(entry.postings)?);
            }
            return Ok(());
        }
        let mut place = values.places.first().map_or(0, |place| *place as usize);
        for _ in 0..values.n_values {
            let (entry, next) = self.entry(place)?;
            visit(entry.value, self.postings(entry.postings)?);
            place = next;
        }
        Ok(())
    }

    fn names(&self) -> Vec<&str> {
        self.names.keys().map(|name| &**name).collect()
    }
}

/// Where the parts are; zero for one that is not there.
fn toc(map: &[u8]) -> At<[u64; 6]> {
    let begin = map.len().checked_sub(TOC_BYTES).ok_or((0, "index is cut off"))?;
    let offset = begin as u64;
    let content = map.get(begin..).and_then(checksum::verified);
    let mut cursor = Cursor::new(content.ok_or((offset, "checksum mismatch"))?);
    let mut places = [0; 6];
    for place in &mut places {
        *place = cursor.u64().ok_or((offset, "table of contents is cut off"))?;
    }
    Ok(places)
}

/// The content of a part: behind four bytes of length, before its checksum.
fn section(map: &[u8], place: u64) -> At<&[u8]> {
    let begin = usize::try_from(place).map_err(|_| (place, "place is out of range"))?;
    let mut cursor = Cursor::new(map.get(begin..).ok_or((place, "place is out of range"))?);
    let len = cursor.u32().ok_or((place, "section is cut off"))? as usize;
    let content = cursor.bytes(len.saturating_add(checksum::BYTES));
    let content = content.ok_or((place, "section is cut off"))?;
    checksum::verified(content).ok_or((place, "checksum mismatch"))
}

type Offsets = (BTreeMap<Box<str>, Values>, Option<u64>);

fn read_offsets(map: &[u8], place: u64, is_version_1: bool) -> At<Offsets> {
    let mut names: BTreeMap<Box<str>, Values> = BTreeMap::new();
    let mut all = None;
    if place == 0 {
        return Ok((names, all));
    }
    let content = section(map, place)?;
    let begin = place as usize + 4;
    let end = begin + content.len();
    let n_entries = Cursor::new(content).u32().ok_or((place, "table of offsets is cut off"))?;
    let mut at = begin + 4;
    let mut last: Option<(&str, &mut Values)> = None;
    for _ in 0..n_entries {
        let (entry, next) = read_entry(&map[..end], at)?;
        let here = u32::try_from(at).map_err(|_| (at as u64, "index is too large"))?;
        if entry.name.is_empty() {
            all = Some(entry.postings);
        } else {
            let values = match last.take() {
                Some((name, values)) if name == entry.name => values,
                _ => names.entry(entry.name.into()).or_default(),
            };
            if is_version_1 || values.n_values % VALUE_STRIDE == 0 {
                values.places.push(here);
            }
            values.n_values += 1;
            last = Some((entry.name, values));
        }
        at = next;
    }
    for values in names.values_mut() {
        if is_version_1 {
            values.places.sort_by_key(|place| {
                read_entry(map, *place as usize).map_or("", |(entry, _)| entry.value)
            });
        }
        values.places.shrink_to_fit();
    }
    Ok((names, all))
}

/// The entry at `place`, and where the next one is.
fn read_entry(map: &[u8], place: usize) -> At<(Entry<'_>, usize)> {
    let offset = place as u64;
    let mut cursor = Cursor::new(map.get(place..).ok_or((offset, "place is out of range"))?);
    let before = cursor.rest().len();
    let cut_off = (offset, "entry of the table of offsets is cut off");
    if cursor.uvarint() != Some(2) {
        return Err((offset, "entry of the table of offsets has no name and value"));
    }
    let mut text = || std::str::from_utf8(cursor.sized()?).ok();
    let name = text().ok_or(cut_off)?;
    let value = text().ok_or(cut_off)?;
    let postings = cursor.uvarint().ok_or(cut_off)?;
    Ok((Entry { name, value, postings }, place + before - cursor.rest().len()))
}
