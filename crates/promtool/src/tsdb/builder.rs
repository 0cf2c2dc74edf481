//! Samples to blocks: each block holds one aligned stretch of time.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    time::Duration,
};

use blocks::{Chunk, Meta, Writer};
use chunks::{Encoding, XorChunk};
use model::{Labels, float};
use runtime::Runtime;
use ulid::Ulid;

const TWO_HOURS: Duration = Duration::from_secs(2 * 3600);
const SAMPLES_PER_CHUNK: usize = 120;

/// The longest block that compaction would make and `max` allows: two hours, or three times that
/// once or up to nine times.
pub(crate) fn block_duration(max: Duration) -> Duration {
    let ranges = std::iter::successors(Some(TWO_HOURS), |range| Some(*range * 3)).take(10);
    ranges.take_while(|range| *range <= max).last().unwrap_or(TWO_HOURS)
}

/// Gathers samples, compressed, for as many blocks as they need.
#[derive(Default)]
pub(super) struct Builder {
    /// By the first millisecond of the stretch; then by the number that series have in `labels`.
    blocks: BTreeMap<i64, HashMap<u32, Run>>,
    labels: Vec<Labels>,
    numbers: HashMap<Labels, u32>,
    duration_ms: i64,
}

/// Samples of one series, in order of time.
#[derive(Default)]
struct Run {
    full: Vec<Chunk<'static>>,
    open: XorChunk,
    open_since: i64,
}

impl Builder {
    /// All in one block if there is no `duration`.
    pub(super) fn new(duration: Option<Duration>) -> Builder {
        let duration_ms = duration.map_or(i64::MAX, |duration| duration.as_millis() as i64);
        Builder { duration_ms, ..Builder::default() }
    }

    /// The number of a series.
    pub(super) fn series(&mut self, labels: Labels) -> u32 {
        *self.numbers.entry(labels).or_insert_with_key(|labels| {
            self.labels.push(labels.clone());
            self.labels.len() as u32 - 1
        })
    }

    /// Adds a sample; within a block those of a series come in order of time.
    pub(super) fn add(&mut self, series: u32, time: i64, value: f64) -> anyhow::Result<()> {
        let start = match self.duration_ms {
            i64::MAX => 0,
            duration => time.div_euclid(duration) * duration,
        };
        let run = self.blocks.entry(start).or_default().entry(series).or_default();
        run.add(time, value)
    }

    /// Writes all blocks below `parent`, and tells `each` of every one.
    pub(super) fn write(
        self,
        runtime: &Runtime,
        parent: &Path,
        mut each: impl FnMut(&Meta) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut order: Vec<u32> = (0..self.labels.len() as u32).collect();
        order.sort_by(|a, b| self.labels[*a as usize].cmp(&self.labels[*b as usize]));
        for mut runs in self.blocks.into_values() {
            let runs: Vec<(&Labels, Run)> = order
                .iter()
                .filter_map(|number| Some((&self.labels[*number as usize], runs.remove(number)?)))
                .collect();
            each(&write_block(runtime, parent, runs)?)?;
        }
        Ok(())
    }
}

impl Run {
    fn add(&mut self, time: i64, value: f64) -> anyhow::Result<()> {
        let is_first = self.open.n_samples() == 0 && self.full.is_empty();
        if !is_first {
            let last = match self.full.last() {
                Some(chunk) if self.open.n_samples() == 0 => chunk.end,
                _ => self.open.last_time(),
            };
            anyhow::ensure!(time >= last, "add sample: out of order sample");
            if time == last {
                let same = self.open.last_value().to_bits() == value.to_bits()
                    || float::is_stale(value) && float::is_stale(self.open.last_value());
                anyhow::ensure!(same, "add sample: duplicate sample for timestamp");
                return Ok(());
            }
        }
        // A full chunk stays open until it is known that the next sample is another one.
        if self.open.n_samples() == SAMPLES_PER_CHUNK {
            self.close();
        }
        if self.open.n_samples() == 0 {
            self.open_since = time;
        }
        self.open.append(time, value);
        Ok(())
    }

    fn close(&mut self) {
        let chunk = std::mem::take(&mut self.open);
        let (start, end) = (self.open_since, chunk.last_time());
        let bytes = chunk.into_bytes().into();
        self.full.push(Chunk { start, end, encoding: Encoding::Xor, bytes });
    }

    fn into_chunks(mut self) -> Vec<Chunk<'static>> {
        if self.open.n_samples() > 0 {
            self.close();
        }
        self.full
    }
}

/// Writes one block of series in order of their labels.
fn write_block(
    runtime: &Runtime,
    parent: &Path,
    runs: Vec<(&Labels, Run)>,
) -> anyhow::Result<Meta> {
    let series: Vec<(&Labels, Vec<Chunk<'static>>)> =
        runs.into_iter().map(|(labels, run)| (labels, run.into_chunks())).collect();
    let chunks = || series.iter().flat_map(|(_, chunks)| chunks);
    let start = chunks().map(|chunk| chunk.start).min().unwrap_or_default();
    let end = chunks().map(|chunk| chunk.end).max().unwrap_or_default();
    let random = u128::from(runtime.random.u64()) << 64 | u128::from(runtime.random.u64());
    let ulid = Ulid::from_parts(runtime.clock.now_millis() as u64, random);
    let meta = Meta::new(ulid, start, end + 1);
    let mut symbols: Vec<&str> = series
        .iter()
        .flat_map(|(labels, _)| labels.iter().flat_map(|(name, value)| [name, value]))
        .collect();
    symbols.sort_unstable();
    symbols.dedup();
    let numbers: HashMap<&str, u32> = symbols.iter().copied().zip(0..).collect();
    runtime.disk.create_directories(parent)?;
    let mut writer = Writer::create(&*runtime.disk, parent, meta, symbols.iter().copied())?;
    for (labels, chunks) in &series {
        let pairs: Vec<(u32, u32)> =
            labels.iter().map(|(name, value)| (numbers[name], numbers[value])).collect();
        writer.add(&pairs, chunks)?;
    }
    Ok(writer.finish()?)
}
