//! The chunk that takes samples.

use chunks::{
    Encoding, XorChunk,
    histogram::{FloatHistogramChunk, Header, HistogramChunk, Layout},
};
use model::{
    FloatHistogram,
    float::{STALE, is_stale},
    histogram::{CounterResetHint, Histogram},
};
use storage::HistogramValue;
use wal::record::Logged as _;

use super::expand;

/// Histograms are rare and large: they live elsewhere, so that floats stay small.
pub(super) enum Open {
    Floats(XorChunk),
    Integers(Box<HistogramChunk>),
    FloatHistograms(Box<FloatHistogramChunk>),
}

/// A chunk of histograms that is large enough still takes so many samples.
const HISTOGRAMS_MIN: usize = 10;

/// How a histogram goes into the open chunk.
pub(super) enum Fit {
    As,
    /// Once both have the buckets of both.
    Expanded,
    /// Not: a chunk begins with it.
    New(Header),
}

impl Default for Open {
    fn default() -> Open {
        Open::Floats(XorChunk::default())
    }
}

impl Open {
    /// An empty chunk for histograms such as `value`.
    pub(super) fn histogram(header: Header, value: &HistogramValue) -> Open {
        match value {
            HistogramValue::Integer(histogram) => {
                Open::Integers(Box::new(HistogramChunk::new(header, Layout::of(histogram))))
            }
            HistogramValue::Float(histogram) => {
                let layout = Layout::of_float(histogram);
                Open::FloatHistograms(Box::new(FloatHistogramChunk::new(header, layout)))
            }
        }
    }

    pub(super) fn n_samples(&self) -> usize {
        chunks::n_samples(self.bytes())
    }

