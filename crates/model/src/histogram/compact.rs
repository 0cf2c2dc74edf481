//! Leaving out empty buckets.

use super::{
    FloatHistogram, Span,
    buckets::{Indexed, pack},
};

impl FloatHistogram {
    /// Leaves out empty buckets, but keeps, or fills in, up to `max_empty` of them between
    /// populated ones, so that there are fewer spans.
    pub fn compact(&mut self, max_empty: u32) {
        compact(&mut self.positive_spans, &mut self.positive_buckets, max_empty);
        compact(&mut self.negative_spans, &mut self.negative_buckets, max_empty);
    }
}

pub(super) fn compact<T: Copy + Default + PartialEq>(
    spans: &mut Vec<Span>,
    counts: &mut Vec<T>,
    max_empty: u32,
) {
    let n_buckets: u64 = spans.iter().map(|span| u64::from(span.length)).sum();
    if n_buckets == 0 {
        spans.clear();
        counts.clear();
        return;
    }
    if n_buckets != counts.len() as u64 || is_compact(spans, counts, max_empty) {
        return;
    }
    let populated = Indexed::new(spans, counts).filter(|(_, count)| *count != T::default());
    let mut kept: Vec<(i32, T)> = Vec::with_capacity(counts.len());
    for (index, count) in populated {
        if let Some((last, _)) = kept.last().copied() {
            let gap = i64::from(index) - i64::from(last) - 1;
            if (1..=i64::from(max_empty)).contains(&gap) {
                kept.extend((last + 1..index).map(|index| (index, T::default())));
            }
        }
        kept.push((index, count));
    }
    (*spans, *counts) = pack(kept);
}

/// Whether there is nothing to do, which is the usual case.
fn is_compact<T: Default + PartialEq>(spans: &[Span], counts: &[T], max_empty: u32) -> bool {
    let has_wide_gap = |span: &Span| i64::from(span.offset) > i64::from(max_empty);
    spans.iter().all(|span| span.length > 0)
        && spans.iter().skip(1).all(has_wide_gap)
        && counts.iter().all(|count| *count != T::default())
}
