//! Coarser buckets.

use super::{
    Error, FloatHistogram, Histogram, Span, bounds,
    buckets::{Indexed, pack},
    integer::{absolute, deltas},
};

impl FloatHistogram {
    /// A copy with buckets as coarse as those of `schema`; the histogram itself where that is not
    /// coarser.
    #[must_use]
    pub fn copy_to_schema(&self, schema: i32) -> FloatHistogram {
        let mut copy = self.clone();
        if schema < self.schema && bounds::is_exponential(schema) {
            let steps = (self.schema - schema).unsigned_abs();
            (copy.positive_spans, copy.positive_buckets) =
                merge(&self.positive_spans, self.positive_buckets.iter().copied(), steps);
            (copy.negative_spans, copy.negative_buckets) =
                merge(&self.negative_spans, self.negative_buckets.iter().copied(), steps);
            copy.schema = schema;
        }
        copy
    }

    /// Makes buckets as coarse as those of `schema`; an error if spans and buckets do not fit
    /// together.
    pub fn reduce_resolution(&mut self, schema: i32) -> Result<(), Error> {
        check(&self.positive_spans, self.positive_buckets.len())?;
        check(&self.negative_spans, self.negative_buckets.len())?;
        *self = self.copy_to_schema(schema);
        Ok(())
    }
}

impl Histogram {
    /// As [`FloatHistogram::reduce_resolution`].
    pub fn reduce_resolution(&mut self, schema: i32) -> Result<(), Error> {
        check(&self.positive_spans, self.positive_buckets.len())?;
        check(&self.negative_spans, self.negative_buckets.len())?;
        if schema >= self.schema || !bounds::is_exponential(schema) {
            return Ok(());
        }
        let steps = (self.schema - schema).unsigned_abs();
        let merge = |spans: &mut Vec<Span>, buckets: &mut Vec<i64>| {
            let (merged, counts) = merge(spans, absolute(buckets), steps);
            *spans = merged;
            *buckets = deltas(&counts);
        };
        merge(&mut self.positive_spans, &mut self.positive_buckets);
        merge(&mut self.negative_spans, &mut self.negative_buckets);
        self.schema = schema;
        Ok(())
    }
}

fn merge<T: Copy + std::ops::AddAssign>(
    spans: &[Span],
    counts: impl Iterator<Item = T>,
    steps: u32,
) -> (Vec<Span>, Vec<T>) {
    let counts: Vec<T> = counts.collect();
    let mut merged: Vec<(i32, T)> = Vec::with_capacity(counts.len());
    for (index, count) in Indexed::new(spans, &counts) {
        let index = bounds::coarser_index(index, steps);
        match merged.last_mut() {
            Some(last) if last.0 == index => last.1 += count,
            _ => merged.push((index, count)),
        }
    }
    pack(merged)
}

/// Whether spans and buckets fit together, in the words of upstream's `ReduceResolution`.
fn check(spans: &[Span], n_buckets: usize) -> Result<(), Error> {
    let mut needed: u64 = 0;
    for (idx, span) in spans.iter().enumerate() {
        if idx > 0 && span.offset < 0 {
            return Err(Error::NegativeOffset { number: idx + 1, offset: span.offset });
        }
        needed += u64::from(span.length);
        if needed > n_buckets as u64 {
            return Err(Error::TooFewBuckets { found: n_buckets });
        }
    }
    if needed < n_buckets as u64 {
        return Err(Error::BucketsMismatch { needed, found: n_buckets });
    }
    Ok(())
}
