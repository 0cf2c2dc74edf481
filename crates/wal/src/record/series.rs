use model::Labels;

use super::{
    Kind,
    cursor::{Cursor, push_labels},
};
use crate::Result;

/// Gives a series the number under which later records speak of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    pub series_ref: u64,
    pub labels: Labels,
}

/// Appends the series of a record to `out`.
pub fn decode_series(record: &[u8], out: &mut Vec<Series>) -> Result<()> {
    let (_, mut cursor) = Cursor::new(record, "series", &[Kind::Series])?;
    while !cursor.is_empty() {
        out.push(Series { series_ref: cursor.u64()?, labels: cursor.labels()? });
    }
    Ok(())
}

/// Appends a record with `series` to `out`.
pub fn encode_series(series: &[Series], out: &mut Vec<u8>) {
    let mut encoder = SeriesEncoder::new(out);
    for series in series {
        encoder.push(series.series_ref, series.labels.len(), series.labels.iter());
    }
}

/// Writes a record of series whose labels are not at hand as [`Labels`].
pub struct SeriesEncoder<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> SeriesEncoder<'a> {
    /// Begins a record behind what `out` holds.
    pub fn new(out: &'a mut Vec<u8>) -> SeriesEncoder<'a> {
        out.push(Kind::Series as u8);
        SeriesEncoder { out }
    }

    /// `labels` are `n_labels` pairs in order.
    pub fn push<'l>(
        &mut self,
        series_ref: u64,
        n_labels: usize,
        labels: impl IntoIterator<Item = (&'l str, &'l str)>,
    ) {
        self.out.extend_from_slice(&series_ref.to_be_bytes());
        push_labels(self.out, n_labels, labels);
    }
}
