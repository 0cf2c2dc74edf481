//! Going through the buckets of a histogram.

use super::{CUSTOM_BUCKETS_SCHEMA, FloatHistogram, Span, bounds};

/// One bucket: how many observations lie between two bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    pub lower: f64,
    pub upper: f64,
    pub lower_inclusive: bool,
    pub upper_inclusive: bool,
    pub count: f64,
    /// Within its sign; 0 for the zero bucket.
    pub index: i32,
}

impl FloatHistogram {
    /// The buckets above zero, ascending; of a custom histogram all of them.
    pub fn positive(&self) -> impl DoubleEndedIterator<Item = Bucket> + Clone + '_ {
        let indexed = Indexed::new(&self.positive_spans, &self.positive_buckets);
        indexed.map(|(index, count)| self.positive_bucket(index, count))
    }

    /// The buckets below zero, from zero downwards.
    pub fn negative(&self) -> impl DoubleEndedIterator<Item = Bucket> + Clone + '_ {
        let indexed = Indexed::new(&self.negative_spans, &self.negative_buckets);
        indexed.map(|(index, count)| mirrored(self.positive_bucket(index, count)))
    }

    /// All buckets, ascending, the zero bucket among them if it is populated. Buckets that reach
    /// into the zero bucket are cut where it ends.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = Bucket> + Clone + '_ {
        let threshold = self.zero_threshold;
        let zero = (self.zero_count > 0.0).then_some(Bucket {
            lower: -threshold,
            upper: threshold,
            lower_inclusive: true,
            upper_inclusive: true,
            count: self.zero_count,
            index: 0,
        });
        let below = self.negative().rev().map(move |bucket| Bucket {
            upper: if bucket.upper < 0.0 { bucket.upper.min(-threshold) } else { bucket.upper },
            ..bucket
        });
        let above = self.positive().map(move |bucket| Bucket {
            lower: if bucket.lower > 0.0 { bucket.lower.max(threshold) } else { bucket.lower },
            ..bucket
        });
        below.chain(zero).chain(above)
    }

    /// The buckets above zero with the counts of all lower ones added, gaps filled.
    pub fn cumulative(&self) -> impl Iterator<Item = Bucket> + '_ {
        let mut populated = self.positive().peekable();
        let mut index = populated.peek().map_or(0, |first| first.index);
        let mut count = 0.0;
        std::iter::from_fn(move || {
            populated.peek()?;
            if let Some(bucket) = populated.next_if(|bucket| bucket.index <= index) {
                count += bucket.count;
            }
            let bucket = self.up_to(index, count);
            index = index.saturating_add(1);
            Some(bucket)
        })
    }

    fn up_to(&self, index: i32, count: f64) -> Bucket {
        Bucket {
            lower: f64::NEG_INFINITY,
            upper: bounds::upper(index, self.schema, &self.custom_values),
            lower_inclusive: true,
            upper_inclusive: true,
            count,
            index,
        }
    }

    fn positive_bucket(&self, index: i32, count: f64) -> Bucket {
        let upper = |index| bounds::upper(index, self.schema, &self.custom_values);
        let lowest = self.schema == CUSTOM_BUCKETS_SCHEMA && index == 0;
        Bucket {
            lower: upper(index.saturating_sub(1)),
            upper: upper(index),
            lower_inclusive: lowest,
            upper_inclusive: true,
            count,
            index,
        }
    }
}

fn mirrored(bucket: Bucket) -> Bucket {
    Bucket {
        lower: -bucket.upper,
        upper: -bucket.lower,
        lower_inclusive: true,
        upper_inclusive: false,
        ..bucket
    }
}

/// Counts with the indexes that their spans give them, from either end.
#[derive(Debug, Clone)]
pub(super) struct Indexed<'a, T> {
    /// Neither begun from the front nor from the back.
    spans: &'a [Span],
    counts: &'a [T],
    front: Run,
    back: Run,
    /// The offset of the span that `back` is in.
    back_offset: i32,
}

/// What is left of a span.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    /// The next index, seen from the front; one past it, seen from the back.
    at: i64,
    left: u32,
}

impl<'a, T: Copy> Indexed<'a, T> {
    pub(super) fn new(spans: &'a [Span], counts: &'a [T]) -> Indexed<'a, T> {
        let mut indexed = Indexed {
            spans: &[],
            counts,
            front: Run::default(),
            back: Run::default(),
            back_offset: 0,
        };
        let mut missing = counts.len();
        for (idx, span) in spans.iter().enumerate() {
            if missing == 0 {
                break;
            }
            let left = span.length.min(u32::try_from(missing).unwrap_or(u32::MAX));
            missing -= left as usize;
            // The last span that has counts is where the back begins, maybe not at its end.
            let at = indexed.back.at + i64::from(span.offset) + i64::from(left);
            indexed.back = Run { at, left };
            indexed.back_offset = span.offset;
            indexed.spans = &spans[..idx];
        }
        indexed.counts = &counts[..counts.len() - missing];
        indexed
    }

    /// Moves to the next span from the front; `false` at the end.
    fn enter_from_front(&mut self) -> bool {
        if let Some((span, rest)) = self.spans.split_first() {
            self.spans = rest;
            self.front = Run { at: self.front.at + i64::from(span.offset), left: span.length };
            return true;
        }
        // The two ends meet in one span.
        let left = std::mem::take(&mut self.back.left);
        self.front = Run { at: self.back.at - i64::from(left), left };
        left > 0
    }

    fn enter_from_back(&mut self) -> bool {
        if let Some((span, rest)) = self.spans.split_last() {
            self.spans = rest;
            self.back.at -= i64::from(std::mem::replace(&mut self.back_offset, span.offset));
            self.back.left = span.length;
            return true;
        }
        let left = std::mem::take(&mut self.front.left);
        self.back = Run { at: self.front.at + i64::from(left), left };
        left > 0
    }
}

impl<T: Copy> Iterator for Indexed<'_, T> {
    type Item = (i32, T);

    fn next(&mut self) -> Option<(i32, T)> {
        let (count, rest) = self.counts.split_first()?;
        while self.front.left == 0 {
            if !self.enter_from_front() {
                return None;
            }
        }
        self.counts = rest;
        let index = self.front.at;
        self.front.at += 1;
        self.front.left -= 1;
        Some((clamp(index), *count))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.counts.len()))
    }
}

impl<T: Copy> DoubleEndedIterator for Indexed<'_, T> {
    fn next_back(&mut self) -> Option<(i32, T)> {
        let (count, rest) = self.counts.split_last()?;
        while self.back.left == 0 {
            if !self.enter_from_back() {
                return None;
            }
        }
        self.counts = rest;
        self.back.at -= 1;
        self.back.left -= 1;
        Some((clamp(self.back.at), *count))
    }
}

fn clamp(index: i64) -> i32 {
    index.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// Spans and counts of buckets that are given in order of their indexes.
pub(super) fn pack<T>(buckets: impl IntoIterator<Item = (i32, T)>) -> (Vec<Span>, Vec<T>) {
    let buckets = buckets.into_iter();
    let mut spans: Vec<Span> = Vec::new();
    let mut counts = Vec::with_capacity(buckets.size_hint().0);
    let mut next = 0;
    for (index, count) in buckets {
        match spans.last_mut() {
            Some(span) if index == next => span.length += 1,
            _ => spans.push(Span { offset: index.saturating_sub(next), length: 1 }),
        }
        counts.push(count);
        next = index.saturating_add(1);
    }
    (spans, counts)
}
