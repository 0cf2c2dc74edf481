//! How far the clocks of members are apart.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use crate::{MemberId, Moment, frame::Heartbeat};

/// A clock is wrong from here on, in milliseconds,
const WRONG: i64 = 1_000;
/// and right again below this.
const RIGHT: i64 = 800;
/// A larger change against the monotonic clock is a step, not drift.
const STEP: i64 = 250;
/// Of so many measurements the best one counts.
const KEPT: usize = 10;
/// A measurement that took longer says nothing.
const ROUND_TRIP_MAX: Duration = Duration::from_millis(1_000);

pub(super) struct Clocks {
    own: MemberId,
    measured: BTreeMap<MemberId, VecDeque<Measurement>>,
    /// Members whose clock was set far away from ours, or ours from theirs: who does that is wrong
    /// sooner than who does not.
    set_off: BTreeSet<MemberId>,
    is_wrong: bool,
    /// Our clock was set, and nobody has been heard since then.
    unsure: Option<i64>,
}

struct Measurement {
    /// How far the other clock is ahead, in milliseconds.
    offset: i64,
    /// Half of it is how wrong that may be.
    round_trip: Duration,
}

impl Clocks {
    pub(super) fn new(own: MemberId) -> Clocks {
        Clocks {
            own,
            measured: BTreeMap::new(),
            set_off: BTreeSet::new(),
            is_wrong: false,
            unsure: None,
        }
    }

    pub(super) fn forget(&mut self, peer: MemberId) {
        self.measured.remove(&peer);
        self.set_off.remove(&peer);
    }

    /// What was measured before our clock was set is worth nothing.
    pub(super) fn tick(&mut self, now: Moment, before: Moment) {
        let step = step(before, now);
        if step.abs() <= STEP {
            return;
        }
        if step.abs() > WRONG && !self.measured.is_empty() {
            self.unsure = Some(step);
            if !self.is_wrong {
                self.set_off.insert(self.own);
            }
        }
        self.measured.clear();
    }

    /// By how much our clock was set, in milliseconds, if nobody has said yet whether that is right.
    pub(super) fn unsure(&self) -> Option<i64> {
        self.unsure
    }

    pub(super) fn note(
        &mut self,
        from: MemberId,
        now: Moment,
        heartbeat: &Heartbeat,
        previous: Option<Heartbeat>,
    ) {
        let Some(echo) = heartbeat.echo else { return };
        let moment = |said: &Heartbeat| Moment { monotonic: said.sent, wall: said.wall };
        let step = previous.map_or(0, |previous| step(moment(&previous), moment(heartbeat)));
        if step.abs() > STEP {
            let agreed = self.offset(from).is_some_and(|offset| offset.abs() <= WRONG);
            if step.abs() > WRONG && agreed {
                self.set_off.insert(from);
            }
            self.measured.remove(&from);
        }
        let round_trip = now.monotonic.saturating_sub(echo.sent).saturating_sub(echo.age);
        if round_trip > ROUND_TRIP_MAX {
            return;
        }
        let offset = difference(heartbeat.wall.saturating_add(round_trip / 2), now.wall);
        let measured = self.measured.entry(from).or_default();
        measured.push_back(Measurement { offset, round_trip });
        if measured.len() > KEPT {
            measured.pop_front();
        }
        self.unsure = None;
        if offset.abs() <= RIGHT {
            self.set_off.remove(&from);
        }
    }

    pub(super) fn offset(&self, peer: MemberId) -> Option<i64> {
        let measured = self.measured.get(&peer)?.iter();
        // Of equals the newest one.
        measured.rev().min_by_key(|measurement| measurement.round_trip).map(|best| best.offset)
    }

    pub(super) fn judge(
        &mut self,
        live: impl Iterator<Item = MemberId>,
        holder: Option<MemberId>,
    ) -> Option<i64> {
        let mut offsets: Vec<(i64, MemberId)> =
            live.filter_map(|peer| Some((self.offset(peer)?, peer))).collect();
        offsets.push((0, self.own));
        offsets.sort_unstable();
        let (lower, upper) = (offsets[(offsets.len() - 1) / 2].0, offsets[offsets.len() / 2].0);
        let right = match upper.saturating_sub(lower) <= RIGHT {
            true => 0.clamp(lower, upper),
            false => self.break_tie(&offsets, holder),
        };
        let limit = if self.is_wrong { RIGHT } else { WRONG };
        self.is_wrong = right.abs() > limit;
        if !self.is_wrong && offsets.len() > 1 {
            self.set_off.remove(&self.own);
        }
        self.is_wrong.then_some(-right)
    }

    /// Half against half, most often one against one: who has not set its clock is right, of those
    /// the writer, or the oldest.
    fn break_tie(&self, offsets: &[(i64, MemberId)], holder: Option<MemberId>) -> i64 {
        let is_steady = |(_, id): &&(i64, MemberId)| !self.set_off.contains(id);
        let n_steady = offsets.iter().filter(is_steady).count();
        let counts = |entry: &&(i64, MemberId)| n_steady == 0 || is_steady(entry);
        let candidates = || offsets.iter().filter(counts);
        let writer = candidates().find(|(_, id)| holder == Some(*id));
        let oldest = candidates().min_by_key(|(_, id)| *id);
        writer.or(oldest).map_or(0, |(offset, _)| *offset)
    }
}

/// By how much a wall clock was set between two moments.
fn step(before: Moment, after: Moment) -> i64 {
    let passed = after.monotonic.saturating_sub(before.monotonic);
    difference(after.wall, before.wall.saturating_add(passed))
}

/// `a - b` in milliseconds.
fn difference(a: Duration, b: Duration) -> i64 {
    let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    millis(a).saturating_sub(millis(b))
}
