//! Was a counter reset between two histograms?

use super::{
    CounterResetHint, FloatHistogram, bounds,
    sparse::{Side, Sparse},
};

impl FloatHistogram {
    /// Whether the counter was reset between `previous` and this one. A hint that is certain is
    /// believed; else any count that fell, or a resolution that became finer, is a reset.
    pub fn is_reset_after(&self, previous: &FloatHistogram) -> bool {
        match self.counter_reset_hint {
            CounterResetHint::Reset => return true,
            CounterResetHint::NotReset => return false,
            CounterResetHint::Unknown | CounterResetHint::Gauge => {}
        }
        if self.has_custom_buckets() != previous.has_custom_buckets() {
            return true;
        }
        if self.count < previous.count {
            return true;
        }
        if self.has_custom_buckets() {
            return self.has_custom_reset(previous);
        }
        if self.schema > previous.schema || self.zero_threshold < previous.zero_threshold {
            return true;
        }
        let mut before: Sparse<f64> = Sparse::of(previous);
        // A wider zero bucket is no reset, unless it would cut through what was a bucket.
        if before.widen_zero(self.zero_threshold) != self.zero_threshold {
            return true;
        }
        before.reduce_to(self.schema);
        let now: Sparse<f64> = Sparse::of(self);
        now.zero_count < before.zero_count
            || has_fallen(&before.positive, &now.positive)
            || has_fallen(&before.negative, &now.negative)
    }

    fn has_custom_reset(&self, previous: &FloatHistogram) -> bool {
        let (mut before, mut now): (Sparse<f64>, Sparse<f64>) =
            (Sparse::of(previous), Sparse::of(self));
        if !bounds::custom_match(&before.custom, &now.custom) {
            let common = bounds::intersection(&before.custom, &now.custom);
            before.rebound(&common);
            now.rebound(&common);
        }
        has_fallen(&before.positive, &now.positive)
    }
}

/// Whether a bucket counts less than before; one that is missing counts nothing.
fn has_fallen(before: &Side<f64>, now: &Side<f64>) -> bool {
    let mut now = now.iter().peekable();
    before.iter().any(|(index, count)| {
        while now.next_if(|bucket| bucket.0 < *index).is_some() {}
        let count_now = now.next_if(|bucket| bucket.0 == *index).map_or(0.0, |bucket| bucket.1);
        count_now < *count
    })
}
