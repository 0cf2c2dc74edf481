//! One member asks a target, all take what it got.
//!
//! Members rank each other for each target in the same order. The first of the ranking that is
//! live asks the target; the others tell it that they want to know, and wait. If it goes away, or
//! says nothing at all for half of the time that the target has, the next one asks; if it fails, it lets the next one try; if nobody has said anything by the time
//! that the target had, each asks itself. Who has an outcome offers it to all before it takes it,
//! and learns so if they have decided otherwise without it.

mod slot;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::Duration,
};

use self::slot::{Fetch, Slot};
use crate::{
    MemberId, Moment,
    frame::{Share, Shared, SlotId},
    ownership,
};

/// Deadlines of slots lie so far behind the end of what the target has.
const GRACE: Duration = Duration::from_secs(1);
/// How long answers to an offer are waited for.
const ANSWER: Duration = Duration::from_millis(300);
/// Timers of members differ by less: so long a question waits for our own turn to begin.
const HOLD: Duration = Duration::from_millis(500);
/// Outcomes that others may still ask for are kept so long, as far as there is room for them.
const KEEP: Duration = Duration::from_secs(30);
/// What was decided is remembered so long.
const REMEMBER: Duration = Duration::from_secs(120);
/// A target without turns is forgotten after so long, and three of its intervals.
const IDLE: Duration = Duration::from_secs(60);
/// Members that took part in one of so many slots before take part in the next.
const RECENT_SLOTS: usize = 4;
/// Slots that are known only because somebody asked.
const STRANGE_SLOTS_MAX: usize = 16_384;

/// One member's part.
pub struct Sharing {
    own: MemberId,
    /// Those that are live, do the same, and may be waited for.
    peers: BTreeSet<MemberId>,
    /// Who has said nothing for a moment.
    silent: BTreeSet<MemberId>,
    slots: HashMap<SlotId, Slot>,
    /// Slots in which something may be due; the others only wait to be forgotten.
    open: BTreeSet<SlotId>,
    keys: HashMap<u64, Key>,
    /// Slots with outcomes that others may ask for, in the order in which they were decided.
    kept: VecDeque<SlotId>,
    kept_bytes: usize,
    kept_bytes_max: usize,
    n_strange: usize,
    swept: Duration,
}

/// A target that this member has turns for.
#[derive(Default)]
struct Key {
    /// The newest slots, the newest one last.
    slots: VecDeque<i64>,
    seen: Duration,
    /// Who takes part, and the newest slot in which it did.
    interest: BTreeMap<MemberId, i64>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    Send(MemberId, SlotId, Share),
    /// Ask the target, for whoever waits in its turn.
    Fetch(SlotId),
    /// The turn ends with this.
    Done(SlotId, Shared),
}

impl Sharing {
    /// Keeps at most `kept_bytes_max` of outcomes for members that come late.
    pub fn new(own: MemberId, kept_bytes_max: usize) -> Sharing {
        Sharing {
            own,
            peers: BTreeSet::new(),
            silent: BTreeSet::new(),
            slots: HashMap::new(),
            open: BTreeSet::new(),
            keys: HashMap::new(),
            kept: VecDeque::new(),
            kept_bytes: 0,
            kept_bytes_max,
            n_strange: 0,
            swept: Duration::ZERO,
        }
    }

    /// Whether there is nobody to share with.
    pub fn is_alone(&self) -> bool {
        self.peers.is_empty()
    }

    pub fn kept_bytes(&self) -> usize {
        self.kept_bytes
    }

    /// Slots that have begun and are not decided.
    pub fn n_open(&self) -> usize {
        self.open.len()
    }

    /// Those that may be waited for have changed.
    pub fn set_peers(&mut self, now: Duration, peers: BTreeSet<MemberId>) -> Vec<Output> {
        if self.peers == peers {
            return Vec::new();
        }
        self.peers = peers;
        self.look_at_all(now)
    }

