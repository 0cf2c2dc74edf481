use std::path::PathBuf;

use blocks::Intervals;
use chunks::Encoding;
use model::Labels;
use stdx::cursor::{push_sized, push_uvarint, push_varint};
use wal::record;

use super::{EXEMPLARS, PREFIX, SERIES, TOMBSTONES, io, remove_all};
use crate::{
    Result,
    database::Store,
    head::{Series, SeriesId},
    head_chunks::{self, HeadChunk},
};

/// Records are written so many at once.
const BATCH: usize = 1024;

/// What upstream calls the encoding of tombstones without a header.
const TOMBSTONES_VERSION: u8 = 1;

/// Writes the head. Nobody appends any more.
pub(crate) fn write(store: &Store) -> Result<()> {
    let disk = &store.runtime.disk;
    let data = &store.directory;
    let position = store.log.lock().position();
    // Old ones go first: they would be read with the new chunks.
    remove_all(&**disk, data)?;
    let name = format!("{PREFIX}{:06}.{:010}", position.segment, position.offset);
    let path = data.join(&name);
    let temporary = PathBuf::from(format!("{}.tmp", path.display()));
    let mut full = head_chunks::Writer::create(&**disk, data)?;
    let mut log = wal::Writer::open(disk.clone(), &temporary, store.options.log.clone())?;
    let mut records: Vec<Vec<u8>> = Vec::new();
    let mut flush = |records: &mut Vec<Vec<u8>>| {
        let slices: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        let written = log.append(&slices);
        records.clear();
        written
    };
    let index = store.head.index.read();
    for page in store.head.pages() {
        let page = page.lock();
        for series in page.iter().filter(|series| series.n_chunks() > 0) {
            for chunk in series.full_chunks() {
                full.add(&HeadChunk {
                    series_ref: series.log_ref,
                    start: chunk.start,
                    end: chunk.end(),
                    encoding: chunk.encoding,
                    is_late: false,
                    bytes: &chunk.bytes,
                })?;
            }
            let labels = index.pairs(&series.labels);
            records.push(encode_series(series, series.labels.len(), labels));
            if records.len() >= BATCH {
                flush(&mut records)?;
            }
        }
    }
    drop(index);
    full.finish()?;
    records.push(encode_tombstones(store));
    records.extend(encode_exemplars(store));
    flush(&mut records)?;
    log.sync()?;
    drop(log);
    disk.sync_directory(&temporary).map_err(io("sync", &temporary))?;
    disk.rename(&temporary, &path).map_err(io("rename", &temporary))?;
    disk.sync_directory(data).map_err(io("sync", data))?;
    tracing::info!(snapshot = %path.display(), "chunk snapshot written");
    Ok(())
}

fn encode_series<'a>(
    series: &Series,
    n_labels: usize,
    labels: impl Iterator<Item = (&'a str, &'a str)>,
) -> Vec<u8> {
    let mut out = vec![SERIES];
    out.extend_from_slice(&series.log_ref.to_be_bytes());
    push_uvarint(&mut out, n_labels as u64);
    for (name, value) in labels {
        push_sized(&mut out, name.as_bytes());
        push_sized(&mut out, value.as_bytes());
    }
    // The range of chunks stood here once.
    out.extend_from_slice(&0_i64.to_be_bytes());
    let Some(open) = series.open_chunk() else {
        push_uvarint(&mut out, 0);
        return out;
    };
    push_uvarint(&mut out, 1);
    out.extend_from_slice(&open.start.to_be_bytes());
    out.extend_from_slice(&open.end().to_be_bytes());
    out.push(open.encoding.as_byte());
    push_sized(&mut out, &open.bytes);
    match open.encoding {
        Encoding::Xor => {
            // The last four samples; of the first three upstream reads nothing any more.
            out.extend_from_slice(&[0; 3 * 16]);
            out.extend_from_slice(&0_i64.to_be_bytes());
            let last = series.newest_float().map_or(0.0, |(_, value)| value);
            out.extend_from_slice(&last.to_bits().to_be_bytes());
        }
        _ => series.push_last_histogram(&mut out),
    }
    out
}

fn encode_tombstones(store: &Store) -> Vec<u8> {
    let mut content = vec![TOMBSTONES_VERSION];
    store.tombstones.each(|id: SeriesId, intervals: &Intervals| {
        let Some((_, series_ref, _)) = store.head.describe(id) else { return };
        for interval in intervals.iter() {
            push_uvarint(&mut content, series_ref);
            push_varint(&mut content, interval.start);
            push_varint(&mut content, interval.end);
        }
    });
    let mut out = vec![TOMBSTONES];
    push_sized(&mut out, &content);
    out
}

fn encode_exemplars(store: &Store) -> Vec<Vec<u8>> {
    let mut kept = Vec::new();
    store.exemplars.lock().each(|series, exemplar| kept.push((series.clone(), exemplar.clone())));
    let exemplar = |(series, exemplar): (Labels, storage::Exemplar)| {
        let (_, series_ref, _) = store.head.describe(store.head.find(&series)?)?;
        let storage::Exemplar { labels, value, time } = exemplar;
        Some(record::Exemplar { series_ref, time: time.as_millis(), value, labels })
    };
    let exemplars: Vec<record::Exemplar> = kept.into_iter().filter_map(exemplar).collect();
    let encode = |batch: &[record::Exemplar]| {
        let mut out = Vec::new();
        record::encode_exemplars(batch, &mut out);
        if let Some(kind) = out.first_mut() {
            *kind = EXEMPLARS;
        }
        out
    };
    exemplars.chunks(BATCH).map(encode).collect()
}
