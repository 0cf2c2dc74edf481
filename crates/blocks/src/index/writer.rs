use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use runtime::{Disk, disk::File};
use stdx::cursor::{Cursor, push_sized, push_uvarint, push_varint};

use super::{FILE, MAGIC, SERIES_ALIGN, SeriesEntry, symbols::Symbols};
use crate::{ChunkMeta, Error, Result, checksum};

/// Written at once, so that a series costs no system call.
const BUFFER_BYTES: usize = 1 << 18;

/// Postings are collected in rounds of about so many entries, each of which reads all series, so
/// that memory has a bound.
const POSTINGS_MAX: usize = 8 << 20;

/// Where the symbols are: behind magic and version.
const SYMBOLS_BEGIN: u64 = 5;

/// Writes an index from front to back.
pub(crate) struct IndexWriter<'a> {
    disk: &'a dyn Disk,
    path: PathBuf,
    file: Box<dyn File>,
    /// Of the file, what is buffered included.
    len: u64,
    buffer: Vec<u8>,
    n_symbols: u32,
    series_begin: u64,
    n_series: usize,
    /// Labels of the last series.
    last: Vec<(u32, u32)>,
    /// How many series have a label, by numbers of its name and value.
    counts: HashMap<(u32, u32), u32>,
}

impl<'a> IndexWriter<'a> {
    /// `symbols` are sorted; names and values of series go by their numbers among them.
    pub(crate) fn create<'s>(
        disk: &'a dyn Disk,
        block: &Path,
        symbols: impl Iterator<Item = &'s str>,
    ) -> Result<IndexWriter<'a>> {
        let path = block.join(FILE);
        let file = disk.create(&path).map_err(Error::io("create", &path))?;
        let mut writer = IndexWriter {
            disk,
            path,
            file,
            len: 0,
            buffer: Vec::with_capacity(BUFFER_BYTES),
            n_symbols: 0,
            series_begin: 0,
            n_series: 0,
            last: Vec::new(),
            counts: HashMap::new(),
        };
        writer.write_symbols(symbols)?;
        Ok(writer)
    }

    /// Adds a series; they come in order of their labels, which is that of the numbers.
    pub(crate) fn add(&mut self, labels: &[(u32, u32)], chunks: &[ChunkMeta]) -> Result<()> {
        let is_out_of_order = self.n_series > 0 && labels <= &self.last[..]
            || labels.windows(2).any(|pair| pair[0].0 >= pair[1].0);
        if is_out_of_order {
            return Err(self.wrong_order(format!("series {} is out of order", self.n_series)));
        }
        self.pad(SERIES_ALIGN)?;
        if u32::try_from(self.len / SERIES_ALIGN).is_err() {
            return Err(self.wrong_order("index exceeds 64 GiB".to_owned()));
        }
        let mut content = Vec::with_capacity(128);
        push_uvarint(&mut content, labels.len() as u64);
        for pair in labels {
            if pair.0.max(pair.1) >= self.n_symbols {
                return Err(self.wrong_order(format!("series {} has no text", self.n_series)));
            }
            push_uvarint(&mut content, u64::from(pair.0));
            push_uvarint(&mut content, u64::from(pair.1));
            *self.counts.entry(*pair).or_default() += 1;
        }
        push_chunks(&mut content, chunks);
        let before = self.buffer.len();
        push_sized(&mut self.buffer, &content);
        self.buffer.extend_from_slice(&checksum::crc32c(&content).to_be_bytes());
        self.len += (self.buffer.len() - before) as u64;
        self.n_series += 1;
        self.last.clear();
        self.last.extend_from_slice(labels);
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    pub(crate) fn finish(mut self) -> Result<()> {
        let end_of_series = self.len;
        self.flush()?;
        let postings_begin = self.len.next_multiple_of(4);
        let map = self.disk.map(&self.path).map_err(Error::io("map", &self.path))?;
        let series = map.get(..end_of_series as usize).unwrap_or_default();
        let offsets = self.write_postings(series)?;
        let offsets_begin = self.write_offsets(&offsets, series)?;
        // Upstream's readers do not look at the two parts that are missing.
        let toc = [SYMBOLS_BEGIN, self.series_begin, 0, 0, postings_begin, offsets_begin];
        let toc: Vec<u8> = toc.iter().flat_map(|place| place.to_be_bytes()).collect();
        let checksum = checksum::crc32c(&toc);
        self.push(&toc)?;
        self.push(&checksum.to_be_bytes())?;
        self.flush()?;
        self.file.sync().map_err(Error::io("sync", self.path.clone()))
    }

    fn write_symbols<'s>(&mut self, symbols: impl Iterator<Item = &'s str>) -> Result<()> {
        let mut texts = Vec::new();
        let mut last: Option<&str> = None;
        for symbol in symbols {
            if last.is_some_and(|last| last >= symbol) {
                return Err(self.wrong_order(format!("symbol {symbol:?} is out of order")));
            }
            last = Some(symbol);
            push_sized(&mut texts, symbol.as_bytes());
            self.n_symbols += 1;
        }
        self.push(&MAGIC)?;
        self.push(&[2])?;
        let mut content = self.n_symbols.to_be_bytes().to_vec();
        content.append(&mut texts);
        self.push_section(&content)?;
        self.pad(SERIES_ALIGN)?;
        self.series_begin = self.len;
        Ok(())
    }

    /// Writes the lists, sorted by name and value; gives where each begins.
    fn write_postings(&mut self, series: &[u8]) -> Result<Vec<(u32, u32, u64)>> {
        let mut counts: Vec<((u32, u32), u32)> = self.counts.drain().collect();
        counts.sort_unstable();
        let mut offsets = Vec::with_capacity(counts.len() + 1);
        let all = series_ids(series, self.series_begin, self.n_series).map(|(id, _)| id);
        let all: Vec<u32> = all.collect();
        let all_place = self.push_postings(&all)?;
        let all_symbol = u32::MAX;
        offsets.push((all_symbol, all_symbol, all_place));
        drop(all);
        let mut rest = &counts[..];
        while !rest.is_empty() {
            let n_pairs = round(rest);
            let (pairs, later) = rest.split_at(n_pairs);
            rest = later;
            for (pair, ids) in collect(pairs, series, self.series_begin, self.n_series) {
                let place = self.push_postings(&ids)?;
                offsets.push((pair.0, pair.1, place));
            }
        }
        Ok(offsets)
    }

    fn push_postings(&mut self, ids: &[u32]) -> Result<u64> {
        self.pad(4)?;
        let place = self.len;
        let mut content = Vec::with_capacity(4 + 4 * ids.len());
        content.extend_from_slice(&(ids.len() as u32).to_be_bytes());
        for id in ids {
            content.extend_from_slice(&id.to_be_bytes());
        }
        self.push_section(&content)?;
        Ok(place)
    }

    fn write_offsets(&mut self, offsets: &[(u32, u32, u64)], series: &[u8]) -> Result<u64> {
        let symbols = Symbols::read(series, SYMBOLS_BEGIN);
        let symbols =
            symbols.map_err(|(_, detail)| self.wrong_order(format!("symbols: {detail}")))?;
        let texts: Vec<&str> = symbols.iter(series).collect();
        let mut content = (offsets.len() as u32).to_be_bytes().to_vec();
        for (name, value, place) in offsets {
            let text = |number: u32| texts.get(number as usize).copied().unwrap_or_default();
            content.push(2);
            push_sized(&mut content, text(*name).as_bytes());
            push_sized(&mut content, text(*value).as_bytes());
            push_uvarint(&mut content, *place);
        }
        let begin = self.len;
        self.push_section(&content)?;
        Ok(begin)
    }

    fn wrong_order(&self, detail: String) -> Error {
        Error::Order { path: self.path.clone(), detail }
    }

    fn push_section(&mut self, content: &[u8]) -> Result<()> {
        let len = u32::try_from(content.len());
        let len = len.map_err(|_| self.wrong_order("a section exceeds 4 GiB".to_owned()))?;
        self.push(&len.to_be_bytes())?;
        self.push(content)?;
        self.push(&checksum::crc32c(content).to_be_bytes())
    }

    fn pad(&mut self, align: u64) -> Result<()> {
        let missing = self.len.next_multiple_of(align) - self.len;
        self.push(&[0; SERIES_ALIGN as usize][..missing as usize])
    }

    fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(bytes);
        self.len += bytes.len() as u64;
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write_all(&self.buffer).map_err(Error::io("write", &self.path))?;
        self.buffer.clear();
        Ok(())
    }
}