    /// Whether there is no sample. Of floats this is known without a look at the bytes, which lie
    /// elsewhere and usually in no cache.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Open::Floats(chunk) => chunk.bytes().is_empty(),
            _ => self.n_samples() == 0,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Open::Floats(chunk) => chunk.bytes(),
            Open::Integers(chunk) => chunk.bytes(),
            Open::FloatHistograms(chunk) => chunk.bytes(),
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        match self {
            Open::Floats(chunk) => chunk.into_bytes(),
            Open::Integers(chunk) => chunk.into_bytes(),
            Open::FloatHistograms(chunk) => chunk.into_bytes(),
        }
    }

    pub(super) fn encoding(&self) -> Encoding {
        match self {
            Open::Floats(_) => Encoding::Xor,
            Open::Integers(_) => Encoding::Histogram,
            Open::FloatHistograms(_) => Encoding::FloatHistogram,
        }
    }

    /// The time of the last sample; 0 if there is none.
    pub(super) fn last_time(&self) -> i64 {
        match self {
            Open::Floats(chunk) => chunk.last_time(),
            Open::Integers(chunk) => chunk.last_time(),
            Open::FloatHistograms(chunk) => chunk.last_time(),
        }
    }

    /// The last sample, if there is one and it is a float.
    pub(super) fn last_float(&self) -> Option<f64> {
        match self {
            Open::Floats(chunk) if chunk.n_samples() > 0 => Some(chunk.last_value()),
            _ => None,
        }
    }

    /// Appends the last sample, if it is a histogram, as the log has it.
    pub(super) fn push_last_histogram(&self, out: &mut Vec<u8>) {
        match self {
            Open::Floats(_) => {}
            Open::Integers(chunk) => chunk.last().push(out),
            Open::FloatHistograms(chunk) => chunk.last().push(out),
        }
    }

    pub(super) fn has_full_bytes(&self) -> bool {
        let n_bytes = self.bytes().len();
        match self {
            Open::Floats(_) => n_bytes > chunks::xor::FULL_BYTES,
            _ => n_bytes >= chunks::histogram::FULL_BYTES && self.n_samples() >= HISTOGRAMS_MIN,
        }
    }

    pub(super) fn takes_floats(&self) -> bool {
        matches!(self, Open::Floats(_))
    }

    /// Appends a float to a chunk that takes them.
    pub(super) fn append(&mut self, time: i64, value: f64) {
        if let Open::Floats(chunk) = self {
            chunk.append(time, value);
        }
    }

    /// Appends a histogram to a chunk that it fits as it is.
    pub(super) fn append_histogram(&mut self, time: i64, value: &HistogramValue) {
        match (self, value) {
            (Open::Integers(chunk), HistogramValue::Integer(histogram)) => {
                chunk.append(time, histogram);
            }
            (Open::FloatHistograms(chunk), HistogramValue::Float(histogram)) => {
                chunk.append(time, histogram);
            }
            _ => debug_assert!(false, "a histogram of another kind than the chunk's"),
        }
    }

    /// Rewrites the chunk with the buckets that it lacks, then appends.
    pub(super) fn expand_and_append(&mut self, time: i64, value: &HistogramValue) {
        match (&mut *self, value) {
            (Open::Integers(chunk), HistogramValue::Integer(histogram)) => {
                **chunk = expand::integers(chunk, time, histogram);
            }
            (Open::FloatHistograms(chunk), HistogramValue::Float(histogram)) => {
                **chunk = expand::floats(chunk, time, histogram);
            }
            _ => debug_assert!(false, "a histogram of another kind than the chunk's"),
        }
    }

    pub(super) fn histogram_marker(&self) -> Option<HistogramValue> {
        let sum = STALE;
        match self {
            Open::Floats(_) => None,
            Open::Integers(_) => Some(Histogram { sum, ..Histogram::default() }.into()),
            Open::FloatHistograms(_) => {
                Some(FloatHistogram { sum, ..FloatHistogram::default() }.into())
            }
        }
    }

    pub(super) fn is_last_float(&self, value: f64) -> bool {
        matches!(self, Open::Floats(chunk) if chunk.last_value().to_bits() == value.to_bits())
    }

    pub(super) fn is_last_histogram(&self, value: &HistogramValue) -> bool {
        let Some(last) = self.last_histogram(value) else { return false };
        is_stale(last.sum) && is_stale(value.sum()) || last.equals(&value.to_float())
    }

    /// Where `value` goes, if the chunk is not full.
    pub(super) fn fit(&self, value: &HistogramValue, is_full: bool) -> Fit {
        let now = value.to_float();
        let is_gauge = now.counter_reset_hint == CounterResetHint::Gauge;
        let first = match now.counter_reset_hint {
            CounterResetHint::Gauge => Header::Gauge,
            CounterResetHint::Reset => Header::Reset,
            _ => Header::Unknown,
        };
        let Some(last) = self.last_histogram(value) else { return Fit::New(first) };
        let was_gauge = chunks::histogram::header(self.bytes()) == Header::Gauge;
        if is_gauge != was_gauge && !is_stale(now.sum) {
            return Fit::New(first);
        }
        if is_stale(now.sum) {
            return if is_full || is_stale(last.sum) { Fit::New(first) } else { Fit::As };
        }
        if is_stale(last.sum) {
            return Fit::New(first);
        }
        if !is_gauge && now.is_reset_after(&last) {
            return Fit::New(Header::Reset);
        }
        if is_full {
            return Fit::New(if is_gauge { Header::Gauge } else { Header::NotReset });
        }
        let has_other_bounds = now.schema != last.schema
            || now.zero_threshold != last.zero_threshold
            || now.custom_values != last.custom_values;
        if has_other_bounds {
            return Fit::New(first);
        }
        let has_same_buckets =
            now.positive_spans == last.positive_spans && now.negative_spans == last.negative_spans;
        if has_same_buckets { Fit::As } else { Fit::Expanded }
    }

    /// The last sample, if there is one and it is of the kind of `value`.
    fn last_histogram(&self, value: &HistogramValue) -> Option<FloatHistogram> {
        match (self, value) {
            (Open::Integers(chunk), HistogramValue::Integer(_)) => Some(chunk.last().to_float()),
            (Open::FloatHistograms(chunk), HistogramValue::Float(_)) => Some(chunk.last()),
            _ => None,
        }
    }
}
