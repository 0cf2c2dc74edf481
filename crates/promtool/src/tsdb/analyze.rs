//! `tsdb analyze`: what is in a block, and what makes it large.

use std::{collections::HashMap, io::Write as _, time::Duration};

use blocks::Block;
use chunks::Encoding;
use model::{METRIC_NAME, Matcher};
use promql_syntax::parse_metric_selector;

use super::folder;
use crate::{Exit, World, arguments::Analyze, time::go_duration};

pub(crate) fn run(world: &mut World, analyze: &Analyze) -> anyhow::Result<Exit> {
    let blocks = folder::open_blocks(&*world.runtime.disk, &analyze.path)?;
    let block = match &analyze.block {
        None => blocks.last().ok_or_else(|| anyhow::anyhow!("no blocks found"))?,
        Some(id) => blocks
            .iter()
            .find(|block| block.meta().ulid.to_string() == *id)
            .ok_or_else(|| anyhow::anyhow!("block {id} not found"))?,
    };
    let matchers = match &analyze.matches {
        Some(selector) => parse_metric_selector(selector)?,
        None => Vec::new(),
    };
    let report = Report::of(block, &matchers, analyze.extended)?;
    print(world, block, &report, analyze)?;
    Ok(Exit::Success)
}

/// What was counted in a block. Names and values go by their numbers among the block's symbols.
#[derive(Default)]
struct Report {
    n_series: u64,
    n_pairs: u64,
    /// How many series have a label with a value, and how much of the block's time they miss.
    pairs: HashMap<(u32, u32), Count>,
    sizes: ChunkSizes,
}

#[derive(Default, Clone, Copy)]
struct Count {
    series: u64,
    uncovered_ms: u64,
}

/// Of float chunks and of histogram chunks.
#[derive(Default)]
struct ChunkSizes {
    float_samples: Vec<usize>,
    float_bytes: Vec<usize>,
    histogram_samples: Vec<usize>,
    histogram_bytes: Vec<usize>,
    histogram_buckets: Vec<usize>,
}

impl Report {
    fn of(block: &Block, matchers: &[Matcher], extended: bool) -> anyhow::Result<Report> {
        let length = (block.meta().max_time - block.meta().min_time).unsigned_abs();
        let mut report = Report::default();
        for series in block.series()? {
            if !matchers.is_empty() {
                let labels = series.labels()?;
                if !matchers.iter().all(|it| it.matches(labels.value(&it.name))) {
                    continue;
                }
            }
            let chunks = series.chunk_metas()?;
            let covered = match (chunks.first(), chunks.last()) {
                (Some(first), Some(last)) => (last.end - first.start).unsigned_abs(),
                _ => 0,
            };
            report.n_series += 1;
            for pair in series.label_symbols()? {
                let count = report.pairs.entry(pair).or_default();
                count.series += 1;
                count.uncovered_ms += length.saturating_sub(covered);
                report.n_pairs += 1;
            }
            if extended {
                report.sizes.add(&series)?;
            }
        }
        Ok(report)
    }

    /// By label name: the counts of all its values, and these values.
    fn by_name(&self) -> HashMap<u32, Vec<(u32, Count)>> {
        let mut names: HashMap<u32, Vec<(u32, Count)>> = HashMap::new();
        for ((name, value), count) in &self.pairs {
            names.entry(*name).or_default().push((*value, *count));
        }
        names
    }
}

impl ChunkSizes {
    fn add(&mut self, series: &blocks::BlockSeries) -> anyhow::Result<()> {
        for chunk in series.chunks()? {
            let (samples, bytes) = (chunk.encoding.n_samples(&chunk.bytes), chunk.bytes.len());
            match chunk.encoding {
                Encoding::Xor | Encoding::Xor2 => {
                    self.float_samples.push(samples);
                    self.float_bytes.push(bytes);
                }
                _ => {
                    self.histogram_samples.push(samples);
                    self.histogram_bytes.push(bytes);
                    let (mut times, mut histograms) = (Vec::new(), Vec::new());
                    chunks::histogram::decode(
                        chunk.encoding,
                        &chunk.bytes,
                        &mut times,
                        &mut histograms,
                    )?;
                    let buckets = histograms
                        .iter()
                        .map(|it| it.positive_buckets.len() + it.negative_buckets.len());
                    self.histogram_buckets.push(buckets.sum());
                }
            }
        }
        Ok(())
    }

    fn to_text(&self) -> String {
        let total = self.float_samples.len() + self.histogram_samples.len();
        let parts = [
            ("samples per float chunk", &self.float_samples),
            ("bytes per float chunk", &self.float_bytes),
            ("samples per histogram chunk", &self.histogram_samples),
            ("bytes per histogram chunk", &self.histogram_bytes),
            ("buckets per histogram chunk", &self.histogram_buckets),
        ];
        parts.map(|(what, values)| distribution(what, values, total)).concat()
    }
}

