//! Samples of one series in even steps.

/// Enough for half an hour; samples that are farther apart are runs of their own.
const STEP_BITS: u32 = 21;
const STEP_MAX: i64 = (1 << STEP_BITS) - 1;
/// Enough for some centuries.
const TIME_MAX: i64 = i64::MAX >> STEP_BITS;

/// From a first to a last sample, in milliseconds; one that stands alone has a step of zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Run {
    /// The last time, and the step in the low bits.
    end: u64,
    /// From the first to the last.
    n_steps: u32,
}

impl Run {
    pub(super) fn single(time: i64) -> Run {
        Run::new(time, 0, 0)
    }

    /// Whatever others say; no more of it than can be meant.
    pub(super) fn new(last: i64, step: i64, n_steps: u32) -> Run {
        let is_run = n_steps > 0 && (1..=STEP_MAX).contains(&step);
        let (step, n_steps) = if is_run { (step, n_steps) } else { (0, 0) };
        Run { end: (last.clamp(0, TIME_MAX) as u64) << STEP_BITS | step as u64, n_steps }
    }

    /// The first one moves up if there are too many to count.
    fn between(first: i64, last: i64, step: i64) -> Run {
        let n_steps = if step > 0 { (last - first) / step } else { 0 };
        Run::new(last, step, u32::try_from(n_steps).unwrap_or(u32::MAX))
    }

    pub(super) fn last(self) -> i64 {
        (self.end >> STEP_BITS) as i64
    }

    pub(super) fn step(self) -> i64 {
        self.end as i64 & STEP_MAX
    }

    pub(super) fn n_steps(self) -> u32 {
        self.n_steps
    }

    pub(super) fn first(self) -> i64 {
        self.last() - self.step() * i64::from(self.n_steps)
    }

    pub(super) fn contains(self, time: i64) -> bool {
        let back = self.last() - time;
        match self.step() {
            0 => back == 0,
            step => time >= self.first() && back >= 0 && back % step == 0,
        }
    }

    pub(super) fn holds(self, other: Run) -> bool {
        let is_even = other.n_steps == 0 || self.step() > 0 && other.step() % self.step() == 0;
        is_even && self.contains(other.last()) && self.contains(other.first())
    }

    /// With one that simply goes on.
    pub(super) fn extended(self, next: Run) -> Option<Run> {
        let is_next = next.n_steps == 0 && next.last() > self.last();
        if !is_next {
            return None;
        }
        let step = next.last() - self.last();
        match self.step() {
            0 if step <= STEP_MAX => Some(Run::new(next.last(), step, 1)),
            same if same == step => {
                Some(Run::new(next.last(), step, self.n_steps.saturating_add(1)))
            }
            _ => None,
        }
    }

    /// Both as one, where there is nothing between them that neither has.
    fn joined(self, other: Run) -> Option<Run> {
        let step = match (self.step(), other.step()) {
            (0, 0) => return (self == other).then_some(self),
            (0, step) | (step, 0) => step,
            (step, same) if step == same => step,
            _ => return None,
        };
        let is_aligned = (self.last() - other.last()) % step == 0;
        let touches = self.first() - step <= other.last() && other.first() - step <= self.last();
        let (first, last) = (self.first().min(other.first()), self.last().max(other.last()));
        (is_aligned && touches).then(|| Run::between(first, last, step))
    }
}

/// Adds a run to others, joins what touches, and puts them in order: the newest is the last one.
pub(super) fn insert(runs: &mut Vec<Run>, mut new: Run) {
    while let Some((idx, joined)) =
        runs.iter().enumerate().find_map(|(idx, run)| Some((idx, run.joined(new)?)))
    {
        runs.swap_remove(idx);
        new = joined;
    }
    runs.push(new);
    runs.sort_unstable();
    // Two that stand alone begin a run, but only at the end: anywhere else a step is a guess that
    // keeps them from joining their neighbours.
    if let [.., before, last] = runs[..]
        && before.step() == 0
        && let Some(run) = before.extended(last)
    {
        runs.truncate(runs.len() - 2);
        runs.push(run);
    }
}
