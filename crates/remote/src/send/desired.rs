//! How many shards does a queue need?

use super::config::Queue;

/// What a queue did lately, a second.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Flow {
    pub(super) samples_in: f64,
    pub(super) samples_out: f64,
    pub(super) samples_dropped: f64,
    /// Seconds that sending took, of all shards together.
    pub(super) sending: f64,
}

/// Changes smaller than this share are not worth it.
const TOLERANCE: f64 = 0.3;
/// The share of the backlog that is to be sent each second.
const CATCH_UP: f64 = 0.05;
/// With more seconds of backlog shards are not given up.
const BACKLOG_MAX_S: f64 = 10.0;

/// The share of a new measurement in a moving average.
pub(super) const WEIGHT: f64 = 0.2;

impl Flow {
    /// The moving averages after another measurement.
    pub(super) fn averaged(self, measured: Flow) -> Flow {
        let average = |old: f64, new: f64| old + WEIGHT * (new - old);
        Flow {
            samples_in: average(self.samples_in, measured.samples_in),
            samples_out: average(self.samples_out, measured.samples_out),
            samples_dropped: average(self.samples_dropped, measured.samples_dropped),
            sending: average(self.sending, measured.sending),
        }
    }

    /// So many shards would keep up, exactly.
    pub(super) fn wanted(self, backlog_s: f64) -> f64 {
        if self.samples_out <= 0.0 {
            return 0.0;
        }
        let kept = self.samples_out / (self.samples_dropped + self.samples_out);
        let arriving = self.samples_in * kept;
        let seconds_per_sample = self.sending / self.samples_out;
        seconds_per_sample * (arriving + CATCH_UP * backlog_s * arriving)
    }
}

/// The number of shards for `flow`, given how many there are; `backlog_s` is how far the newest
/// sample that was sent lies behind the newest that came in.
pub(super) fn desired_shards(flow: Flow, backlog_s: f64, present: usize, queue: &Queue) -> usize {
    if flow.samples_out <= 0.0 {
        return present;
    }
    let wanted = flow.wanted(backlog_s).ceil();
    let now = present as f64;
    if now * (1.0 - TOLERANCE) <= wanted && wanted <= now * (1.0 + TOLERANCE) {
        return present;
    }
    if wanted < now && backlog_s > BACKLOG_MAX_S {
        return present;
    }
    (wanted as usize).clamp(queue.min_shards, queue.max_shards)
}
