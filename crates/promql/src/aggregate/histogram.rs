//! Sums and means of native histograms, and what becomes of groups that hold floats as well.

use std::sync::Arc;

use model::{
    FloatHistogram,
    float::is_stale,
    histogram::{CounterResetHint, HistogramSum},
};

use crate::{column::Column, notes::Notes};

/// The histograms of one group, at each step.
pub(super) struct Histograms {
    steps: Vec<Step>,
    is_mean: bool,
}

#[derive(Clone, Default)]
enum Step {
    #[default]
    None,
    Sum(Box<HistogramMean>),
    /// Exponential and custom buckets met; there is no result.
    Incompatible,
}

impl Histograms {
    pub(super) fn new(n_steps: usize, is_mean: bool) -> Histograms {
        Histograms { steps: vec![Step::None; n_steps], is_mean }
    }

    pub(super) fn add(
        &mut self,
        step: usize,
        histogram: &FloatHistogram,
        notes: &mut Notes,
        position: usize,
    ) {
        let state = &mut self.steps[step];
        match state {
            Step::None => {
                *state = Step::Sum(Box::new(HistogramMean::new(histogram, self.is_mean)));
            }
            Step::Sum(sum) => {
                if !sum.add(histogram, notes, position) {
                    notes.mixed_exponential_and_custom("", position);
                    *state = Step::Incompatible;
                }
            }
            Step::Incompatible => {}
        }
    }

    /// `floats` are the results of the group's floats; where there are both, there is no result.
    pub(super) fn finish(self, floats: &[f64], notes: &mut Notes, position: usize) -> Column {
        let mut column = Column::default();
        for (step, (state, float)) in self.steps.into_iter().zip(floats).enumerate() {
            let has_float = !is_stale(*float);
            match state {
                Step::None if has_float => column.set(step, *float),
                Step::None => {}
                _ if has_float => notes.mixed_samples_in_aggregation(position),
                Step::Sum(sum) => column.set_histogram(step, Arc::new(sum.finish(notes, position))),
                Step::Incompatible => {}
            }
        }
        column
    }
}

/// A sum or a mean of histograms, with what has been seen of their counter resets.
#[derive(Debug, Clone)]
pub(crate) struct HistogramMean {
    sum: HistogramSum,
    count: f64,
    is_mean: bool,
    /// Once the sum would overflow, it is the mean that is carried along.
    incremental: bool,
    seen_reset: bool,
    seen_no_reset: bool,
}

impl HistogramMean {
    pub(crate) fn new(first: &FloatHistogram, is_mean: bool) -> HistogramMean {
        let mut mean = HistogramMean {
            sum: HistogramSum::new(first),
            count: 1.0,
            is_mean,
            incremental: false,
            seen_reset: false,
            seen_no_reset: false,
        };
        mean.look_at(first);
        mean
    }

    fn look_at(&mut self, histogram: &FloatHistogram) {
        match histogram.counter_reset_hint {
            CounterResetHint::Reset => self.seen_reset = true,
            CounterResetHint::NotReset => self.seen_no_reset = true,
            CounterResetHint::Unknown | CounterResetHint::Gauge => {}
        }
    }

    /// False if the layouts do not fit together.
    pub(crate) fn add(
        &mut self,
        histogram: &FloatHistogram,
        notes: &mut Notes,
        position: usize,
    ) -> bool {
        self.look_at(histogram);
        self.count += 1.0;
        if self.is_mean && !self.incremental {
            let mut sum = self.sum.clone();
            let Ok(reconciled) = sum.add(histogram) else { return false };
            if !sum.overflows() {
                if reconciled.custom_bounds {
                    notes.custom_buckets_reconciled("aggregation", position);
                }
                self.sum = sum;
                return true;
            }
            self.incremental = true;
            self.sum.divide(self.count - 1.0);
        }
        let added = if self.incremental {
            self.sum.multiply((self.count - 1.0) / self.count);
            let mut share = histogram.clone();
            share.divide(self.count);
            self.sum.add(&share)
        } else {
            self.sum.add(histogram)
        };
        let Ok(reconciled) = added else { return false };
        if reconciled.custom_bounds {
            notes.custom_buckets_reconciled("aggregation", position);
        }
        true
    }

    pub(crate) fn finish(mut self, notes: &mut Notes, position: usize) -> FloatHistogram {
        if self.seen_reset && self.seen_no_reset {
            notes.counter_reset_collision("aggregation", position);
        }
        if self.is_mean && !self.incremental {
            self.sum.divide(self.count);
        }
        let mut total = self.sum.total();
        total.compact(0);
        total
    }
}
