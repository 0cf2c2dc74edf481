//! A batch of samples as a request.

mod symbols;

use model::{Labels, Metadata, MetricType};

pub(super) use self::symbols::SymbolTable;
use super::{
    batch::{Item, Value},
    series::Sent,
};
use crate::{Message, histogram, metric_type, write::Writer};

/// What a sample takes beside its labels, with its time and its value.
const SAMPLE_BYTES: usize = 24;

/// Writes `items` as a message of that version, not packed.
pub(super) fn request(message: Message, items: &[Item], type_and_unit_labels: bool) -> Vec<u8> {
    match message {
        Message::Version1 => version1(items),
        Message::Version2 => version2(items, type_and_unit_labels),
    }
}

/// Labels as version 1 has them in each series.
pub(super) fn labels(labels: &Labels) -> Box<[u8]> {
    let mut bytes = Vec::with_capacity(labels.as_packed().len() + 4 * labels.len());
    write_labels(labels, &mut Writer(&mut bytes));
    bytes.into()
}

fn write_labels(labels: &Labels, out: &mut Writer<'_>) {
    for (name, value) in labels.iter() {
        out.message(1, |out| {
            out.bytes(1, name.as_bytes());
            out.bytes(2, value.as_bytes());
        });
    }
}

/// One entry a sample, as upstream sends them.
fn version1(items: &[Item]) -> Vec<u8> {
    let n_bytes = items.iter().map(|item| item.series.written.len() + SAMPLE_BYTES).sum();
    let mut bytes = Vec::with_capacity(n_bytes);
    let mut rest = Vec::with_capacity(SAMPLE_BYTES);
    for item in items {
        rest.clear();
        let mut out = Writer(&mut rest);
        write_value(item, 2, 4, &mut out);
        for exemplar in item.exemplars() {
            out.message(3, |out| {
                write_labels(&exemplar.labels, out);
                out.double(2, exemplar.value);
                out.number(3, exemplar.time.as_millis() as u64);
            });
        }
        let labels = &item.series.written;
        Writer(&mut bytes).head(1, labels.len() + rest.len());
        bytes.extend_from_slice(labels);
        bytes.extend_from_slice(&rest);
    }
    bytes
}

fn version2(items: &[Item], type_and_unit_labels: bool) -> Vec<u8> {
    let mut symbols = SymbolTable::default();
    let mut series = Vec::with_capacity(items.len() * 64);
    let mut out = Writer(&mut series);
    let mut refs = Vec::new();
    for item in items {
        symbols.add_all(&item.series.labels, &mut refs);
        let (kind, help, unit) = describe(&item.series, type_and_unit_labels);
        let (help, unit) = (symbols.add(help), symbols.add(unit));
        out.message(5, |out| {
            write_refs(&refs, out);
            write_value(item, 2, 3, out);
            for exemplar in item.exemplars() {
                symbols.add_all(&exemplar.labels, &mut refs);
                out.message(4, |out| {
                    write_refs(&refs, out);
                    out.double(2, exemplar.value);
                    out.number(3, exemplar.time.as_millis() as u64);
                });
            }
            out.message(5, |out| {
                out.number(1, metric_type::number(kind));
                out.number(3, help.into());
                out.number(4, unit.into());
            });
        });
    }
    let mut bytes = Vec::with_capacity(series.len() + symbols.n_bytes());
    let mut out = Writer(&mut bytes);
    symbols.texts().for_each(|text| out.bytes_always(4, text.as_bytes()));
    bytes.append(&mut series);
    bytes
}

fn write_refs(refs: &[u32], out: &mut Writer<'_>) {
    out.packed_numbers(1, refs.iter().map(|symbol| u64::from(*symbol)));
}

fn write_value(item: &Item, sample_field: u32, histogram_field: u32, out: &mut Writer<'_>) {
    match &item.value {
        Value::Float(value) => out.message(sample_field, |out| {
            out.double(1, *value);
            out.number(2, item.time as u64);
        }),
        Value::Histogram(value) => {
            out.message(histogram_field, |out| histogram::write(value, item.time, out));
        }
    }
}

/// What is known of a series: type, help, unit.
pub(super) type Described<'a> = (MetricType, &'a str, &'a str);

/// Labels that say type and unit win.
pub(super) fn describe(series: &Sent, type_and_unit_labels: bool) -> Described<'_> {
    let known = series.metadata.as_ref();
    let help = known.map_or("", |metadata| &metadata.help);
    if type_and_unit_labels {
        let kind = metric_type::parse(series.labels.value("__type__"));
        return (kind, help, series.labels.value("__unit__"));
    }
    (known.map_or(MetricType::Unknown, |m| m.kind), help, known.map_or("", |m| &m.unit))
}

/// Metadata of metric families, as version 1 sends it.
pub(super) fn metadata_request(families: &[(String, Metadata)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(families.len() * 128);
    let mut out = Writer(&mut bytes);
    for (name, metadata) in families {
        out.message(3, |out| {
            out.number(1, metric_type::number(metadata.kind));
            out.bytes(2, name.as_bytes());
            out.bytes(4, metadata.help.as_bytes());
            out.bytes(5, metadata.unit.as_bytes());
        });
    }
    bytes
}
