//! Members ask targets, or take what others got.

use bytes::Bytes;
use cluster::{
    core::Input,
    frame::{Payload, Shared, SlotId},
    ownership,
};

use super::{Event, GONE, World};
use crate::cluster::{
    member::{Sample, Turn},
    plan::Kind,
};

impl World<'_> {
    pub(super) fn begin_turns(&mut self, idx: usize) {
        let wall = self.members[idx].clocks.moment(self.now).wall.as_millis() as i64;
        let interval = self.plan.interval as i64;
        for target in 0..self.plan.targets {
            let known = &self.members[idx].mind.known;
            let own = self.members[idx].id;
            if !ownership::is_owner(target as u64, own, known, self.plan.factor) {
                continue;
            }
            // Targets are spread over the interval.
            let phase = (target as i64 * 700) % interval;
            let slot = wall - (wall - phase).rem_euclid(interval);
            let member = &mut self.members[idx];
            let key = target as u64;
            let goes_on = member.mind.turns.keys().any(|id| id.key == key);
            // A clock that was set back may come by the same slot again.
            let is_new = slot != member.begun[target] && !member.samples.contains_key(&(key, slot));
            if !is_new || goes_on {
                continue;
            }
            member.begun[target] = slot;
            let id = SlotId { key, slot };
            member.mind.turns.insert(id, Turn { began: self.now, is_asking: false });
            self.totals.turns += 1;
            let limit = std::time::Duration::from_millis(self.plan.limit);
            self.handle(idx, Input::Turn { id, limit });
        }
    }

    pub(super) fn fetch(&mut self, idx: usize, id: SlotId) {
        let target = id.key as usize;
        let (limit, interval) = (self.plan.limit, self.plan.interval as i64);
        self.totals.fetches += 1;
        self.n_values += 1;
        let is_down = self.down.get(&target).is_some_and(|count| *count > 0);
        let hangs = self.unreachable.get(&(idx, target)).and_then(|hangs| hangs.last().copied());
        // What the target says now is no answer for a slot that is over.
        let wall = self.members[idx].clocks.moment(self.now).wall.as_millis() as i64;
        let is_over = wall - id.slot >= interval;
        let (takes, result) = match (is_down || is_over, hangs) {
            (_, Some(true)) => (limit, None),
            (true, _) | (_, Some(false)) => (1 + self.dice.below(5), None),
            _ => (1 + self.dice.below(limit / 8), Some(self.n_values)),
        };
        if let Some(turn) = self.members[idx].mind.turns.get_mut(&id) {
            turn.is_asking = true;
        }
        self.at(self.now + takes, idx, Event::Fetched { id, result });
    }

    pub(super) fn fetched(&mut self, idx: usize, id: SlotId, result: Sample) {
        let is_asking = self.members[idx].mind.turns.get(&id).is_some_and(|turn| turn.is_asking);
        if is_asking {
            let bytes = Bytes::copy_from_slice(&result.unwrap_or_default().to_be_bytes());
            let payload = Payload { bytes, unpacked_len: None };
            let shared = Shared { by: self.members[idx].id, has_failed: result.is_none(), payload };
            self.handle(idx, Input::Fetched { id, shared });
        }
    }

    pub(super) fn done(&mut self, idx: usize, id: SlotId, sample: Sample) {
        let limit = self.plan.limit;
        let member = &mut self.members[idx];
        let Some(turn) = member.mind.turns.remove(&id) else {
            self.complaints.push(format!("{}: {idx} is done twice with {id:?}", self.now));
            return;
        };
        member.store(id.key, id.slot, sample);
        let began = turn.began;
        let is_calm = !self.plan.is_troubled(began.saturating_sub(GONE), self.now);
        let took = self.now - began;
        if is_calm && (sample.is_none() || took > limit / 4 + 10 * self.plan.latency + 700) {
            let now = self.now;
            self.complaints.push(format!(
                "{now}: {idx} has {sample:?} of {id:?} after {took} ms, though nothing is wrong"
            ));
        }
        if took > 2 * limit + 2_000 && !self.plan.has(|kind| matches!(kind, Kind::Stop { .. })) {
            self.complaints.push(format!("{}: {idx} took {took} ms for {id:?}", self.now));
        }
    }
}
