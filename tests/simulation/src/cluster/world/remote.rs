//! The remote end, and what members send there.

use cluster::frame::Frame;

use super::{Event, World};
use crate::cluster::member::{QUEUE, series};

/// What a member hears of a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verdict {
    Taken,
    /// All of it, because of something in it.
    Refused,
    Nothing,
}

impl World<'_> {
    pub(super) fn write(&mut self, idx: usize) {
        let now = self.now;
        let member = &mut self.members[idx];
        if member.mind.is_writing {
            return;
        }
        let (epoch, batch) = member.batch(now, self.plan.is_spread());
        if batch.is_empty() {
            return;
        }
        let is_cut = member.remote_cuts > 0 || self.outages > 0;
        self.members[idx].mind.is_writing = true;
        if is_cut {
            let event = Event::FromRemote { batch, verdict: Verdict::Nothing };
            self.at(self.now + 1_000, idx, event);
        } else {
            let takes = 5 + self.dice.below(150);
            self.at(self.now + takes, idx, Event::AtRemote { epoch, batch });
        }
    }

    /// Takes all of a request or, where it has another value for one of its samples, nothing.
    pub(super) fn at_remote(&mut self, idx: usize, epoch: Option<u64>, batch: Vec<usize>) {
        if let Some(epoch) = epoch {
            self.epochs.entry(epoch).or_default().insert(idx);
        }
        let log = &self.members[idx].log;
        let samples: Vec<_> = batch.iter().map(|place| log[*place]).collect();
        let is_refused = samples.iter().any(|(target, slot, value)| {
            self.remote.get(&(*target, *slot)).is_some_and(|(known, _)| known != value)
        });
        if !is_refused {
            for (target, slot, value) in samples {
                self.remote.entry((target, slot)).or_insert((value, 0)).1 += 1;
            }
        }
        let is_heard = self.members[idx].remote_cuts == 0 && self.outages == 0;
        let verdict = match (is_heard, is_refused) {
            (false, _) => Verdict::Nothing,
            (true, true) => Verdict::Refused,
            (true, false) => Verdict::Taken,
        };
        let takes = 5 + self.dice.below(150);
        self.at(self.now + takes, idx, Event::FromRemote { batch, verdict });
    }

    pub(super) fn remote_answers(&mut self, idx: usize, mut batch: Vec<usize>, verdict: Verdict) {
        self.members[idx].mind.is_writing = false;
        match verdict {
            Verdict::Nothing => self.members[idx].mind.parts.clear(),
            Verdict::Refused if batch.len() > 1 => {
                let rest = batch.split_off(batch.len() / 2);
                self.members[idx].mind.parts.extend([rest, batch]);
            }
            // There is one of its time already.
            Verdict::Refused | Verdict::Taken => self.acknowledge(idx, &batch),
        }
    }

    pub(super) fn acknowledge(&mut self, idx: usize, batch: &[usize]) {
        let member = &mut self.members[idx];
        let sample = |place: &usize| {
            let (target, slot, _) = member.log[*place];
            (series(target), slot)
        };
        let acked: Vec<(u64, i64)> = batch.iter().map(sample).collect();
        batch.iter().for_each(|place| member.finish(*place));
        let acks = member.mind.acks.note(QUEUE, &acked);
        for peer in 0..self.members.len() {
            let frame = Frame::Acks(acks.clone());
            let sent = self.net.send(idx, peer, frame, self.now, self.latency, &self.dice);
            self.deliver(sent);
        }
    }
}
