//! The moments at which an expression is evaluated.

/// `count` moments, `interval` milliseconds apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Steps {
    pub(crate) start: i64,
    pub(crate) interval: i64,
    pub(crate) count: usize,
}

impl Steps {
    /// The moments `start`, `start + interval`, … up to `end`; none if `end` is before `start`.
    pub(crate) fn new(start: i64, end: i64, interval: i64) -> Steps {
        let interval = interval.max(1);
        let span = i128::from(end) - i128::from(start);
        let count = if span < 0 { 0 } else { span / i128::from(interval) + 1 };
        Steps { start, interval, count: usize::try_from(count).unwrap_or(usize::MAX) }
    }

    pub(crate) fn once(time: i64) -> Steps {
        Steps { start: time, interval: 1, count: 1 }
    }

    pub(crate) fn time(&self, step: usize) -> i64 {
        self.start + step as i64 * self.interval
    }

    /// The last moment.
    pub(crate) fn end(&self) -> i64 {
        self.time(self.count.saturating_sub(1))
    }
}
