//! From the change between the samples of a window to the change over the window.

use super::{Change, seconds};
use crate::functions::Window;

/// Where the samples of a window lie in it. Series are sampled regularly, so that nearly all
/// windows of a series have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// From the window's start to the first sample, in milliseconds, as the others.
    to_start: i64,
    /// From the last sample to the window's end.
    to_end: i64,
    /// From the first sample to the last.
    sampled: i64,
    n_distances: usize,
}

/// By how much the change between the first and the last sample grows when it is extrapolated to
/// the window's ends, as far as the samples' distances make it likely that the series goes on.
/// A counter is not extrapolated below zero.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extrapolation {
    shape: Shape,
    /// In seconds, as the others.
    to_start: f64,
    to_end: f64,
    sampled: f64,
    /// Seconds of the window, for what is asked by the second; one otherwise.
    per: f64,
    is_counter: bool,
    /// Unless zero is closer than the start.
    factor: f64,
}

impl Shape {
    pub(super) fn of(window: &Window, first: i64, last: i64, n_distances: usize) -> Shape {
        let (to_start, to_end) = (first - window.start, window.end - last);
        Shape { to_start, to_end, sampled: last - first, n_distances }
    }
}

impl Extrapolation {
    pub(super) fn new(shape: Shape, change: Change, range_ms: i64) -> Extrapolation {
        let seconds_of = |millis: i64| millis as f64 / 1000.0;
        let mut to_start = seconds_of(shape.to_start);
        let mut to_end = seconds_of(shape.to_end);
        let sampled = seconds_of(shape.sampled);
        let distance = match shape.n_distances {
            0 => 0.0,
            n_distances => sampled / n_distances as f64,
        };
        let threshold = distance * 1.1;
        if to_start >= threshold {
            to_start = distance / 2.0;
        }
        if to_end >= threshold {
            to_end = distance / 2.0;
        }
        Extrapolation::finish(shape, [to_start, sampled, to_end], change, range_ms)
    }

    /// For a counter that began so many milliseconds before the last sample, within the window.
    pub(super) fn since_start(self, since_ms: i64, change: Change, range_ms: i64) -> Extrapolation {
        let sampled = since_ms as f64 / 1000.0;
        Extrapolation::finish(self.shape, [0.0, sampled, self.to_end], change, range_ms)
    }

    fn finish(
        shape: Shape,
        [to_start, sampled, to_end]: [f64; 3],
        change: Change,
        range_ms: i64,
    ) -> Extrapolation {
        let per = if change.per_second { seconds(range_ms) } else { 1.0 };
        let is_counter = change.is_counter;
        let factor = (sampled + to_start + to_end) / sampled / per;
        Extrapolation { shape, to_start, to_end, sampled, per, is_counter, factor }
    }

    pub(super) fn is_for(&self, shape: &Shape) -> bool {
        self.shape == *shape
    }

    /// For samples that begin with `first_value` and change by `result`.
    #[inline]
    pub(super) fn factor(&self, first_value: f64, result: f64) -> f64 {
        // Otherwise zero is farther away than the start; divisions are what costs here.
        let may_reach_zero = first_value < result || self.sampled < self.to_start;
        if self.is_counter && may_reach_zero && result > 0.0 && first_value >= 0.0 {
            let to_zero = self.sampled * (first_value / result);
            if to_zero < self.to_start {
                return (self.sampled + to_zero + self.to_end) / self.sampled / self.per;
            }
        }
        self.factor
    }
}