fn push_chunks(content: &mut Vec<u8>, chunks: &[ChunkMeta]) {
    push_uvarint(content, chunks.len() as u64);
    let mut last: Option<&ChunkMeta> = None;
    for chunk in chunks {
        match last {
            None => push_varint(content, chunk.start),
            Some(last) => push_uvarint(content, chunk.start.wrapping_sub(last.end) as u64),
        }
        push_uvarint(content, chunk.end.wrapping_sub(chunk.start) as u64);
        match last {
            None => push_uvarint(content, chunk.reference),
            Some(last) => {
                push_varint(content, chunk.reference.wrapping_sub(last.reference) as i64);
            }
        }
        last = Some(chunk);
    }
}

/// How many of the pairs one round takes.
fn round(counts: &[((u32, u32), u32)]) -> usize {
    let mut total = 0;
    let fits = |(_, count): &&((u32, u32), u32)| {
        total += *count as usize;
        total <= POSTINGS_MAX
    };
    counts.iter().take_while(fits).count().max(1)
}

/// The series that were written, with their numbers.
fn series_ids(
    series: &[u8],
    begin: u64,
    n_series: usize,
) -> impl Iterator<Item = (u32, SeriesEntry<'_>)> {
    let mut at = begin;
    (0..n_series).map_while(move |_| {
        let id = (at / SERIES_ALIGN) as u32;
        let entry = SeriesEntry::read(series, at).ok()?;
        let mut cursor = Cursor::new(series.get(at as usize..)?);
        let before = cursor.rest().len();
        cursor.sized()?;
        let len = before - cursor.rest().len() + checksum::BYTES;
        at = (at + len as u64).next_multiple_of(SERIES_ALIGN);
        Some((id, entry))
    })
}

/// The lists of `pairs`, which are sorted and follow each other.
fn collect(
    pairs: &[((u32, u32), u32)],
    series: &[u8],
    begin: u64,
    n_series: usize,
) -> impl Iterator<Item = ((u32, u32), Vec<u32>)> {
    let mut lists: Vec<((u32, u32), Vec<u32>)> =
        pairs.iter().map(|(pair, count)| (*pair, Vec::with_capacity(*count as usize))).collect();
    let places: HashMap<(u32, u32), usize> =
        pairs.iter().enumerate().map(|(idx, (pair, _))| (*pair, idx)).collect();
    for (id, entry) in series_ids(series, begin, n_series) {
        for pair in entry.labels() {
            if let Some(idx) = places.get(&pair) {
                lists[*idx].1.push(id);
            }
        }
    }
    lists.into_iter()
}
