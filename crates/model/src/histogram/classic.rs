//! Between classic histograms (series with an `le` label) and ones with custom bounds.

use super::{CUSTOM_BUCKETS_SCHEMA, FloatHistogram, Histogram, Span, bounds, integer::deltas};
use crate::{Labels, LabelsBuilder, METRIC_NAME};

/// Why buckets make no histogram; the words are upstream's.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ClassicError {
    #[error("bucket boundary must not be NaN")]
    NanBound,
    #[error("count must be non-negative")]
    NegativeCount,
    #[error("count is not cumulative: {current} < {previous}")]
    NotCumulative { previous: f64, current: f64 },
    #[error("metric name is missing")]
    NoName,
    #[error("unsupported histogram schema {0}")]
    Schema(i32),
    #[error("{buckets} buckets for {needed} that the spans need")]
    BucketsMismatch { buckets: usize, needed: usize },
}

/// Collects the series of one classic histogram at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClassicBuckets {
    /// Upper bounds and cumulative counts, sorted by bound.
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: f64,
}

/// A classic histogram in native form; integer if all its counts are.
#[derive(Debug, Clone, PartialEq)]
pub enum Converted {
    Integer(Histogram),
    Float(FloatHistogram),
}

impl Converted {
    pub fn into_float(self) -> FloatHistogram {
        match self {
            Converted::Integer(histogram) => histogram.to_float(),
            Converted::Float(histogram) => histogram,
        }
    }
}

impl ClassicBuckets {
    /// Sets the cumulative count of the bucket that ends at `bound`; the first one stays.
    pub fn set_bucket(&mut self, bound: f64, count: f64) -> Result<(), ClassicError> {
        if bound.is_nan() {
            return Err(ClassicError::NanBound);
        }
        if count < 0.0 {
            return Err(ClassicError::NegativeCount);
        }
        let at = self.buckets.partition_point(|bucket| bucket.0 < bound);
        if self.buckets.get(at).is_none_or(|bucket| bucket.0 != bound) {
            let (previous, next) =
                (at.checked_sub(1).map(|at| self.buckets[at]), self.buckets.get(at));
            let falls = |previous: f64, current: f64| {
                let falls = current < previous;
                falls.then_some(ClassicError::NotCumulative { previous, current })
            };
            let wrong = previous
                .and_then(|previous| falls(previous.1, count))
                .or_else(|| next.and_then(|next| falls(count, next.1)));
            if let Some(error) = wrong {
                return Err(error);
            }
            self.buckets.insert(at, (bound, count));
        }
        Ok(())
    }

    pub fn set_count(&mut self, count: f64) -> Result<(), ClassicError> {
        if count < 0.0 {
            return Err(ClassicError::NegativeCount);
        }
        self.count = Some(count);
        Ok(())
    }

    pub fn set_sum(&mut self, sum: f64) {
        self.sum = sum;
    }

    /// The histogram with custom bounds, compact.
    pub fn convert(mut self) -> Result<Converted, ClassicError> {
        let last = self.buckets.last().copied();
        let count = self.count.or(last.map(|last| last.1)).unwrap_or_default();
        match last {
            Some((_, last)) if last > count => {
                return Err(ClassicError::NotCumulative { previous: last, current: count });
            }
            Some((bound, last)) if bound != f64::INFINITY && last != count => {
                self.buckets.push((f64::INFINITY, count));
            }
            None if count > 0.0 => self.buckets.push((f64::INFINITY, count)),
            _ => {}
        }
        let finite = self.buckets.iter().map(|bucket| bucket.0).filter(|b| *b != f64::INFINITY);
        let mut float = FloatHistogram {
            schema: CUSTOM_BUCKETS_SCHEMA,
            count,
            sum: self.sum,
            custom_values: finite.collect(),
            ..FloatHistogram::default()
        };
        let mut below = 0.0;
        let added = |(_, upto): &(f64, f64)| upto - std::mem::replace(&mut below, *upto);
        float.positive_buckets = self.buckets.iter().map(added).collect();
        let length = u32::try_from(self.buckets.len()).unwrap_or(u32::MAX);
        float.positive_spans = vec![Span { offset: 0, length }];
        float.compact(2);
        let is_whole = |value: &f64| value.fract() == 0.0 && *value < u64::MAX as f64;
        let all_whole = is_whole(&count) && self.buckets.iter().all(|bucket| is_whole(&bucket.1));
        Ok(if all_whole { Converted::Integer(integer(float)) } else { Converted::Float(float) })
    }
}

fn integer(float: FloatHistogram) -> Histogram {
    let counts: Vec<i64> = float.positive_buckets.iter().map(|count| *count as i64).collect();
    Histogram {
        schema: float.schema,
        count: float.count as u64,
        sum: float.sum,
        positive_spans: float.positive_spans,
        positive_buckets: deltas(&counts),
        custom_values: float.custom_values,
        ..Histogram::default()
    }
}

/// The classic series that say what a histogram with custom bounds says: buckets, count, sum.
pub fn custom_to_classic(
    labels: &Labels,
    histogram: &FloatHistogram,
) -> Result<Vec<(Labels, f64)>, ClassicError> {
    if !histogram.has_custom_buckets() {
        return Err(ClassicError::Schema(histogram.schema));
    }
    let name = labels.metric_name();
    if name.is_empty() {
        return Err(ClassicError::NoName);
    }
    let needed = histogram.positive_spans.iter().map(|span| span.length as usize).sum();
    let buckets = histogram.positive_buckets.len();
    if needed != buckets {
        return Err(ClassicError::BucketsMismatch { buckets, needed });
    }
    let mut builder = LabelsBuilder::new(labels);
    let mut series = Vec::with_capacity(histogram.custom_values.len() + 3);
    builder.set(METRIC_NAME, &format!("{name}_bucket"));
    let mut populated = histogram.positive().peekable();
    let mut count = 0.0;
    for (index, bound) in histogram.custom_values.iter().enumerate() {
        while let Some(bucket) = populated.next_if(|bucket| bucket.index as usize <= index) {
            count += bucket.count;
        }
        builder.set("le", &bounds::le_text(*bound));
        series.push((builder.build(), count));
    }
    builder.set("le", "+Inf");
    series.push((builder.build(), histogram.count));
    builder.remove("le");
    builder.set(METRIC_NAME, &format!("{name}_count"));
    series.push((builder.build(), histogram.count));
    builder.set(METRIC_NAME, &format!("{name}_sum"));
    series.push((builder.build(), histogram.sum));
    Ok(series)
}
