//! Several blocks become one, or one is rewritten without what was deleted in it.

use std::{iter::Peekable, path::Path};

use blocks::{Block, BlockSeries, Chunk, Interval, Meta, Writer};
use runtime::Disk;
use ulid::Ulid;

use super::rewrite::{reencode, without};
use crate::Result;

/// Says which series are to be in a block.
type IsWanted<'a> = &'a dyn Fn(&BlockSeries) -> Result<bool>;

/// Writes what `sources` hold as one block; `None` if nothing is left.
pub(crate) fn merge(
    disk: &dyn Disk,
    directory: &Path,
    ulid: Ulid,
    sources: &[Block],
) -> Result<Option<Meta>> {
    let metas: Vec<_> = sources.iter().map(Block::meta).collect();
    let meta = Meta::merged(ulid, &metas.iter().map(|meta| &**meta).collect::<Vec<_>>());
    write(disk, directory, meta, sources, &|_| Ok(true))
}

/// Writes the block of `meta` with those series of `sources` that are wanted.
pub(super) fn write(
    disk: &dyn Disk,
    directory: &Path,
    meta: Meta,
    sources: &[Block],
    is_wanted: IsWanted<'_>,
) -> Result<Option<Meta>> {
    let outside = outside(&meta);
    let used = used_symbols(sources, is_wanted)?;
    let mut numbers: Vec<Vec<u32>> = vec![Vec::new(); sources.len()];
    let symbols = sources.iter().map(|block| block.symbols().peekable()).collect();
    let symbols = MergedSymbols { sources: symbols, used, numbers: &mut numbers, n_symbols: 0 };
    let mut writer = Writer::create(disk, directory, meta, symbols)?;
    match add_all(&mut writer, sources, &numbers, &outside, is_wanted) {
        Ok(0) => {
            writer.abort()?;
            Ok(None)
        }
        Ok(_) => Ok(Some(writer.finish()?)),
        Err(error) => {
            writer.abort()?;
            Err(error)
        }
    }
}

/// Of each source, which of its symbols the series need that are wanted.
fn used_symbols(sources: &[Block], is_wanted: IsWanted<'_>) -> Result<Vec<Vec<bool>>> {
    let mut used = Vec::with_capacity(sources.len());
    for block in sources {
        let mut of_block = vec![false; block.symbols().count()];
        for series in block.series()? {
            if !is_wanted(&series)? {
                continue;
            }
            for number in
                series.label_symbols()?.into_iter().flat_map(|(name, value)| [name, value])
            {
                if let Some(is_used) = of_block.get_mut(number as usize) {
                    *is_used = true;
                }
            }
        }
        used.push(of_block);
    }
    Ok(used)
}

/// The symbols of all sources that are used, each once, in order; notes the new number of each old
/// one.
struct MergedSymbols<'a, 'n, I: Iterator<Item = &'a str>> {
    sources: Vec<Peekable<I>>,
    used: Vec<Vec<bool>>,
    numbers: &'n mut [Vec<u32>],
    n_symbols: u32,
}

impl<'a, I: Iterator<Item = &'a str>> Iterator for MergedSymbols<'a, '_, I> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let next = self.sources.iter_mut().filter_map(|source| source.peek().copied()).min()?;
            let mut is_used = false;
            let sources = self.sources.iter_mut().zip(&mut *self.numbers).zip(&self.used);
            for ((source, numbers), used) in sources {
                if source.next_if_eq(&next).is_some() {
                    is_used |= used.get(numbers.len()).copied().unwrap_or_default();
                    // Of those that are not used nobody asks for the number.
                    numbers.push(self.n_symbols);
                }
            }
            if is_used {
                self.n_symbols += 1;
                return Some(next);
            }
        }
    }
}

/// The series that comes next in a source, with its labels as numbers of the new block.
struct Next {
    labels: Vec<(u32, u32)>,
    series: BlockSeries,
}

/// What a block must not hold, although its sources may.
pub(super) fn outside(meta: &Meta) -> [Interval; 2] {
    let before = Interval { start: i64::MIN, end: meta.min_time.saturating_sub(1) };
    [before, Interval { start: meta.max_time, end: i64::MAX }]
}

/// Adds each series of the sources once; says how many have samples.
fn add_all(
    writer: &mut Writer<'_>,
    sources: &[Block],
    numbers: &[Vec<u32>],
    outside: &[Interval],
    is_wanted: IsWanted<'_>,
) -> Result<u64> {
    let mut streams = Vec::with_capacity(sources.len());
    for block in sources {
        streams.push(block.series()?);
    }
    let mut heads = Vec::with_capacity(sources.len());
    for (stream, numbers) in streams.iter_mut().zip(numbers) {
        heads.push(advance(stream, numbers, is_wanted)?);
    }
    let mut n_series = 0;
    while let Some(labels) = heads.iter().flatten().map(|next| &next.labels).min().cloned() {
        let mut parts = Vec::new();
        for (idx, head) in heads.iter_mut().enumerate() {
            if head.as_ref().is_some_and(|next| next.labels == labels) {
                let next = advance(&mut streams[idx], &numbers[idx], is_wanted)?;
                parts.extend(std::mem::replace(head, next).map(|next| next.series));
            }
        }
        let mut chunks = Vec::new();
        for part in &parts {
            let mut deleted = part.deleted().unwrap_or_default();
            outside.iter().for_each(|interval| deleted.add(*interval));
            for chunk in part.chunks()? {
                chunks.extend(without(chunk, &deleted)?);
            }
        }
        let chunks = join(chunks)?;
        if !chunks.is_empty() {
            writer.add(&labels, &chunks)?;
            n_series += 1;
        }
    }
    Ok(n_series)
}

fn advance(
    stream: &mut impl Iterator<Item = BlockSeries>,
    numbers: &[u32],
    is_wanted: IsWanted<'_>,
) -> Result<Option<Next>> {
    let series = loop {
        let Some(series) = stream.next() else { return Ok(None) };
        if is_wanted(&series)? {
            break series;
        }
    };
    let number = |old: u32| numbers.get(old as usize).copied().unwrap_or(u32::MAX);
    let labels = series.label_symbols()?;
    let labels = labels.into_iter().map(|(name, value)| (number(name), number(value))).collect();
    Ok(Some(Next { labels, series }))
}

/// Chunks of one series in order of time, none overlapping another.
pub(crate) fn join(mut chunks: Vec<Chunk<'_>>) -> Result<Vec<Chunk<'_>>> {
    chunks.sort_by_key(|chunk| (chunk.start, chunk.end));
    chunks.dedup();
    if chunks.windows(2).all(|pair| pair[0].end < pair[1].start) {
        return Ok(chunks);
    }
    let mut joined = Vec::with_capacity(chunks.len());
    let mut chunks = chunks.into_iter().peekable();
    while let Some(first) = chunks.next() {
        let mut end = first.end;
        let mut run = vec![first];
        while let Some(next) = chunks.next_if(|next| next.start <= end) {
            end = end.max(next.end);
            run.push(next);
        }
        match run.len() {
            1 => joined.append(&mut run),
            _ => joined.extend(reencode(&run)?),
        }
    }
    Ok(joined)
}