    /// Who has said nothing for a moment, as of the next tick; heartbeats come more often.
    pub fn set_silent(&mut self, silent: BTreeSet<MemberId>) {
        self.silent = silent;
    }

    /// A turn begins; nothing if there is one for this slot already.
    pub fn turn(&mut self, now: Moment, id: SlotId, limit: Duration) -> Option<Vec<Output>> {
        if self.slots.get(&id).is_some_and(Slot::is_over) {
            return None;
        }
        let key = self.keys.entry(id.key).or_default();
        key.begin(id.slot, now.monotonic);
        let n_strange = &mut self.n_strange;
        let slot = self.slots.entry(id).or_insert_with(|| Slot::new(now.monotonic));
        if std::mem::take(&mut slot.is_strange) {
            *n_strange -= 1;
        }
        slot.begin(now, id.slot, limit);
        self.open.insert(id);
        let mut outputs = Vec::new();
        self.look_at(now.monotonic, id, &mut outputs);
        Some(outputs)
    }

    /// The target has answered, or has not.
    pub fn fetched(&mut self, now: Duration, id: SlotId, shared: Shared) -> Vec<Output> {
        let mut outputs = Vec::new();
        if let Some(slot) = self.slots.get_mut(&id).filter(|slot| slot.decided.is_none()) {
            slot.fetch = Fetch::Done(shared);
            self.look_at(now, id, &mut outputs);
        }
        outputs
    }

    /// Nobody waits for this turn any more.
    pub fn abandon(&mut self, id: SlotId) -> Vec<Output> {
        let is_open = self.slots.get(&id).is_some_and(|slot| slot.decided.is_none());
        if !is_open {
            return Vec::new();
        }
        self.open.remove(&id);
        let slot = self.slots.remove(&id);
        slot.into_iter()
            .flat_map(|slot| slot.waiting())
            .map(|peer| Output::Send(peer, id, Share::Unknown))
            .collect()
    }

    /// Time passes.
    pub fn tick(&mut self, now: Duration) -> Vec<Output> {
        if now.saturating_sub(self.swept) >= Duration::from_secs(1) {
            self.swept = now;
            self.sweep(now);
        }
        self.look_at_all(now)
    }

    /// What a peer says.
    pub fn heard(
        &mut self,
        now: Duration,
        from: MemberId,
        id: SlotId,
        share: Share,
    ) -> Vec<Output> {
        let mut outputs = Vec::new();
        let is_known = self.keys.contains_key(&id.key);
        if let Some(key) = self.keys.get_mut(&id.key)
            && !matches!(share, Share::Unknown)
        {
            let newest = key.interest.entry(from).or_insert(id.slot);
            *newest = (*newest).max(id.slot);
        }
        let is_new = !self.slots.contains_key(&id);
        if is_new && !self.admit(now, from, id, &share, is_known, &mut outputs) {
            return outputs;
        }
        let Some(slot) = self.slots.get_mut(&id) else { return outputs };
        match share {
            Share::Want => slot.want(from, is_known),
            Share::Ask => slot.ask(from),
            Share::Unknown => slot.unknown(from),
            Share::Took => slot.took(from),
            Share::Offer(shared) => slot.offer(from, shared),
            Share::Have(shared) => slot.have(from, shared),
        }
        if slot.decided.is_none() {
            self.open.insert(id);
        }
        self.look_at(now, id, &mut outputs);
        outputs
    }

    /// Whether a slot that begins with another member's word is remembered; the word is answered
    /// if not.
    fn admit(
        &mut self,
        now: Duration,
        from: MemberId,
        id: SlotId,
        share: &Share,
        is_known: bool,
        outputs: &mut Vec<Output>,
    ) -> bool {
        let is_question = matches!(share, Share::Want | Share::Ask | Share::Offer(_));
        let is_past = self.keys.get(&id.key).is_some_and(|key| key.is_past(id.slot));
        let is_full = self.n_strange >= STRANGE_SLOTS_MAX;
        let is_nothing = !is_known && !matches!(share, Share::Want);
        if !is_question || is_past || is_full || is_nothing {
            if is_question {
                outputs.push(Output::Send(from, id, Share::Unknown));
            }
            return false;
        }
        let mut slot = Slot::new(now);
        slot.is_strange = true;
        self.n_strange += 1;
        self.slots.insert(id, slot);
        true
    }

