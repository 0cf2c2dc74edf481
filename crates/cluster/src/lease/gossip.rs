//! The lease among members alone, without another service.
//!
//! A member that claims the lease says so in its heartbeats, with an epoch. Each of the others
//! acknowledges one claim at a time, and promises with that not to acknowledge another one until
//! it has not heard the claimant for a lease's duration. The claimant holds the lease for as long
//! as all members that are live to it have acknowledged something that it said less than nine
//! tenths of the duration ago. So two members that hear each other never hold it both, however
//! long either of them is stopped; where the network is cut, each side has a holder.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::MemberId;

/// A larger epoch is nobody's.
pub const EPOCH_MAX: u64 = i64::MAX as u64;

/// What heartbeats say of the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Word {
    /// The sender claims the lease.
    pub claim: Option<u64>,
    /// And everybody has acknowledged that.
    pub is_holding: bool,
    /// Whose claim the sender acknowledges.
    pub promise: Option<(u64, MemberId)>,
    /// The highest that it has heard of.
    pub epoch: u64,
    pub rank: Rank,
}

/// How much one wants to hold the lease: the lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Rank {
    #[default]
    Willing,
    /// Has just let go of it.
    Released,
    /// Could not do much with it.
    Unhealthy,
    /// Is about to stop.
    Leaving,
}

/// One member's part.
pub struct GossipLease {
    own: MemberId,
    duration: Duration,
    /// The epoch of our claim.
    claim: Option<u64>,
    was_holding: bool,
    /// Whose claim we acknowledge, our own among them.
    promise: Option<Promise>,
    epoch: u64,
    is_leaving: bool,
    is_unhealthy: bool,
    /// Lets others go first until then.
    yields_until: Option<Duration>,
    /// Since when nobody has claimed the lease, as far as we would have heard.
    quiet_since: Duration,
    /// Since when this process has not been stopped; what came before may have waited to be read.
    awake_since: Duration,
    /// When we claimed it, and who must acknowledge that before it counts, live or not.
    claimed: Duration,
    needed: BTreeSet<MemberId>,
    peers: BTreeMap<MemberId, Peer>,
    /// Those that should be there, ourselves left out.
    known: Vec<MemberId>,
}

#[derive(Debug, Clone, Copy)]
struct Promise {
    epoch: u64,
    to: MemberId,
    heard: Duration,
}

#[derive(Debug, Clone, Copy, Default)]
struct Peer {
    word: Word,
    /// When we said the newest thing that it had heard as it said its word.
    echo: Duration,
    /// When we said the newest thing that it has acknowledged for our claim.
    acknowledged: Option<Duration>,
}

impl GossipLease {
    /// A member that has just started; it waits for a while whether somebody holds the lease.
    pub fn new(own: MemberId, duration: Duration, now: Duration) -> GossipLease {
        GossipLease {
            own,
            duration,
            claim: None,
            was_holding: false,
            promise: None,
            epoch: 0,
            is_leaving: false,
            is_unhealthy: false,
            yields_until: None,
            quiet_since: now,
            awake_since: now,
            claimed: now,
            needed: BTreeSet::new(),
            peers: BTreeMap::new(),
            known: Vec::new(),
        }
    }

    pub fn word(&self) -> Word {
        Word {
            claim: self.claim,
            is_holding: self.claim.is_some() && self.was_holding,
            promise: self.promise.map(|promise| (promise.epoch, promise.to)),
            epoch: self.epoch,
            rank: self.rank(),
        }
    }

    /// The members that should be there.
    pub fn set_known(&mut self, members: &[MemberId]) {
        self.known = members.iter().copied().filter(|member| *member != self.own).collect();
    }

    /// Until when this member holds the lease, if nothing happens. `live` are the peers that are.
    pub fn valid_until(&self, now: Duration, live: &[MemberId]) -> Option<Duration> {
        self.claim?;
        if !self.needed.is_empty() {
            return None;
        }
        let mut said = now;
        for peer in live {
            said = said.min(self.peers.get(peer)?.acknowledged?);
        }
        // Clocks may run a little faster or slower than each other.
        Some(said + self.duration * 9 / 10)
    }

    /// Who holds it, as far as we know.
    pub fn holder(&self) -> Option<(u64, MemberId)> {
        self.promise.map(|promise| (promise.epoch, promise.to))
    }

    /// What `from` says; `echo` is when we said what it has heard of us last.
    pub fn heard(
        &mut self,
        from: MemberId,
        now: Duration,
        word: &Word,
        echo: Option<Duration>,
        live: &[MemberId],
    ) {
        self.epoch = self.epoch.max(word.epoch).max(word.claim.unwrap_or_default());
        let peer = self.peers.entry(from).or_default();
        if word.rank == Rank::Released && peer.word.rank != Rank::Released {
            // Whoever lets go last goes last.
            self.yields_until = None;
        }
        peer.word = *word;
        peer.echo = peer.echo.max(echo.unwrap_or_default().min(now));
        if let Some(claim) = self.claim
            && word.promise == Some((claim, self.own))
        {
            peer.acknowledged = peer.acknowledged.max(echo.map(|echo| echo.min(now)));
            if peer.acknowledged.is_some() {
                self.needed.remove(&from);
            }
        }
        match word.claim {
            Some(epoch) => self.consider(from, epoch, word.is_holding, now, live),
            // Whoever claimed it does not any more, in its own words.
            None if self.promise.is_some_and(|promise| promise.to == from) => self.promise = None,
            None => {}
        }
    }

