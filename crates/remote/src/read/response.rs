//! What is answered, both ways of it.

use std::sync::Arc;

use chunks::Encoding;
use model::{FloatHistogram, Labels};
use stdx::cursor::Cursor;
use storage::{Columns, HistogramValue, PackedChunk};

use super::{
    columns::sort,
    frames::{FrameError, take_frame},
    request::push_label,
};
use crate::{
    histogram,
    labels::RawLabels,
    wire::{Field, Fields, Malformed, Result as WireResult},
    write::Writer,
};

/// A series with its samples.
pub(super) type Series = (Labels, Columns);

/// Why an answer is not understood.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadAnswer {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("{}", String::from_utf8_lossy(.0))]
    Labels(Vec<u8>),
    #[error("invalid chunk: {0}")]
    Chunk(#[from] chunks::Error),
}

/// Writes a series of a sampled answer, field 1 of a result.
pub(super) fn write_series(labels: &Labels, columns: &Columns, out: &mut Writer<'_>) {
    out.message(1, |out| {
        write_labels(labels, out);
        for (time, value) in columns.times.iter().zip(&columns.values) {
            out.message(2, |out| {
                out.double(1, *value);
                out.number(2, *time as u64);
            });
        }
        for (time, value) in columns.histogram_times.iter().zip(&columns.histograms) {
            let value = HistogramValue::Float(Box::new(FloatHistogram::clone(value)));
            out.message(4, |out| histogram::write(&value, *time, out));
        }
    });
}

/// One frame's message: chunks of one series.
pub(super) fn chunked(labels: &Labels, chunks: &[PackedChunk], query_idx: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(chunks.iter().map(|c| c.bytes.len() + 32).sum::<usize>());
    let mut out = Writer(&mut bytes);
    out.message(1, |out| {
        write_labels(labels, out);
        chunks.iter().for_each(|chunk| out.message(2, |out| write_chunk(chunk, out)));
    });
    out.number(2, query_idx as u64);
    bytes
}

fn write_chunk(chunk: &PackedChunk, out: &mut Writer<'_>) {
    out.number(1, chunk.start as u64);
    out.number(2, chunk.end as u64);
    out.number(3, chunk.encoding.as_byte().into());
    out.bytes(4, &chunk.bytes);
}

/// What a chunk takes in a message.
pub(super) fn chunk_len(chunk: &PackedChunk) -> usize {
    let mut bytes = Vec::with_capacity(chunk.bytes.len() + 32);
    write_chunk(chunk, &mut Writer(&mut bytes));
    bytes.len()
}

/// What the labels take in a message, without their own tags.
pub(super) fn labels_len(labels: &Labels) -> usize {
    let text = |text: &str| 1 + varint_len(text.len()) + text.len();
    labels.iter().map(|(name, value)| text(name) + text(value)).sum()
}

fn varint_len(number: usize) -> usize {
    (usize::BITS - (number | 1).leading_zeros()).div_ceil(7) as usize
}

fn write_labels(labels: &Labels, out: &mut Writer<'_>) {
    for (name, value) in labels.iter() {
        out.message(1, |out| {
            out.bytes(1, name.as_bytes());
            out.bytes(2, value.as_bytes());
        });
    }
}

/// Reads a sampled answer with one result.
pub(super) fn read_sampled(bytes: &[u8]) -> Result<Vec<Series>, BadAnswer> {
    let mut all = Vec::new();
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        if field.number != 1 {
            continue;
        }
        let mut result = Fields::new(field.bytes()?);
        while let Some(field) = result.next()? {
            if field.number == 1 {
                all.push(read_series(field.bytes()?)?);
            }
        }
    }
    Ok(all)
}

fn read_series(bytes: &[u8]) -> Result<Series, BadAnswer> {
    let (mut labels, mut columns) = (RawLabels::default(), Columns::default());
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => push_label(&mut labels, field.bytes()?)?,
            2 => read_sample(&field, &mut columns)?,
            4 => {
                let histogram = histogram::read(field.bytes()?)?;
                columns.histogram_times.push(histogram.time);
                columns.histograms.push(Arc::new(histogram.value.to_float()));
            }
            _ => {}
        }
    }
    sort(&mut columns);
    Ok((to_labels(labels)?, columns))
}

fn read_sample(field: &Field<'_>, columns: &mut Columns) -> WireResult<()> {
    let (mut time, mut value) = (0, 0.0);
    let mut fields = Fields::new(field.bytes()?);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => value = field.double()?,
            2 => time = field.number()? as i64,
            _ => {}
        }
    }
    columns.times.push(time);
    columns.values.push(value);
    Ok(())
}

/// Reads a streamed answer; each frame is a series of its own, which may go on in the next.
pub(super) fn read_streamed(stream: &[u8], frame_bytes_max: u64) -> Result<Vec<Series>, BadAnswer> {
    let mut all = Vec::new();
    let mut stream = Cursor::new(stream);
    while let Some(message) = take_frame(&mut stream, frame_bytes_max)? {
        let mut fields = Fields::new(message);
        while let Some(field) = fields.next()? {
            if field.number == 1 {
                all.push(read_chunked_series(field.bytes()?)?);
            }
        }
    }
    Ok(all)
}

fn read_chunked_series(bytes: &[u8]) -> Result<Series, BadAnswer> {
    let (mut labels, mut columns) = (RawLabels::default(), Columns::default());
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => push_label(&mut labels, field.bytes()?)?,
            2 => read_chunk(field.bytes()?, &mut columns)?,
            _ => {}
        }
    }
    sort(&mut columns);
    Ok((to_labels(labels)?, columns))
}

fn read_chunk(bytes: &[u8], columns: &mut Columns) -> Result<(), BadAnswer> {
    let (mut encoding, mut data): (u64, &[u8]) = (0, b"");
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            3 => encoding = field.number()?,
            4 => data = field.bytes()?,
            _ => {}
        }
    }
    let encoding = Encoding::from_byte(u8::try_from(encoding).unwrap_or(u8::MAX))?;
    columns.append_chunk(encoding, data)?;
    Ok(())
}

fn to_labels(labels: RawLabels<'_>) -> Result<Labels, BadAnswer> {
    labels.check().map_err(BadAnswer::Labels)?;
    Ok(labels.to_set())
}
