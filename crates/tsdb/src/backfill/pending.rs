use std::collections::{BTreeMap, BTreeSet};

use blocks::{Chunk, Meta, Writer};
use hashbrown::HashMap;
use model::Labels;
use storage::Columns;

use crate::{FloatEncoding, Result, compact, database::Store, retention::ClassId};

/// Samples that are to become blocks: by the start of the block, then by series.
pub(super) struct Pending {
    range_ms: i64,
    float_encoding: FloatEncoding,
    blocks: BTreeMap<i64, Contents>,
    bytes: usize,
}

type Contents = BTreeMap<Labels, Vec<Chunk<'static>>>;

/// What a series takes in memory beside its chunks and the text of its labels.
const SERIES_BYTES: usize = 128;

impl Pending {
    pub(super) fn new(range_ms: i64, float_encoding: FloatEncoding) -> Pending {
        Pending { range_ms, float_encoding, blocks: BTreeMap::new(), bytes: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn add(&mut self, labels: Labels, samples: &Columns) {
        let (mut floats, mut histograms) = (0, 0);
        let range_ms = self.range_ms;
        let start_of = |time: &i64| time.div_euclid(range_ms).saturating_mul(range_ms);
        loop {
            let next = [samples.times.get(floats), samples.histogram_times.get(histograms)];
            let Some(start) = next.into_iter().flatten().map(start_of).min() else { return };
            let is_within = |time: &i64| start_of(time) <= start;
            let floats_end = floats + samples.times[floats..].partition_point(is_within);
            let histograms_end =
                histograms + samples.histogram_times[histograms..].partition_point(is_within);
            let part = Columns {
                times: samples.times[floats..floats_end].to_vec(),
                values: samples.values[floats..floats_end].to_vec(),
                histogram_times: samples.histogram_times[histograms..histograms_end].to_vec(),
                histograms: samples.histograms[histograms..histograms_end].to_vec(),
                ..Columns::default()
            };
            self.insert(start, &labels, compact::encode(&part, self.float_encoding));
            (floats, histograms) = (floats_end, histograms_end);
        }
    }

    fn insert(&mut self, start: i64, labels: &Labels, chunks: Vec<Chunk<'static>>) {
        self.bytes += chunks.iter().map(|chunk| chunk.bytes.len()).sum::<usize>();
        let series = self.blocks.entry(start).or_default();
        if !series.contains_key(labels) {
            let text: usize = labels.iter().map(|(name, value)| name.len() + value.len()).sum();
            self.bytes += SERIES_BYTES + text;
        }
        series.entry(labels.clone()).or_default().extend(chunks);
    }

    /// Writes the blocks and shows them to readers; says how many there are.
    pub(super) fn write(&mut self, store: &Store) -> Result<u64> {
        let classes = store.classes();
        let mut n_blocks = 0;
        while let Some((start, contents)) = self.blocks.pop_first() {
            let end = start.saturating_add(self.range_ms);
            let mut by_class: BTreeMap<ClassId, Contents> = BTreeMap::new();
            for (labels, chunks) in contents {
                let class = classes.of_labels(&labels);
                by_class.entry(class).or_default().insert(labels, chunks);
            }
            for (class, contents) in by_class {
                let mut meta = classes.mark(Meta::new(compact::new_ulid(store), start, end), class);
                if end > store.head.min_valid_time() {
                    meta = meta.from_out_of_order();
                }
                let meta = write_block(store, meta, contents)?;
                compact::open_new(store, &meta)?;
                let (block, series) = (meta.ulid, meta.stats.num_series);
                tracing::info!(%block, start, end, series, "write block of samples from elsewhere");
                n_blocks += 1;
            }
        }
        self.bytes = 0;
        Ok(n_blocks)
    }
}

fn write_block(store: &Store, meta: Meta, contents: Contents) -> Result<Meta> {
    let symbols: BTreeSet<&str> =
        contents.keys().flat_map(Labels::iter).flat_map(|(name, value)| [name, value]).collect();
    let numbers: HashMap<&str, u32> =
        symbols.iter().enumerate().map(|(number, text)| (*text, number as u32)).collect();
    let number = |text: &str| numbers.get(text).copied().unwrap_or(u32::MAX);
    let numbered = |labels: &Labels| -> Vec<(u32, u32)> {
        labels.iter().map(|(name, value)| (number(name), number(value))).collect()
    };
    let mut series: Vec<_> =
        contents.iter().map(|(labels, chunks)| (numbered(labels), chunks)).collect();
    series.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let disk = &*store.runtime.disk;
    let mut writer = Writer::create(disk, &store.directory, meta, symbols.iter().copied())?;
    for (labels, chunks) in series {
        let added =
            compact::join(chunks.clone()).and_then(|chunks| Ok(writer.add(&labels, &chunks)?));
        if let Err(error) = added {
            writer.abort()?;
            return Err(error);
        }
    }
    Ok(writer.finish()?)
}