    /// `from` claims the lease: is that acknowledged?
    fn consider(
        &mut self,
        from: MemberId,
        epoch: u64,
        is_holding: bool,
        now: Duration,
        live: &[MemberId],
    ) {
        let is_acknowledged = match self.promise {
            None => true,
            Some(promise) if promise.to == from => true,
            Some(promise) if promise.to == self.own => {
                let holds = self.valid_until(now, live).is_some_and(|until| until > now);
                match (holds, is_holding) {
                    // After a cut: the newer one stays.
                    (true, true) => (epoch, self.own) > (promise.epoch, from),
                    (true, false) => false,
                    (false, true) => true,
                    (false, false) => (epoch, self.own) > (promise.epoch, from),
                }
            }
            Some(promise) => {
                let is_over = now.saturating_sub(promise.heard) >= self.duration;
                is_over || is_holding && epoch > promise.epoch
            }
        };
        if is_acknowledged {
            self.withdraw(now);
            self.promise = Some(Promise { epoch, to: from, heard: now });
            self.quiet_since = now;
        }
    }

    /// The link to a peer is gone; so is what it said, but not what we promised.
    pub fn disconnected(&mut self, peer: MemberId) {
        self.peers.remove(&peer);
    }

    /// A peer has said that it stops.
    pub fn goodbye(&mut self, peer: MemberId) {
        self.disconnected(peer);
        self.known.retain(|known| *known != peer);
        if self.promise.is_some_and(|promise| promise.to == peer) {
            self.promise = None;
        }
    }

    /// This process was stopped for so long: others may have agreed on something meanwhile.
    pub fn stalled(&mut self, late: Duration, now: Duration, live: &[MemberId]) {
        (self.quiet_since, self.awake_since) = (now, now);
        if let Some(promise) = &mut self.promise {
            promise.heard = now;
        }
        let before = now.saturating_sub(late);
        let has_lapsed = self.valid_until(before, live).is_none_or(|until| until <= now);
        if self.claim.is_some() && has_lapsed {
            self.withdraw(now);
        }
    }

    /// Time passes; says whether the others should be told something at once. `wall` is the time
    /// since the Unix epoch.
    pub fn tick(&mut self, now: Duration, wall: Duration, live: &[MemberId]) -> bool {
        let before = self.word();
        self.yields_until = self.yields_until.filter(|until| *until > now);
        if let Some(promise) = self.promise
            && promise.to != self.own
            && now.saturating_sub(promise.heard) >= self.duration
        {
            self.promise = None;
        }
        self.was_holding = self.valid_until(now, live).is_some_and(|until| until > now);
        if self.claim.is_some() {
            self.reconsider(now, live);
        } else if self.promise.is_none() && self.may_claim(now, live) {
            // Epochs grow, even if everybody who knew the last one has been killed since.
            self.epoch = (self.epoch + 1).max(wall.as_secs()).min(EPOCH_MAX);
            self.claim = Some(self.epoch);
            self.yields_until = None;
            self.promise = Some(Promise { epoch: self.epoch, to: self.own, heard: now });
            self.claimed = now;
            self.needed = live.iter().copied().collect();
            for peer in self.peers.values_mut() {
                peer.acknowledged = None;
            }
            self.was_holding = self.valid_until(now, live).is_some_and(|until| until > now);
        }
        self.word() != before
    }

    /// Lets go of the lease, for others to take it at once; for good if this member `leaves`.
    pub fn release(&mut self, now: Duration, leaves: bool) {
        self.withdraw(now);
        self.is_leaving |= leaves;
        self.yields_until = Some(now + 10 * self.duration);
    }

    /// Whether this member could do something with the lease.
    pub fn set_healthy(&mut self, is_healthy: bool) {
        self.is_unhealthy = !is_healthy;
    }

    fn rank(&self) -> Rank {
        match (self.is_leaving, self.is_unhealthy, self.yields_until) {
            (true, ..) => Rank::Leaving,
            (_, true, _) => Rank::Unhealthy,
            (_, _, Some(_)) => Rank::Released,
            _ => Rank::Willing,
        }
    }

    fn withdraw(&mut self, now: Duration) {
        if self.claim.take().is_some() {
            self.promise = None;
            self.quiet_since = now;
        }
        self.was_holding = false;
        self.needed.clear();
    }

    /// Our claim is not acknowledged by all, or another member wants the lease more.
    fn reconsider(&mut self, now: Duration, live: &[MemberId]) {
        let words = || live.iter().filter_map(|peer| Some(self.peers.get(peer)?.word));
        let is_denied = !self.was_holding
            && words().any(|word| word.promise.is_some_and(|(_, to)| to != self.own));
        let rank = self.rank();
        let is_outranked = rank >= Rank::Unhealthy && words().any(|word| word.rank < rank);
        // Whoever has not answered by now may have gone its own way.
        let is_unanswered =
            !self.needed.is_empty() && now.saturating_sub(self.claimed) >= self.duration;
        if is_denied || is_outranked || is_unanswered {
            self.withdraw(now);
        }
    }

    fn may_claim(&self, now: Duration, live: &[MemberId]) -> bool {
        let rank = self.rank();
        if rank == Rank::Leaving {
            return false;
        }
        let words = || live.iter().filter_map(|peer| Some((*peer, self.peers.get(peer)?.word)));
        // Somebody hears who holds it, if we do not.
        if words().any(|(_, word)| word.claim.is_some() || word.promise.is_some()) {
            return false;
        }
        let is_next = words().all(|(peer, word)| (rank, self.own) < (word.rank, peer));
        let quiet = now.saturating_sub(self.quiet_since);
        let is_heard = |member: &MemberId| {
            let peer = self.peers.get(member);
            live.contains(member) && peer.is_some_and(|peer| peer.echo >= self.awake_since)
        };
        let all_agree = !self.known.is_empty() && self.known.iter().all(is_heard);
        is_next && (all_agree || quiet >= self.duration) || quiet >= 2 * self.duration
    }
}
