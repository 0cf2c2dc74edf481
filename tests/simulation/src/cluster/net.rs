//! Links as TCP makes them: words come in order or not at all, each end notices a break by itself.

use std::collections::BTreeMap;

use cluster::frame::Frame;

use crate::dice::Dice;

/// What arrives at a member.
#[derive(Debug, Clone)]
pub(super) enum Arrival {
    Unlinked,
    Frame(Frame),
}

#[derive(Default)]
pub(super) struct Net {
    /// One-way cuts, each as often as it was made.
    cuts: BTreeMap<(usize, usize), usize>,
    /// For each end that believes in a link: which one it is.
    ends: BTreeMap<(usize, usize), u64>,
    n_links: u64,
    /// When the last word on each way arrives.
    last: BTreeMap<(usize, usize), u64>,
    /// What waits for a cut to be healed.
    held: BTreeMap<(usize, usize), Vec<(u64, Arrival)>>,
}

/// An arrival: when, where, from whom, on which link.
pub(super) type Delivery = (u64, usize, usize, u64, Arrival);

impl Net {
    pub(super) fn cut(&mut self, from: usize, to: usize) {
        *self.cuts.entry((from, to)).or_default() += 1;
    }

    pub(super) fn heal(
        &mut self,
        from: usize,
        to: usize,
        now: u64,
        latency: u64,
        dice: &Dice,
    ) -> Vec<Delivery> {
        let count = self.cuts.entry((from, to)).or_default();
        *count -= 1;
        if *count > 0 {
            return Vec::new();
        }
        let held = self.held.remove(&(from, to)).unwrap_or_default();
        let deliveries = held.into_iter().map(|(link, arrival)| {
            let at = self.arrival_time(from, to, now, latency, dice);
            (at, to, from, link, arrival)
        });
        deliveries.collect()
    }

    pub(super) fn is_cut(&self, from: usize, to: usize) -> bool {
        self.cuts.get(&(from, to)).is_some_and(|count| *count > 0)
    }

    pub(super) fn is_any_cut(&self) -> bool {
        self.cuts.values().any(|count| *count > 0)
    }

    pub(super) fn believes(&self, member: usize, peer: usize) -> bool {
        self.ends.contains_key(&(member, peer))
    }

    /// Whether `member` still has the link on which something came.
    pub(super) fn is_current(&self, member: usize, peer: usize, link: u64) -> bool {
        self.ends.get(&(member, peer)) == Some(&link)
    }

    /// Makes a link anew; each end that had one loses it first.
    pub(super) fn link(&mut self, a: usize, b: usize) {
        self.n_links += 1;
        self.ends.insert((a, b), self.n_links);
        self.ends.insert((b, a), self.n_links);
        for way in [(a, b), (b, a)] {
            self.held.remove(&way);
        }
    }

    pub(super) fn send(
        &mut self,
        from: usize,
        to: usize,
        frame: Frame,
        now: u64,
        latency: u64,
        dice: &Dice,
    ) -> Option<Delivery> {
        let link = *self.ends.get(&(from, to))?;
        self.transmit(from, to, link, Arrival::Frame(frame), now, latency, dice)
    }

    /// One end gives up; the other one learns of it if that gets through.
    pub(super) fn close(
        &mut self,
        from: usize,
        to: usize,
        now: u64,
        latency: u64,
        dice: &Dice,
    ) -> Option<Delivery> {
        let link = self.ends.remove(&(from, to))?;
        self.transmit(from, to, link, Arrival::Unlinked, now, latency, dice)
    }

    pub(super) fn forget(&mut self, member: usize, peer: usize) {
        self.ends.remove(&(member, peer));
    }

    #[expect(clippy::too_many_arguments, reason = "what a word needs to be sent")]
    fn transmit(
        &mut self,
        from: usize,
        to: usize,
        link: u64,
        arrival: Arrival,
        now: u64,
        latency: u64,
        dice: &Dice,
    ) -> Option<Delivery> {
        if self.is_cut(from, to) {
            self.held.entry((from, to)).or_default().push((link, arrival));
            return None;
        }
        let at = self.arrival_time(from, to, now, latency, dice);
        Some((at, to, from, link, arrival))
    }

    fn arrival_time(&mut self, from: usize, to: usize, now: u64, latency: u64, dice: &Dice) -> u64 {
        // A lost packet is sent again after a while.
        let lost = if dice.once_in(200) { 200 } else { 0 };
        let at = now + 1 + dice.below(latency) + lost;
        let last = self.last.entry((from, to)).or_default();
        *last = at.max(*last);
        *last
    }
}
