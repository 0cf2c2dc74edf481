//! Series as they travel.

use chunks::Encoding;
use model::Labels;
use prost::bytes::Bytes;
use proto::thanos;
use storage::{Columns, Mark, PackedChunk};

/// A header with which members of our own cluster say, in request and answer, that series are to
/// come as they are stored: no external labels on them, and none to be taken off.
pub const RAW: &str = "vesta-raw";

/// The packed form of labels has three bytes for the length of a text.
const TEXT_BYTES_MAX: usize = (1 << 24) - 1;

/// Why what came cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub String);

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

pub fn labels(labels: &Labels) -> Vec<thanos::Label> {
    let label = |(name, value): (&str, &str)| thanos::Label {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    labels.iter().map(label).collect()
}

/// Labels in any order; of equal names the last one stays.
pub fn read_labels(labels: &[thanos::Label]) -> Result<Labels, Malformed> {
    if labels.iter().any(|label| label.name.len().max(label.value.len()) > TEXT_BYTES_MAX) {
        return Err(Malformed("a label is longer than 16 MiB".to_owned()));
    }
    let pair = |label: &'_ thanos::Label| !label.value.is_empty() && !label.name.is_empty();
    let is_sorted = labels.is_sorted_by(|a, b| a.name < b.name);
    if is_sorted && labels.iter().all(pair) {
        let pairs = labels.iter().map(|label| (label.name.as_str(), label.value.as_str()));
        return Ok(Labels::from_sorted(pairs));
    }
    let mut kept: Vec<&thanos::Label> = labels.iter().filter(|label| pair(label)).collect();
    // Last ones first among equals: those stay.
    kept.reverse();
    kept.sort_by(|a, b| a.name.cmp(&b.name));
    kept.dedup_by(|a, b| a.name == b.name);
    Ok(Labels::from_sorted(kept.iter().map(|label| (label.name.as_str(), label.value.as_str()))))
}

/// A chunk that has been read once, so that it can be read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    encoding: Encoding,
    /// Of the first and the last sample.
    pub start: i64,
    pub end: i64,
    bytes: Bytes,
}

impl Chunk {
    pub fn n_bytes(&self) -> usize {
        self.bytes.len()
    }

    pub fn n_samples(&self) -> usize {
        chunks::n_samples(&self.bytes)
    }

    /// Appends the samples.
    pub fn read(&self, columns: &mut Columns) -> chunks::Result<()> {
        columns.append_chunk(self.encoding, &self.bytes)
    }
}

/// Packs columns as chunks of raw samples.
pub fn chunks(columns: &Columns) -> Vec<thanos::AggrChunk> {
    storage::pack(columns).into_iter().map(chunk).collect()
}

fn chunk(packed: PackedChunk) -> thanos::AggrChunk {
    let encoding = match packed.encoding {
        Encoding::Histogram => thanos::chunk::Encoding::Histogram,
        Encoding::FloatHistogram => thanos::chunk::Encoding::FloatHistogram,
        _ => thanos::chunk::Encoding::Xor,
    };
    thanos::AggrChunk {
        min_time: packed.start,
        max_time: packed.end,
        raw: Some(thanos::Chunk { r#type: encoding.into(), data: packed.bytes.into(), hash: 0 }),
        ..thanos::AggrChunk::default()
    }
}

/// A chunk of raw samples, checked to the last one; nothing if it holds none. `scratch` is room
/// that is used.
pub fn read_chunk(
    chunk: thanos::AggrChunk,
    scratch: &mut Columns,
) -> Result<Option<Chunk>, Malformed> {
    let Some(raw) = chunk.raw else { return Ok(None) };
    scratch.clear();
    let encoding = append(&raw, scratch)?;
    let times = if encoding == Encoding::Xor { &scratch.times } else { &scratch.histogram_times };
    let (Some(start), Some(end)) = (times.first(), times.last()) else { return Ok(None) };
    Ok(Some(Chunk { encoding, start: *start, end: *end, bytes: raw.data }))
}

/// Appends the samples of the chunks of one series, which begin at `begin`.
pub fn append_chunks(
    chunks: &[thanos::AggrChunk],
    begin: Mark,
    columns: &mut Columns,
) -> Result<(), Malformed> {
    for raw in chunks.iter().filter_map(|chunk| chunk.raw.as_ref()) {
        let split = columns.mark();
        append(raw, columns)?;
        columns.merge_replicas(begin, split);
    }
    Ok(())
}

/// Appends the samples of a chunk, which are in order.
fn append(raw: &thanos::Chunk, columns: &mut Columns) -> Result<Encoding, Malformed> {
    let encoding = match thanos::chunk::Encoding::try_from(raw.r#type) {
        Ok(thanos::chunk::Encoding::Xor) => Encoding::Xor,
        Ok(thanos::chunk::Encoding::Histogram) => Encoding::Histogram,
        Ok(thanos::chunk::Encoding::FloatHistogram) => Encoding::FloatHistogram,
        Err(_) => return Err(Malformed(format!("chunk of unknown encoding {}", raw.r#type))),
    };
    let (n_floats, n_histograms) = (columns.times.len(), columns.histogram_times.len());
    columns
        .append_chunk(encoding, &raw.data)
        .map_err(|error| Malformed(format!("read chunk: {error}")))?;
    let in_order = |times: &[i64]| times.is_sorted_by(|a, b| a < b);
    let floats = columns.times.get(n_floats..).unwrap_or_default();
    let histograms = columns.histogram_times.get(n_histograms..).unwrap_or_default();
    if !in_order(floats) || !in_order(histograms) {
        return Err(Malformed("the samples of a chunk are not in order".to_owned()));
    }
    Ok(encoding)
}
