//! When two histograms are the same.

use super::{FloatHistogram, Histogram, Span, bounds};

impl FloatHistogram {
    /// Whether both say the same, to the last bit; NaNs of the same bits are equal, spans without
    /// buckets make no difference. The hints are not looked at.
    pub fn equals(&self, other: &FloatHistogram) -> bool {
        let same = |a: f64, b: f64| a.to_bits() == b.to_bits();
        let all_same =
            |a: &[f64], b: &[f64]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(*a, *b));
        self.schema == other.schema
            && same(self.count, other.count)
            && same(self.sum, other.sum)
            && (!self.has_custom_buckets()
                || bounds::custom_match(&self.custom_values, &other.custom_values))
            && self.zero_threshold == other.zero_threshold
            && same(self.zero_count, other.zero_count)
            && spans_match(&self.negative_spans, &other.negative_spans)
            && all_same(&self.negative_buckets, &other.negative_buckets)
            && spans_match(&self.positive_spans, &other.positive_spans)
            && all_same(&self.positive_buckets, &other.positive_buckets)
    }
}

impl Histogram {
    /// As [`FloatHistogram::equals`].
    pub fn equals(&self, other: &Histogram) -> bool {
        self.schema == other.schema
            && self.count == other.count
            && self.sum.to_bits() == other.sum.to_bits()
            && (self.schema != super::CUSTOM_BUCKETS_SCHEMA
                || bounds::custom_match(&self.custom_values, &other.custom_values))
            && self.zero_threshold == other.zero_threshold
            && self.zero_count == other.zero_count
            && spans_match(&self.negative_spans, &other.negative_spans)
            && self.negative_buckets == other.negative_buckets
            && spans_match(&self.positive_spans, &other.positive_spans)
            && self.positive_buckets == other.positive_buckets
    }
}

/// Whether both lists stand for the same buckets, apart from spans that hold none.
fn spans_match(a: &[Span], b: &[Span]) -> bool {
    populated(a).eq(populated(b))
}

/// The spans with buckets; the offsets of those without are added to the next one's.
fn populated(spans: &[Span]) -> impl Iterator<Item = (i64, u32)> + '_ {
    let mut offset = 0;
    spans.iter().filter_map(move |span| {
        offset += i64::from(span.offset);
        (span.length > 0).then(|| (std::mem::take(&mut offset), span.length))
    })
}
