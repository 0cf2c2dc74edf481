//! Does a histogram that came from outside make sense?

use super::{CUSTOM_BUCKETS_SCHEMA, FloatHistogram, Histogram, Span, bounds, integer::absolute};

/// What is wrong with a histogram; the words are upstream's.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("{place}: {source}")]
    At { place: &'static str, source: Box<Error> },
    #[error(
        "span number {number} with offset {offset}: histogram has a span whose offset is negative"
    )]
    NegativeOffset { number: usize, offset: i32 },
    #[error(
        "spans need {needed} buckets, have {found} buckets: histogram spans specify different \
         number of buckets than provided"
    )]
    BucketsMismatch { needed: u64, found: usize },
    #[error(
        "have {found} buckets but spans need more: histogram spans specify different number of \
         buckets than provided"
    )]
    TooFewBuckets { found: usize },
    #[error(
        "{what} has observation count of {count}: histogram has a bucket whose observation count \
         is negative"
    )]
    NegativeCount { what: String, count: f64 },
    #[error(
        "{found} observations found in buckets, but the Count field is {count}: histogram's \
         observation count should equal the number of observations found in the buckets (in \
         absence of NaN)"
    )]
    CountMismatch { found: u64, count: u64 },
    #[error(
        "{found} observations found in buckets, but the Count field is {count}: histogram's \
         observation count should be at least the number of observations found in the buckets"
    )]
    CountTooSmall { found: u64, count: u64 },
    #[error(
        "histogram has an invalid schema, which must be between -4 and 8 for exponential buckets, \
         or -53 for custom buckets, got schema {0}"
    )]
    Schema(i32),
    #[error("histogram with exponential schema must not have custom bounds")]
    UnexpectedBounds,
    #[error("must have {0}")]
    MustHave(&'static str),
    #[error("must not have {0}")]
    MustNotHave(&'static str),
    #[error(
        "only {bounds} custom bounds defined which is insufficient to cover total span length of \
         {needed}: histogram custom bounds are too few"
    )]
    TooFewBounds { bounds: usize, needed: i64 },
    #[error(
        "previous bound is {previous:.6} and current is {current:.6}: histogram custom bounds \
         must be in strictly increasing order"
    )]
    BoundsOrder { previous: f64, current: f64 },
    #[error(
        "last +Inf bound must not be explicitly defined: histogram custom bounds must be finite"
    )]
    InfiniteBound,
    #[error("histogram custom bounds must not be NaN")]
    NanBound,
}

