//! What goes wrong, one place for each kind.

use cluster::{core::Input, lease::store::Want};

use super::{Event, World};
use crate::cluster::plan::Kind;

impl World<'_> {
    pub(super) fn fault(&mut self, kind: Kind, begins: bool) {
        let count = |n: &mut usize| if begins { *n += 1 } else { *n -= 1 };
        match kind {
            Kind::Cut { from, to, both } => {
                let ways = if both { vec![(from, to), (to, from)] } else { vec![(from, to)] };
                for (a, b) in ways {
                    if begins {
                        self.net.cut(a, b);
                    } else {
                        let healed = self.net.heal(a, b, self.now, self.latency, &self.dice);
                        healed.into_iter().for_each(|delivery| self.deliver(Some(delivery)));
                    }
                }
            }
            Kind::Stop { member } => {
                count(&mut self.members[member].stopped);
                if self.members[member].stopped == 0 {
                    for (run, event) in std::mem::take(&mut self.waiting[member]) {
                        self.happen(member, run, event);
                    }
                }
            }
            Kind::Crash { member } => self.crash(member, begins),
            Kind::Clock { member, millis } => {
                self.members[member].clocks.ahead += if begins { millis } else { -millis };
            }
            Kind::Unreachable { member, target, hangs } => {
                let stack = self.unreachable.entry((member, target)).or_default();
                if begins { stack.push(hangs) } else { stack.retain(|other| *other != hangs) }
            }
            Kind::Down { target } => count(self.down.entry(target).or_default()),
            Kind::Outage => count(&mut self.outages),
            Kind::NoRemote { member } => count(&mut self.members[member].remote_cuts),
            Kind::NoStore { member, hears: true } => count(&mut self.members[member].store_cuts),
            Kind::NoStore { member, hears: false } => count(&mut self.members[member].store_deaf),
            Kind::Slow { latency } => {
                self.latency = if begins { latency } else { self.plan.latency };
            }
            Kind::Release { member } => self.release(member, begins),
            Kind::Configuration { member } => {
                count(&mut self.members[member].fingerprints);
                let fingerprint = self.members[member].fingerprint();
                if self.members[member].is_running() {
                    self.handle(member, Input::Fingerprint(fingerprint));
                }
            }
        }
    }

    pub(super) fn crash(&mut self, idx: usize, begins: bool) {
        if begins {
            self.members[idx].killed += 1;
            if self.members[idx].killed > 1 {
                return;
            }
            self.waiting[idx].clear();
            for peer in (0..self.members.len()).filter(|peer| *peer != idx) {
                let sent = self.net.close(idx, peer, self.now, self.latency, &self.dice);
                self.deliver(sent);
            }
            return;
        }
        self.members[idx].killed -= 1;
        if self.members[idx].killed > 0 {
            return;
        }
        self.members[idx].restart(self.now, self.plan);
        let fingerprint = self.members[idx].fingerprint();
        let now = self.members[idx].clocks.moment(self.now);
        self.members[idx].mind.core.handle(now, Input::Fingerprint(fingerprint));
        self.at(self.now + 1, idx, Event::Tick);
    }

    pub(super) fn release(&mut self, idx: usize, begins: bool) {
        let member = &mut self.members[idx];
        if !begins || !member.is_running() || !member.may_write(self.now) {
            return;
        }
        if let Some(store) = &mut member.mind.store {
            store.want(member.clocks.monotonic(self.now), Want::Release { leaves: false });
        }
        self.handle(idx, Input::Release { leaves: false });
        self.ask_store(idx);
    }
}