fn print(
    world: &mut World,
    block: &Block,
    report: &Report,
    analyze: &Analyze,
) -> anyhow::Result<()> {
    let (meta, out) = (block.meta(), &mut world.stdout);
    let length = (meta.max_time - meta.min_time).unsigned_abs();
    let names = report.by_name();
    writeln!(out, "Block ID: {}", meta.ulid)?;
    writeln!(out, "Duration: {}", go_duration(Duration::from_millis(length)))?;
    writeln!(out, "Total Series: {}", meta.stats.num_series)?;
    if let Some(matcher) = &analyze.matches {
        writeln!(out, "Matcher: {matcher}")?;
    }
    writeln!(out, "Label names: {}", names.len())?;
    if analyze.matches.is_some() {
        writeln!(out, "Matched series: {}", report.n_series)?;
    }
    writeln!(out, "Postings (unique label pairs): {}", report.pairs.len())?;
    writeln!(out, "Postings entries (total label pairs): {}", report.n_pairs)?;
    for (title, mut rows) in sections(block, report, &names, length) {
        writeln!(out, "\n{title}:")?;
        rows.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        for (metric, key) in rows.iter().take(analyze.limit) {
            writeln!(out, "{metric} {key}")?;
        }
    }
    if analyze.extended {
        writeln!(out, "\nCompaction analysis:\n")?;
        out.write_all(report.sizes.to_text().as_bytes())?;
    }
    Ok(())
}

/// The lists of a report: a title, and what was counted of what.
fn sections(
    block: &Block,
    report: &Report,
    names: &HashMap<u32, Vec<(u32, Count)>>,
    length: u64,
) -> [(&'static str, Vec<(u64, String)>); 6] {
    let symbols: Vec<&str> = block.symbols().collect();
    let symbol = |number: u32| symbols.get(number as usize).copied().unwrap_or_default();
    let share = |uncovered: u64| (uncovered as f64 / length.max(1) as f64) as u64;
    let pairs = |metric: fn(&Count) -> u64| {
        let pairs = report.pairs.iter().map(move |((name, value), count)| {
            (metric(count), format!("{}={}", symbol(*name), symbol(*value)))
        });
        pairs.collect::<Vec<_>>()
    };
    let churn = |mut rows: Vec<(u64, String)>| {
        rows.iter_mut().for_each(|(uncovered, _)| *uncovered = share(*uncovered));
        rows
    };
    let mut uncovered = Vec::new();
    let mut bytes = Vec::new();
    let mut cardinality = Vec::new();
    let mut metric_names = Vec::new();
    for (name, values) in names {
        let name = symbol(*name);
        let of_values = values.iter().map(|(value, _)| symbol(*value).len() as u64);
        bytes.push((of_values.sum(), name.to_owned()));
        cardinality.push((values.len() as u64, name.to_owned()));
        let missed = values.iter().map(|(_, count)| count.uncovered_ms);
        uncovered.push((missed.sum(), name.to_owned()));
        if name == METRIC_NAME {
            let of_name = |(value, count): &(u32, Count)| (count.series, symbol(*value).to_owned());
            metric_names = values.iter().map(of_name).collect();
        }
    }
    [
        ("Label pairs most involved in churning", churn(pairs(|count| count.uncovered_ms))),
        ("Label names most involved in churning", churn(uncovered)),
        ("Most common label pairs", pairs(|count| count.series)),
        ("Label names with highest cumulative label value length", bytes),
        ("Highest cardinality labels", cardinality),
        ("Highest cardinality metric names", metric_names),
    ]
}

/// How often values are in each of some ten ranges, as bars.
fn distribution(what: &str, values: &[usize], total: usize) -> String {
    let (Some(min), Some(max)) = (values.iter().min(), values.iter().max()) else {
        return String::new();
    };
    let mut step = 10;
    while step < (max - min) / 10 && step <= 10_000 {
        step *= 10;
    }
    let (start, end) = (min - min % step, max - max % step + step);
    let mut counts = vec![0usize; (end - start) / step];
    for value in values {
        counts[(value - start) / step] += 1;
    }
    let average = values.iter().sum::<usize>() / values.len();
    let digits = |number: usize| number.to_string().len();
    let (left, right) = (digits(end), digits(end + step));
    let width = digits(counts.iter().copied().max().unwrap_or_default());
    let mut out = format!("{what} (min/avg/max): {min}/{average}/{max}\n");
    for (idx, count) in counts.iter().enumerate() {
        let from = start + idx * step;
        let bar = "#".repeat(100 * count / total.max(1));
        out.push_str(&format!("[{from:left$}, {:right$}): {count:width$} {bar}\n", from + step));
    }
    out + "\n"
}