    fn look_at_all(&mut self, now: Duration) -> Vec<Output> {
        let mut outputs = Vec::new();
        let open: Vec<SlotId> = self.open.iter().copied().collect();
        for id in open {
            self.look_at(now, id, &mut outputs);
        }
        outputs
    }

    /// Does for a slot what is due.
    fn look_at(&mut self, now: Duration, id: SlotId, outputs: &mut Vec<Output>) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        let key = self.keys.get(&id.key);
        let (own, peers, silent) = (self.own, &self.peers, &self.silent);
        let view = slot::View { own, peers, silent, key, id, now };
        let was_decided = slot.decided.is_some();
        slot.advance(&view, outputs);
        if slot.decided.is_some() && !was_decided {
            self.kept_bytes += slot.kept_bytes();
            self.kept.push_back(id);
        }
        if slot.decided.is_some() || slot.is_settled() {
            self.open.remove(&id);
        }
        if slot.is_known_to_all(&view) {
            self.kept_bytes -= slot.let_go();
        }
        while self.kept_bytes > self.kept_bytes_max {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.kept_bytes -= self.slots.get_mut(&oldest).map_or(0, Slot::let_go);
        }
    }

    /// Forgets what nobody will ask for any more.
    fn sweep(&mut self, now: Duration) {
        let (mut kept_bytes, mut n_strange) = (self.kept_bytes, self.n_strange);
        let (own, peers, silent, keys) = (self.own, &self.peers, &self.silent, &self.keys);
        self.slots.retain(|id, slot| {
            let age = now.saturating_sub(slot.since);
            let view = slot::View { own, peers, silent, key: keys.get(&id.key), id: *id, now };
            let is_over = slot.decided.is_some() || !slot.has_turn;
            let stays = !is_over || age < REMEMBER;
            if !stays || age >= KEEP || slot.is_known_to_all(&view) {
                kept_bytes -= slot.let_go();
            }
            n_strange -= usize::from(!stays && slot.is_strange);
            stays
        });
        (self.kept_bytes, self.n_strange) = (kept_bytes, n_strange);
        let slots = &self.slots;
        self.kept.retain(|id| slots.get(id).is_some_and(|slot| slot.kept_bytes() > 0));
        self.open.retain(|id| slots.contains_key(id));
        self.keys.retain(|_, key| now.saturating_sub(key.seen) < IDLE + 3 * key.interval());
    }
}

impl Key {
    fn begin(&mut self, slot: i64, now: Duration) {
        self.seen = now;
        if self.slots.back().is_none_or(|newest| *newest < slot) {
            self.slots.push_back(slot);
        }
        if self.slots.len() > RECENT_SLOTS {
            self.slots.pop_front();
        }
    }

    fn interval(&self) -> Duration {
        match (self.slots.front(), self.slots.back()) {
            (Some(first), Some(last)) => Duration::from_millis(last.saturating_sub(*first) as u64),
            _ => Duration::ZERO,
        }
    }

    /// Whether our turn for a slot has been or never was.
    fn is_past(&self, slot: i64) -> bool {
        self.slots.back().is_some_and(|newest| slot <= *newest)
    }

    fn takes_part(&self, peer: MemberId) -> bool {
        let oldest = self.slots.front().copied().unwrap_or(i64::MIN);
        self.interest.get(&peer).is_some_and(|newest| *newest >= oldest)
    }
}

/// The first of `members` that may ask for `key`.
fn first(key: u64, members: impl Iterator<Item = MemberId>) -> Option<MemberId> {
    ownership::first(key, members)
}
