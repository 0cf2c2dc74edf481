//! One slot of one target, from the first word about it until it is forgotten.

use std::{cmp::Reverse, collections::BTreeSet, time::Duration};

use super::{ANSWER, GRACE, HOLD, Key, Output, first};
use crate::{
    MemberId, Moment,
    frame::{Share, Shared, SlotId},
    ownership,
};

/// Whoever has begun to take part may not have said so yet.
const NEWCOMERS: Duration = Duration::from_secs(2);

pub(super) struct Slot {
    /// When it was first heard of.
    pub(super) since: Duration,
    /// Known only because somebody asked.
    pub(super) is_strange: bool,
    pub(super) has_turn: bool,
    pub(super) fetch: Fetch,
    pub(super) decided: Option<Decided>,
    /// When the target has had its time, and when whoever else asks it has.
    ends: Duration,
    deadline: Duration,
    /// When another member may try, too, though we still wait for the target.
    hedges_at: Duration,
    /// From when on nobody is waited for who says nothing at all.
    doubts_at: Duration,
    /// We have told somebody that we do not ask.
    has_declined: bool,
    wanting: BTreeSet<MemberId>,
    /// Have failed, and let us try.
    askers: BTreeSet<MemberId>,
    /// Askers that know that we have failed, too.
    answered: BTreeSet<MemberId>,
    /// Do not ask the target, or have failed.
    unable: BTreeSet<MemberId>,
    /// Were asked to try, and take their time.
    tried: BTreeSet<MemberId>,
    /// Has been told that we want to know.
    waits_for: Option<MemberId>,
    /// We have failed, and let it try, since then.
    asked: Option<(MemberId, Duration)>,
    /// How long it may take before another one may try, too.
    patience: Duration,
    offer: Option<Offer>,
    heard: Vec<Heard>,
}

pub(super) enum Fetch {
    No,
    Running,
    Done(Shared),
}

/// Our outcome, on its way.
struct Offer {
    until: Duration,
    awaiting: BTreeSet<MemberId>,
    sent: BTreeSet<MemberId>,
    /// To all that take part, not only to who has asked for it.
    is_full: bool,
    accepted: BTreeSet<MemberId>,
}

/// Somebody else's outcome.
struct Heard {
    from: MemberId,
    shared: Shared,
    /// `from` has decided so.
    is_decided: bool,
    is_answered: bool,
}

pub(super) struct Decided {
    by: MemberId,
    /// For those who come late, until it is let go.
    shared: Option<Shared>,
    known_to: BTreeSet<MemberId>,
    is_taken: bool,
}

/// What a slot needs to know of the world.
pub(super) struct View<'a> {
    pub(super) own: MemberId,
    pub(super) peers: &'a BTreeSet<MemberId>,
    /// Of these, who has said nothing for a moment, and may be stopped.
    pub(super) silent: &'a BTreeSet<MemberId>,
    pub(super) key: Option<&'a Key>,
    pub(super) id: SlotId,
    pub(super) now: Duration,
}

impl Slot {
    pub(super) fn new(now: Duration) -> Slot {
        Slot {
            since: now,
            is_strange: false,
            has_turn: false,
            fetch: Fetch::No,
            decided: None,
            ends: now,
            deadline: now,
            hedges_at: now,
            doubts_at: now,
            has_declined: false,
            wanting: BTreeSet::new(),
            askers: BTreeSet::new(),
            answered: BTreeSet::new(),
            unable: BTreeSet::new(),
            tried: BTreeSet::new(),
            waits_for: None,
            asked: None,
            patience: Duration::ZERO,
            offer: None,
            heard: Vec::new(),
        }
    }

    pub(super) fn begin(&mut self, now: Moment, slot: i64, limit: Duration) {
        let wall = i64::try_from(now.wall.as_millis()).unwrap_or(i64::MAX);
        let late = u64::try_from(wall.saturating_sub(slot)).unwrap_or_default();
        let left = limit.saturating_sub(Duration::from_millis(late));
        self.has_turn = true;
        self.ends = now.monotonic + left;
        self.deadline = self.ends + GRACE;
        self.hedges_at = now.monotonic + left * 3 / 4;
        self.doubts_at = now.monotonic + left / 2;
        self.patience = left / 8;
    }

    /// Whether its turn has been, or can get nothing from others any more.
    pub(super) fn is_over(&self) -> bool {
        self.has_turn || self.decided.as_ref().is_some_and(|decided| decided.shared.is_none())
    }