/// What both kinds of histograms have.
struct Layout<'a> {
    schema: i32,
    zero_threshold: f64,
    has_zero_count: bool,
    positive: (&'a [Span], usize),
    negative: (&'a [Span], usize),
    bounds: &'a [f64],
}

impl FloatHistogram {
    /// Checks that spans, buckets and bounds fit together and that no count is negative.
    pub fn validate(&self) -> Result<(), Error> {
        let layout = Layout {
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            has_zero_count: self.zero_count != 0.0,
            positive: (&self.positive_spans, self.positive_buckets.len()),
            negative: (&self.negative_spans, self.negative_buckets.len()),
            bounds: &self.custom_values,
        };
        layout.check()?;
        let negative = |what: &str, count| Error::NegativeCount { what: what.to_owned(), count };
        if self.zero_count < 0.0 {
            return Err(negative("zero bucket", self.zero_count));
        }
        check_counts("negative side", self.negative_buckets.iter().copied())?;
        check_counts("positive side", self.positive_buckets.iter().copied())?;
        if self.count < 0.0 {
            return Err(negative("count field", self.count));
        }
        Ok(())
    }
}

impl Histogram {
    /// As [`FloatHistogram::validate`]; besides, the buckets must add up to the count.
    pub fn validate(&self) -> Result<(), Error> {
        let layout = Layout {
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            has_zero_count: self.zero_count != 0,
            positive: (&self.positive_spans, self.positive_buckets.len()),
            negative: (&self.negative_spans, self.negative_buckets.len()),
            bounds: &self.custom_values,
        };
        layout.check()?;
        let floats = |deltas| absolute(deltas).map(|count| count as f64);
        check_counts("negative side", floats(&self.negative_buckets))?;
        check_counts("positive side", floats(&self.positive_buckets))?;
        let found = absolute(&self.negative_buckets)
            .chain(absolute(&self.positive_buckets))
            .fold(self.zero_count, |sum, count| sum.wrapping_add(count as u64));
        // Observations of NaN are counted, but are in no bucket; then the sum is NaN too.
        if self.sum.is_nan() {
            if found > self.count {
                return Err(Error::CountTooSmall { found, count: self.count });
            }
        } else if found != self.count {
            return Err(Error::CountMismatch { found, count: self.count });
        }
        Ok(())
    }
}

impl Layout<'_> {
    fn check(&self) -> Result<(), Error> {
        let at = |place| move |source| Error::At { place, source: Box::new(source) };
        if self.schema == CUSTOM_BUCKETS_SCHEMA {
            return self.check_custom().map_err(at("custom buckets"));
        }
        if !bounds::is_exponential(self.schema) {
            return Err(Error::Schema(self.schema));
        }
        check_spans(self.positive).map_err(at("positive side"))?;
        check_spans(self.negative).map_err(at("negative side"))?;
        if !self.bounds.is_empty() {
            return Err(Error::UnexpectedBounds);
        }
        Ok(())
    }

    fn check_custom(&self) -> Result<(), Error> {
        check_bounds(self.bounds)?;
        let (spans, _) = self.positive;
        if let Some(idx) = spans.iter().position(|span| span.offset < 0) {
            return Err(Error::NegativeOffset { number: idx + 1, offset: spans[idx].offset });
        }
        check_spans(self.positive)?;
        let needed = spans.iter().map(|s| i64::from(s.offset) + i64::from(s.length)).sum();
        if (self.bounds.len() as i64) + 1 < needed {
            return Err(Error::TooFewBounds { bounds: self.bounds.len(), needed });
        }
        if self.has_zero_count {
            return Err(Error::MustHave("zero count of 0"));
        }
        if self.zero_threshold != 0.0 {
            return Err(Error::MustHave("zero threshold of 0"));
        }
        if !self.negative.0.is_empty() {
            return Err(Error::MustNotHave("negative spans"));
        }
        if self.negative.1 > 0 {
            return Err(Error::MustNotHave("negative buckets"));
        }
        Ok(())
    }
}

fn check_bounds(bounds: &[f64]) -> Result<(), Error> {
    for (idx, current) in bounds.iter().enumerate() {
        if current.is_nan() {
            return Err(Error::NanBound);
        }
        if let Some(previous) = idx.checked_sub(1).map(|idx| bounds[idx])
            && *current <= previous
        {
            return Err(Error::BoundsOrder { previous, current: *current });
        }
    }
    if bounds.last() == Some(&f64::INFINITY) {
        return Err(Error::InfiniteBound);
    }
    Ok(())
}

fn check_spans((spans, n_buckets): (&[Span], usize)) -> Result<(), Error> {
    let mut needed = 0;
    for (idx, span) in spans.iter().enumerate() {
        if idx > 0 && span.offset < 0 {
            return Err(Error::NegativeOffset { number: idx + 1, offset: span.offset });
        }
        needed += u64::from(span.length);
    }
    if needed != n_buckets as u64 {
        return Err(Error::BucketsMismatch { needed, found: n_buckets });
    }
    Ok(())
}

fn check_counts(place: &'static str, counts: impl Iterator<Item = f64>) -> Result<(), Error> {
    for (idx, count) in counts.enumerate() {
        if count < 0.0 {
            let what = format!("bucket number {}", idx + 1);
            let source = Box::new(Error::NegativeCount { what, count });
            return Err(Error::At { place, source });
        }
    }
    Ok(())
}
