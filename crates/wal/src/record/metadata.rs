use model::{Metadata, MetricType};

use super::{
    Kind,
    cursor::{Cursor, push_text, push_uvarint},
};
use crate::Result;

/// What a target says of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesMetadata {
    pub series_ref: u64,
    pub metadata: Metadata,
}

const UNIT: &str = "UNIT";
const HELP: &str = "HELP";

/// Where a kind of metric stands in this table is its number.
const METRIC_TYPES: [MetricType; 8] = [
    MetricType::Unknown,
    MetricType::Counter,
    MetricType::Gauge,
    MetricType::Histogram,
    MetricType::GaugeHistogram,
    MetricType::Summary,
    MetricType::Info,
    MetricType::StateSet,
];

/// Appends the metadata of a record to `out`.
pub fn decode_metadata(record: &[u8], out: &mut Vec<SeriesMetadata>) -> Result<()> {
    let (_, mut cursor) = Cursor::new(record, "metadata", &[Kind::Metadata])?;
    while !cursor.is_empty() {
        let series_ref = cursor.uvarint()?;
        let kind = METRIC_TYPES.get(usize::from(cursor.byte()?)).copied().unwrap_or_default();
        let mut metadata = Metadata { kind, ..Metadata::default() };
        for _ in 0..cursor.uvarint()? {
            let (name, value) = (cursor.text()?, cursor.text()?);
            match name.as_ref() {
                UNIT => metadata.unit = value.into_owned(),
                HELP => metadata.help = value.into_owned(),
                _ => {} // Of a later version.
            }
        }
        out.push(SeriesMetadata { series_ref, metadata });
    }
    Ok(())
}

/// Appends a record with `metadata` to `out`.
pub fn encode_metadata(metadata: &[SeriesMetadata], out: &mut Vec<u8>) {
    out.push(Kind::Metadata as u8);
    for SeriesMetadata { series_ref, metadata } in metadata {
        push_uvarint(out, *series_ref);
        let number = METRIC_TYPES.iter().position(|kind| *kind == metadata.kind);
        out.push(number.unwrap_or_default() as u8);
        push_uvarint(out, 2);
        for (name, value) in [(UNIT, &metadata.unit), (HELP, &metadata.help)] {
            push_text(out, name);
            push_text(out, value);
        }
    }
}
