//! How far the clocks of members are apart.

use std::{
    collections::{BTreeMap, VecDeque},
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
    is_wrong: bool,
}

struct Measurement {
    /// How far the other clock is ahead, in milliseconds.
    offset: i64,
    /// Half of it is how wrong that may be.
    round_trip: Duration,
}

impl Clocks {
    pub(super) fn new(own: MemberId) -> Clocks {
        Clocks { own, measured: BTreeMap::new(), is_wrong: false }
    }

    pub(super) fn forget(&mut self, peer: MemberId) {
        self.measured.remove(&peer);
    }

    /// What was measured before our clock was set is worth nothing.
    pub(super) fn tick(&mut self, now: Moment, before: Moment) {
        if has_stepped(before, now) {
            self.measured.clear();
        }
    }

    pub(super) fn note(
        &mut self,
        from: MemberId,
        now: Moment,
        heartbeat: &Heartbeat,
        previous: Option<Heartbeat>,
    ) {
        let Some(echo) = heartbeat.echo else { return };
        let measured = self.measured.entry(from).or_default();
        let moment = |said: &Heartbeat| Moment { monotonic: said.sent, wall: said.wall };
        if previous.is_some_and(|previous| has_stepped(moment(&previous), moment(heartbeat))) {
            measured.clear();
        }
        let round_trip = now.monotonic.saturating_sub(echo.sent).saturating_sub(echo.age);
        if round_trip > ROUND_TRIP_MAX {
            return;
        }
        let offset = difference(heartbeat.wall.saturating_add(round_trip / 2), now.wall);
        measured.push_back(Measurement { offset, round_trip });
        if measured.len() > KEPT {
            measured.pop_front();
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
        let right = if upper.saturating_sub(lower) <= RIGHT {
            0.clamp(lower, upper)
        } else {
            // Half against half, most often one against one: the writer is right, or the oldest.
            let of = |id| offsets.iter().find(|(_, other)| *other == id).map(|(offset, _)| *offset);
            let oldest = offsets.iter().min_by_key(|(_, id)| *id).map(|(offset, _)| *offset);
            holder.and_then(of).or(oldest).unwrap_or_default()
        };
        let limit = if self.is_wrong { RIGHT } else { WRONG };
        self.is_wrong = right.abs() > limit;
        self.is_wrong.then_some(-right)
    }
}

/// Whether a wall clock was set between two moments.
fn has_stepped(before: Moment, after: Moment) -> bool {
    let passed = after.monotonic.saturating_sub(before.monotonic);
    difference(after.wall, before.wall.saturating_add(passed)).abs() > STEP
}

/// `a - b` in milliseconds.
fn difference(a: Duration, b: Duration) -> i64 {
    let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    millis(a).saturating_sub(millis(b))
}
