//! What a record says: its first byte is its kind, the rest is laid out accordingly.
//!
//! Whole numbers are big-endian, or base-128 varints as Go writes them.

mod cursor;
mod exemplars;
mod histograms;
mod metadata;
mod place;
mod samples;
mod series;
#[cfg(test)]
mod tests;
mod tombstones;

pub use exemplars::{Exemplar, decode_exemplars, encode_exemplars};
pub use histograms::{
    HistogramSample, Logged, decode_histograms, decode_histograms_with_starts, encode_histograms,
    encode_histograms_with_starts,
};
pub use metadata::{SeriesMetadata, decode_metadata, encode_metadata};
pub use samples::{
    Sample, decode_samples, decode_samples_with_starts, encode_samples, encode_samples_with_starts,
};
pub use series::{Series, SeriesEncoder, decode_series, encode_series};
pub use tombstones::{Tombstone, decode_tombstones, encode_tombstones};

/// What a record holds; the numbers are those in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    Series = 1,
    Samples = 2,
    Tombstones = 3,
    Exemplars = 4,
    /// In the log of late samples only.
    MmapMarkers = 5,
    Metadata = 6,
    Histograms = 7,
    FloatHistograms = 8,
    CustomBucketsHistograms = 9,
    CustomBucketsFloatHistograms = 10,
    /// With start timestamps.
    SamplesV2 = 11,
    HistogramsV2 = 12,
    FloatHistogramsV2 = 13,
    /// In checkpoints only.
    MinValidTime = 14,
}

impl Kind {
    /// The kind of a record; `None` if it is of a version that we do not know.
    pub fn of(record: &[u8]) -> Option<Kind> {
        Some(match record.first()? {
            1 => Kind::Series,
            2 => Kind::Samples,
            3 => Kind::Tombstones,
            4 => Kind::Exemplars,
            5 => Kind::MmapMarkers,
            6 => Kind::Metadata,
            7 => Kind::Histograms,
            8 => Kind::FloatHistograms,
            9 => Kind::CustomBucketsHistograms,
            10 => Kind::CustomBucketsFloatHistograms,
            11 => Kind::SamplesV2,
            12 => Kind::HistogramsV2,
            13 => Kind::FloatHistogramsV2,
            14 => Kind::MinValidTime,
            _ => return None,
        })
    }
}