    /// Nothing is due unless somebody says something.
    pub(super) fn is_settled(&self) -> bool {
        !self.has_turn && self.has_declined && self.wanting.is_empty() && self.askers.is_empty()
    }

    /// Those that wait for a word of ours.
    pub(super) fn waiting(&self) -> BTreeSet<MemberId> {
        self.wanting.union(&self.askers).copied().collect()
    }

    pub(super) fn want(&mut self, from: MemberId, is_known: bool) {
        self.wanting.insert(from);
        self.has_declined |= !is_known && !self.has_turn;
    }

    pub(super) fn ask(&mut self, from: MemberId) {
        self.askers.insert(from);
        self.unable.insert(from);
    }

    pub(super) fn unknown(&mut self, from: MemberId) {
        self.unable.insert(from);
        self.tried.remove(&from);
        if let Some(offer) = &mut self.offer {
            offer.awaiting.remove(&from);
        }
    }

    pub(super) fn took(&mut self, from: MemberId) {
        if let Some(decided) = &mut self.decided {
            decided.known_to.insert(from);
        } else if let Some(offer) = &mut self.offer {
            offer.awaiting.remove(&from);
            offer.accepted.insert(from);
        }
    }

    pub(super) fn offer(&mut self, from: MemberId, shared: Shared) {
        self.hear(from, shared, false);
    }

    pub(super) fn have(&mut self, from: MemberId, shared: Shared) {
        self.hear(from, shared, true);
    }

    fn hear(&mut self, from: MemberId, shared: Shared, is_decided: bool) {
        if let Some(offer) = &mut self.offer {
            offer.awaiting.remove(&from);
        }
        // One word of each is enough; the newest is what it stands by.
        self.heard.retain(|heard| heard.from != from);
        self.heard.push(Heard { from, shared, is_decided, is_answered: is_decided });
    }

    /// Does what is due.
    pub(super) fn advance(&mut self, view: &View<'_>, outputs: &mut Vec<Output>) {
        if self.decided.is_none() {
            match self.has_turn {
                true => self.decide_or_act(view, outputs),
                false => self.decide_or_decline(view, outputs),
            }
        }
        if self.decided.is_some() {
            self.tell(view, outputs);
        }
    }

    /// Before our own turn.
    fn decide_or_decline(&mut self, view: &View<'_>, outputs: &mut Vec<Output>) {
        if !self.heard.is_empty() {
            return self.choose(view);
        }
        if self.has_declined || view.now.saturating_sub(self.since) >= HOLD {
            self.has_declined = true;
            let waiting = self.waiting();
            outputs.extend(waiting.into_iter().map(|to| Output::Send(to, view.id, Share::Unknown)));
            self.wanting.clear();
            self.askers.clear();
        }
    }

    fn decide_or_act(&mut self, view: &View<'_>, outputs: &mut Vec<Output>) {
        if self.offer.is_some() {
            return self.go_on_offering(view, outputs);
        }
        if self.heard.iter().any(|heard| !heard.shared.has_failed) {
            return self.choose(view);
        }
        let leads = matches!(self.fetch, Fetch::Running | Fetch::Done(_));
        for heard in &self.heard {
            // Whoever let us try has given up; or it has asked, and we have not.
            if !leads || self.askers.contains(&heard.from) {
                return self.choose(view);
            }
            self.unable.insert(heard.from);
        }
        if let Some((asked, since)) = self.asked {
            if !self.is_able(view, asked) {
                self.asked = None;
            } else if view.now >= since + self.patience {
                // It may be stopped, though nobody has noticed yet; what it gets still counts.
                self.unable.insert(asked);
                self.tried.insert(asked);
                self.asked = None;
            }
        }
        let has_failed = match &self.fetch {
            Fetch::No => return self.find_who_asks(view, outputs),
            Fetch::Running => {
                let may_hedge = view.now >= self.hedges_at && !self.has_asker(view);
                if may_hedge && self.asked.is_none() {
                    self.ask_next(view, outputs);
                }
                return;
            }
            Fetch::Done(shared) => shared.has_failed,
        };
        match (has_failed, self.has_asker(view)) {
            (false, has_asker) => self.begin_offer(!has_asker, view, outputs),
            (true, true) if view.now < self.deadline => self.tell_askers(view, outputs),
            (true, false) if self.asked.is_some() && view.now < self.ends => {}
            (true, false) if view.now < self.ends && self.ask_next(view, outputs) => {}
            (true, false) if view.now < self.ends && self.is_anybody_trying(view) => {}
            (true, _) => self.begin_offer(true, view, outputs),
        }
    }

