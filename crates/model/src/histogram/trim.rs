//! Cutting off the observations above or below a value.

use super::{FloatHistogram, bounds, buckets::Indexed};

impl FloatHistogram {
    /// Keeps the observations up to `cutoff`; in the bucket that holds it, an interpolated share.
    pub fn trim_above(&mut self, cutoff: f64) {
        self.trim(Cut { at: cutoff, keeps_below: true });
    }

    /// Keeps the observations from `cutoff` on; in the bucket that holds it, an interpolated
    /// share.
    pub fn trim_below(&mut self, cutoff: f64) {
        self.trim(Cut { at: cutoff, keeps_below: false });
    }

    fn trim(&mut self, cut: Cut) {
        let is_linear = self.has_custom_buckets();
        let upper = |index| bounds::upper(index, self.schema, &self.custom_values);
        let mut left = Left::default();
        let (zero_lower, zero_upper) = self.zero_range();
        let zero_count = left.keep(cut, zero_lower, zero_upper, self.zero_count, true);
        let positive: Vec<f64> = Indexed::new(&self.positive_spans, &self.positive_buckets)
            .map(|(index, count)| {
                left.keep(cut, upper(index.saturating_sub(1)), upper(index), count, is_linear)
            })
            .collect();
        let negative: Vec<f64> = Indexed::new(&self.negative_spans, &self.negative_buckets)
            .map(|(index, count)| {
                left.keep(cut, -upper(index), -upper(index.saturating_sub(1)), count, is_linear)
            })
            .collect();
        if !left.is_less {
            return;
        }
        self.zero_count = zero_count;
        self.positive_buckets = positive;
        self.negative_buckets = negative;
        self.count = left.count;
        self.sum = left.sum;
        self.compact(0);
    }

    /// Where the observations of the zero bucket are assumed to be: on one side of zero if there
    /// are no others on the other side.
    pub fn zero_range(&self) -> (f64, f64) {
        let has_positive = !self.positive_buckets.is_empty();
        let has_negative = !self.negative_buckets.is_empty();
        let lower = if has_positive && !has_negative { 0.0 } else { -self.zero_threshold };
        let upper = if has_negative && !has_positive { 0.0 } else { self.zero_threshold };
        (lower, upper)
    }
}

#[derive(Clone, Copy)]
struct Cut {
    at: f64,
    keeps_below: bool,
}

/// What is left of a histogram. Its sum can only be estimated: as if the observations of a bucket
/// were all in its middle.
#[derive(Default)]
struct Left {
    count: f64,
    sum: f64,
    is_less: bool,
}

impl Left {
    fn keep(&mut self, cut: Cut, lower: f64, upper: f64, count: f64, is_linear: bool) -> f64 {
        if count == 0.0 {
            return count;
        }
        let (share, middle) = cut.share(lower, upper, is_linear);
        let kept = if share == 1.0 { count } else { count * share };
        self.is_less |= kept != count;
        self.count += kept;
        if kept != 0.0 {
            self.sum += kept * middle;
        }
        kept
    }
}

impl Cut {
    /// Which share of a bucket is left, and its middle.
    fn share(self, lower: f64, upper: f64, is_linear: bool) -> (f64, f64) {
        match (lower.is_infinite(), upper.is_infinite()) {
            (false, false) => self.share_of_finite(lower, upper, is_linear),
            // Nothing is known of where the observations are.
            (true, true) => (self.all_if(self.keeps_all()), 0.0),
            (false, true) if self.keeps_below => (self.all_if(self.keeps_all()), lower),
            (false, true) => (self.all_if(self.at < f64::INFINITY), lower.max(self.at)),
            (true, false) if upper > 0.0 => self.share_of_lowest(upper),
            (true, false) if self.keeps_below => {
                (self.all_if(self.at > f64::NEG_INFINITY), upper.min(self.at))
            }
            (true, false) => (self.all_if(self.keeps_all()), upper),
        }
    }

    /// A custom histogram's first bucket, taken to begin at zero if it ends above.
    fn share_of_lowest(self, upper: f64) -> (f64, f64) {
        let is_below_zero = self.at < 0.0;
        if is_below_zero && !self.keeps_below {
            return (self.all_if(self.keeps_all()), upper / 2.0);
        }
        self.share_of_finite(0.0, upper, true)
    }

    fn share_of_finite(self, lower: f64, upper: f64, is_linear: bool) -> (f64, f64) {
        let (is_kept, is_dropped) = match self.keeps_below {
            true => (upper <= self.at, lower >= self.at),
            false => (lower >= self.at, upper <= self.at),
        };
        if is_kept {
            return (1.0, middle(lower, upper, is_linear));
        }
        if is_dropped {
            return (0.0, 0.0);
        }
        let below = bounds::fraction_below(lower, upper, self.at, is_linear);
        match self.keeps_below {
            true => (below, middle(lower, self.at, is_linear)),
            false => (1.0 - below, middle(self.at, upper, is_linear)),
        }
    }

    fn keeps_all(self) -> bool {
        self.at == if self.keeps_below { f64::INFINITY } else { f64::NEG_INFINITY }
    }

    fn all_if(self, condition: bool) -> f64 {
        if condition { 1.0 } else { 0.0 }
    }
}

fn middle(lower: f64, upper: f64, is_linear: bool) -> f64 {
    if is_linear {
        return (lower + upper) / 2.0;
    }
    (lower * upper).sqrt().copysign(upper)
}
