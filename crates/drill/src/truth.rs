//! What the targets say, and so what every server must have: a pure function of target, series and
//! time slot.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

/// Counts slots.
pub(crate) const METRIC: &str = "drill_slots_total";
/// What the rule of the drill makes of it.
pub(crate) const RECORDED: &str = "drill:slots:sum";
/// There, and 1, while an alert has to fire.
pub(crate) const PULSE: &str = "drill_pulse";

/// From one alert to the next.
pub(crate) const EPISODE_MS: i64 = 10_000;
/// For how much of that the alert fires.
const PULSE_MS: i64 = 6_000;
/// Far enough apart that no series can be taken for another in a day of slots.
const BASE: i64 = 1_000_000;

/// A series of the drill, wherever it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Raw { target: usize, series: usize },
    Recorded { target: usize },
}

impl Key {
    pub(crate) fn target(self) -> usize {
        match self {
            Key::Raw { target, .. } | Key::Recorded { target } => target,
        }
    }
}

/// All that is needed to know every true value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Truth {
    pub(crate) epoch_ms: i64,
    pub(crate) interval_ms: i64,
    pub(crate) n_targets: usize,
    pub(crate) n_series: usize,
}

impl Truth {
    pub(crate) fn raw_keys(&self) -> Vec<Key> {
        let targets = 0..self.n_targets;
        targets
            .flat_map(|target| (0..self.n_series).map(move |series| Key::Raw { target, series }))
            .collect()
    }

    pub(crate) fn recorded_keys(&self) -> Vec<Key> {
        (0..self.n_targets).map(|target| Key::Recorded { target }).collect()
    }

    pub(crate) fn slot(&self, at_ms: i64) -> i64 {
        (at_ms - self.epoch_ms).div_euclid(self.interval_ms)
    }

    pub(crate) fn value(&self, key: Key, slot: i64) -> i64 {
        match key {
            Key::Raw { target, series } => self.base(target, series) + slot,
            Key::Recorded { target } => {
                (0..self.n_series).map(|series| self.base(target, series) + slot).sum()
            }
        }
    }

    /// The slot in which `key` had this value; nothing if it never has it.
    pub(crate) fn slot_of(&self, key: Key, value: f64) -> Option<i64> {
        let above = value - self.value(key, 0) as f64;
        let step = match key {
            Key::Raw { .. } => 1,
            Key::Recorded { .. } => self.n_series as i64,
        };
        // A slot before the first one: a clock that was read a moment earlier.
        let is_near = (-100.0..BASE as f64 / 2.0).contains(&above);
        let slot = above as i64 / step;
        (is_near && (slot * step) as f64 == above).then_some(slot)
    }

    /// What a target answers.
    pub(crate) fn page(&self, target: usize, now_ms: i64) -> String {
        let slot = self.slot(now_ms);
        let mut page = format!("# TYPE {METRIC} counter\n");
        for series in 0..self.n_series {
            let value = self.value(Key::Raw { target, series }, slot);
            writeln!(page, "{METRIC}{{series=\"{series}\"}} {value}").expect("strings grow");
        }
        let since = now_ms - self.epoch_ms;
        if target == 0 && since.rem_euclid(EPISODE_MS) < PULSE_MS {
            let episode = since.div_euclid(EPISODE_MS);
            write!(page, "# TYPE {PULSE} gauge\n{PULSE}{{episode=\"{episode}\"}} 1\n")
                .expect("strings grow");
        }
        page
    }

    /// The alerts that begin and end, with time to be told, between two moments.
    pub(crate) fn episodes(&self, from_ms: i64, to_ms: i64) -> std::ops::Range<i64> {
        let first = (from_ms - self.epoch_ms + EPISODE_MS - 1).div_euclid(EPISODE_MS);
        let last = (to_ms - self.epoch_ms).div_euclid(EPISODE_MS);
        first..last.max(first)
    }

    fn base(&self, target: usize, series: usize) -> i64 {
        BASE * (1 + (target * self.n_series + series) as i64)
    }
}