    fn is_able(&self, view: &View<'_>, peer: MemberId) -> bool {
        view.peers.contains(&peer) && !self.unable.contains(&peer)
    }

    /// Somebody was asked to try, and has said nothing since.
    fn is_anybody_trying(&self, view: &View<'_>) -> bool {
        let has_said = |peer: &MemberId| self.heard.iter().any(|heard| heard.from == *peer);
        self.tried.iter().any(|peer| view.peers.contains(peer) && !has_said(peer))
    }

    fn has_asker(&self, view: &View<'_>) -> bool {
        self.askers.iter().any(|asker| view.peers.contains(asker))
    }

    /// The first of the ranking that can asks the target.
    fn find_who_asks(&mut self, view: &View<'_>, outputs: &mut Vec<Output>) {
        if self.has_declined {
            // Else two could wait for each other.
            let wanting = std::mem::take(&mut self.wanting).into_iter();
            outputs.extend(wanting.map(|to| Output::Send(to, view.id, Share::Unknown)));
        }
        // With a short interval the next slot would begin before anybody counts as gone.
        let is_doubtful =
            |peer: &MemberId| view.now >= self.doubts_at && view.silent.contains(peer);
        let can = |peer: &MemberId| self.is_able(view, *peer) && !is_doubtful(peer);
        let peers = view.peers.iter().copied().filter(can);
        let own = (!self.has_declined).then_some(view.own);
        let leader = first(view.id.key, peers.chain(own)).unwrap_or(view.own);
        let must = view.now >= self.deadline || self.has_asker(view);
        if leader == view.own || must {
            self.fetch = Fetch::Running;
            outputs.push(Output::Fetch(view.id));
        } else if self.waits_for != Some(leader) {
            self.waits_for = Some(leader);
            outputs.push(Output::Send(leader, view.id, Share::Want));
        }
    }

    /// Lets the next one try; false if there is none.
    fn ask_next(&mut self, view: &View<'_>, outputs: &mut Vec<Output>) -> bool {
        let peers = view.peers.iter().copied().filter(|peer| self.is_able(view, *peer));
        let next = first(view.id.key, peers);
        self.asked = next.map(|next| (next, view.now));
        outputs.extend(next.map(|next| Output::Send(next, view.id, Share::Ask)));
        next.is_some()
    }

    /// Those who let us try learn that we have failed, too.
    fn tell_askers(&mut self, view: &View<'_>, outputs: &mut Vec<Output>) {
        let Fetch::Done(shared) = &self.fetch else { return };
        for asker in &self.askers {
            if self.answered.insert(*asker) {
                outputs.push(Output::Send(*asker, view.id, Share::Offer(shared.clone())));
            }
        }
    }

    fn begin_offer(&mut self, is_full: bool, view: &View<'_>, outputs: &mut Vec<Output>) {
        self.offer = Some(Offer {
            until: view.now + ANSWER,
            awaiting: BTreeSet::new(),
            sent: BTreeSet::new(),
            is_full,
            accepted: BTreeSet::new(),
        });
        self.go_on_offering(view, outputs);
    }

    fn go_on_offering(&mut self, view: &View<'_>, outputs: &mut Vec<Output>) {
        self.send_offers(view, outputs);
        let Some(offer) = &mut self.offer else { return };
        offer.awaiting.retain(|peer| view.peers.contains(peer));
        if !offer.awaiting.is_empty() && view.now < offer.until {
            return;
        }
        let is_backed =
            !offer.accepted.is_empty() || self.heard.iter().any(|heard| heard.is_decided);
        if offer.is_full || is_backed {
            self.choose(view);
        } else {
            // Whoever let us try does not answer: from here on we lead.
            self.begin_offer(true, view, outputs);
        }
    }

    fn send_offers(&mut self, view: &View<'_>, outputs: &mut Vec<Output>) {
        let (Some(offer), Fetch::Done(shared)) = (&mut self.offer, &self.fetch) else { return };
        for peer in view.peers {
            let takes_part = || view.key.is_some_and(|key| key.takes_part(*peer));
            let is_meant = self.askers.contains(peer)
                || offer.is_full && (self.wanting.contains(peer) || takes_part());
            if is_meant && offer.sent.insert(*peer) {
                // Who has made an offer itself, answers with that.
                if !self.heard.iter().any(|heard| heard.from == *peer) {
                    offer.awaiting.insert(*peer);
                }
                outputs.push(Output::Send(*peer, view.id, Share::Offer(shared.clone())));
            }
        }
    }

    /// Decides on one of the outcomes that are known: one that has been decided elsewhere, if it
    /// is no failure; any that is none; then a failure. Of equals that of the first in the ranking.
    fn choose(&mut self, view: &View<'_>) {
        let accepted = self.offer.as_ref().map(|offer| &offer.accepted);
        let own = match &self.fetch {
            Fetch::Done(shared) => Some((shared, accepted.is_some_and(|by| !by.is_empty()))),
            _ => None,
        };
        let heard = self.heard.iter().map(|heard| (&heard.shared, heard.is_decided));
        let order = |(shared, is_decided): &(&Shared, bool)| {
            let score = ownership::score(view.id.key, shared.by);
            (shared.has_failed, !*is_decided, Reverse(score), shared.by)
        };
        let Some((best, _)) = own.into_iter().chain(heard).min_by_key(order) else { return };
        let best = best.clone();
        let same = |heard: &&Heard| heard.shared.by == best.by;
        let mut known_to: BTreeSet<_> =
            self.heard.iter().filter(same).map(|heard| heard.from).chain([best.by]).collect();
        known_to.extend(accepted.into_iter().flatten().filter(|_| best.by == view.own));
        let decided = Decided { by: best.by, known_to, shared: Some(best), is_taken: false };
        self.decided = Some(decided);
    }

    /// Hands the outcome to whoever waits for it, here and elsewhere.
    fn tell(&mut self, view: &View<'_>, outputs: &mut Vec<Output>) {
        let Some(decided) = &mut self.decided else { return };
        let answer = |shared: &Option<Shared>, make: fn(Shared) -> Share| match shared {
            Some(shared) => make(shared.clone()),
            None => Share::Unknown,
        };
        if self.has_turn && !decided.is_taken {
            decided.is_taken = true;
            outputs.extend(decided.shared.clone().map(|shared| Output::Done(view.id, shared)));
        }
        for heard in std::mem::take(&mut self.heard) {
            let share = if heard.shared.by == decided.by {
                Share::Took
            } else {
                answer(&decided.shared, Share::Have)
            };
            if !heard.is_answered {
                outputs.push(Output::Send(heard.from, view.id, share));
            }
            decided.known_to.insert(heard.from);
            self.wanting.remove(&heard.from);
            self.askers.remove(&heard.from);
        }
        let sent = self.offer.take().filter(|_| decided.by == view.own).map(|offer| offer.sent);
        let sent = sent.unwrap_or_default();
        for peer in std::mem::take(&mut self.wanting) {
            if !sent.contains(&peer) && !decided.known_to.contains(&peer) {
                outputs.push(Output::Send(peer, view.id, answer(&decided.shared, Share::Offer)));
            }
        }
        for peer in std::mem::take(&mut self.askers) {
            if !sent.contains(&peer) {
                outputs.push(Output::Send(peer, view.id, answer(&decided.shared, Share::Have)));
            }
        }
        // Nobody else needs it.
        self.fetch = Fetch::No;
    }

    /// Bytes that are kept for those who come late.
    pub(super) fn kept_bytes(&self) -> usize {
        let shared = self.decided.as_ref().and_then(|decided| decided.shared.as_ref());
        shared.map_or(0, |shared| shared.payload.bytes.len())
    }

    /// Lets go of the outcome; says how many bytes that were.
    pub(super) fn let_go(&mut self) -> usize {
        let bytes = self.kept_bytes();
        if let Some(decided) = &mut self.decided {
            decided.shared = None;
        }
        bytes
    }

    /// Whether all that take part have the outcome, so that nobody will come for it.
    pub(super) fn is_known_to_all(&self, view: &View<'_>) -> bool {
        let Some(decided) = &self.decided else { return false };
        if !decided.is_taken {
            return false;
        }
        let knows = |peer: &MemberId| decided.known_to.contains(peer);
        let interest = view.key.into_iter().flat_map(|key| key.interest.keys());
        let mut takes_part = interest.filter(|peer| view.key.is_some_and(|k| k.takes_part(**peer)));
        let may_be_new = view.now.saturating_sub(self.since) < NEWCOMERS;
        takes_part.all(knows) && (!may_be_new || view.peers.iter().all(knows))
    }
}
