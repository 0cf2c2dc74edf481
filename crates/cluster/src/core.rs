//! One member's mind: who is live, who asks a target, who writes. Pure: moments and inputs go in,
//! frames and decisions come out.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    MemberId, Moment,
    frame::{Frame, Heartbeat, Shared, SlotId},
    lease::gossip::{GossipLease, Word},
    liveness::{HEARTBEAT, Liveness},
    sharing::{self, Sharing},
};

/// How often [`Input::Tick`] is expected.
pub const TICK: Duration = Duration::from_millis(100);
/// A link on which nothing comes for so long is broken.
const LINK_SILENCE: Duration = Duration::from_secs(2);
/// Who has said nothing for so long may be stopped; two heartbeats are missing.
const DOUBT: Duration = Duration::from_millis(500);
/// Outcomes that are kept for members that come late.
const KEPT_BYTES_MAX: usize = 64 << 20;

/// What happens to a member.
#[derive(Debug)]
pub enum Input {
    Tick,
    Linked(MemberId),
    Unlinked(MemberId),
    Heard(MemberId, Frame),
    /// Something came that is not for us.
    Sign(MemberId),
    Turn {
        id: SlotId,
        limit: Duration,
    },
    Fetched {
        id: SlotId,
        shared: Shared,
    },
    Abandoned(SlotId),
    /// The members that there are, this one included.
    Known(Vec<MemberId>),
    Fingerprint(u64),
    /// Whether this member could make use of the lease.
    Healthy(bool),
    /// The lease is for somebody else, from now on; for good if this member leaves.
    Release {
        leaves: bool,
    },
    /// What another service says of the lease.
    Word(Word),
}

/// What a member does.
#[derive(Debug, PartialEq)]
pub enum Output {
    Send(MemberId, Frame),
    /// Give up a link.
    Close(MemberId),
    Fetch(SlotId),
    Done(SlotId, Shared),
    /// A turn that cannot be shared.
    Unshared(SlotId),
    /// No turn: our clock is wrong, and so the slot is not one.
    LeftOut(SlotId),
}

/// See the module.
pub struct Core {
    own: MemberId,
    liveness: Liveness,
    sharing: Sharing,
    lease: Lease,
    fingerprint: u64,
    is_healthy: bool,
    /// How far our clock is off, in milliseconds, if that is too far.
    clock_error: Option<i64>,
    /// Peers that are live, as of the last look.
    live: Vec<MemberId>,
    said: Duration,
    word: Word,
}

enum Lease {
    Gossip(Box<GossipLease>),
    /// Another service decides; this is what it said last.
    Elsewhere(Word),
}

impl Core {
    /// A member that has just started. Without `lease_duration` another service decides who writes.
    pub fn new(own: MemberId, now: Moment, fingerprint: u64, lease: Option<Duration>) -> Core {
        let lease = match lease {
            Some(duration) => {
                Lease::Gossip(Box::new(GossipLease::new(own, duration, now.monotonic)))
            }
            None => Lease::Elsewhere(Word::default()),
        };
        let mut liveness = Liveness::new(own);
        // Who is stopped as soon as it was started must notice, too.
        liveness.tick(now, TICK);
        Core {
            own,
            liveness,
            sharing: Sharing::new(own, KEPT_BYTES_MAX),
            lease,
            fingerprint,
            is_healthy: true,
            clock_error: None,
            live: Vec::new(),
            said: Duration::ZERO,
            word: Word::default(),
        }
    }

    pub fn handle(&mut self, now: Moment, input: Input) -> Vec<Output> {
        let mut outputs = Vec::new();
        self.notice_stall(now);
        match input {
            Input::Tick => self.tick(now, &mut outputs),
            Input::Linked(peer) => {
                self.liveness.connected(peer, now.monotonic);
                outputs.push(self.heartbeat(now, peer));
            }
            Input::Unlinked(peer) => {
                self.liveness.disconnected(peer);
                if let Lease::Gossip(lease) = &mut self.lease {
                    lease.disconnected(peer);
                }
                self.look_around(now, &mut outputs);
            }
            Input::Heard(from, frame) => {
                self.liveness.heard(from, now.monotonic);
                self.heard(now, from, frame, &mut outputs);
            }
            Input::Sign(from) => self.liveness.heard(from, now.monotonic),
            Input::Turn { id, .. } if self.clock_error.is_some() => {
                outputs.push(Output::LeftOut(id));
            }
            Input::Turn { id, limit } => match self.sharing.turn(now, id, limit) {
                Some(shared) => extend(&mut outputs, shared),
                None => outputs.push(Output::Unshared(id)),
            },
            Input::Fetched { id, shared } => {
                extend(&mut outputs, self.sharing.fetched(now.monotonic, id, shared));
            }
            Input::Abandoned(id) => extend(&mut outputs, self.sharing.abandon(id)),
            Input::Known(members) => {
                if let Lease::Gossip(lease) = &mut self.lease {
                    lease.set_known(&members);
                }
            }
            Input::Fingerprint(fingerprint) => {
                self.fingerprint = fingerprint;
                self.look_around(now, &mut outputs);
                self.tell_all(now, &mut outputs);
            }
            Input::Healthy(is_healthy) => {
                self.is_healthy = is_healthy;
                self.set_health();
            }
            Input::Release { leaves } => {
                if let Lease::Gossip(lease) = &mut self.lease {
                    lease.release(now.monotonic, leaves);
                }
            }
            Input::Word(word) => {
                if let Lease::Elsewhere(known) = &mut self.lease {
                    *known = word;
                }
            }
        }
        self.tell_news(now, &mut outputs);
        outputs
    }

    /// Until when this member may write, if the members decide that among themselves.
    pub fn valid_until(&self, now: Duration) -> Option<Duration> {
        match &self.lease {
            Lease::Gossip(lease) => lease.valid_until(now, &self.live),
            Lease::Elsewhere(_) => None,
        }
    }

    /// The epoch, and who holds the lease.
    pub fn holder(&self) -> Option<(u64, MemberId)> {
        match &self.lease {
            Lease::Gossip(lease) => lease.holder(),
            Lease::Elsewhere(word) => word.promise,
        }
    }

    /// How far our clock is ahead of the right time, in milliseconds, if that is too far.
    pub fn clock_error(&self) -> Option<i64> {
        self.clock_error
    }

    pub fn liveness(&self) -> &Liveness {
        &self.liveness
    }

    pub fn sharing(&self) -> &Sharing {
        &self.sharing
    }

    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Peers that are live, as of the last look.
    pub fn live(&self) -> &[MemberId] {
        &self.live
    }

    /// What a peer last said of the lease.
    pub fn word_of(&self, peer: MemberId) -> Option<Word> {
        self.liveness.last(peer).map(|heartbeat| heartbeat.lease)
    }

    fn notice_stall(&mut self, now: Moment) {
        let stalled = self.liveness.tick(now, TICK);
        if self.clock_error.is_none() && !self.live.is_empty() {
            self.clock_error = self.liveness.unsure_clock();
        }
        let Some(late) = stalled else { return };
        if let Lease::Gossip(lease) = &mut self.lease {
            lease.stalled(late, now.monotonic, &self.live);
        }
    }

    fn tick(&mut self, now: Moment, outputs: &mut Vec<Output>) {
        let silent = self.liveness.silent(now.monotonic, LINK_SILENCE);
        outputs.extend(silent.into_iter().map(Output::Close));
        self.look_around(now, outputs);
        let holder = self.holder().map(|(_, holder)| holder);
        let unsure = self.liveness.unsure_clock().filter(|_| !self.live.is_empty());
        let judged = self.liveness.judge_own_clock(now.monotonic, holder);
        let clock_error = unsure.or(judged);
        if self.clock_error.is_some() != clock_error.is_some() {
            self.clock_error = clock_error;
            self.set_health();
            self.look_around(now, outputs);
            self.tell_all(now, outputs);
        }
        self.clock_error = clock_error;
        let silent = self.liveness.silent(now.monotonic, DOUBT);
        self.sharing.set_silent(silent.into_iter().collect());
        extend(outputs, self.sharing.tick(now.monotonic));
        if now.monotonic.saturating_sub(self.said) >= HEARTBEAT {
            self.tell_all(now, outputs);
        }
    }

    fn heard(&mut self, now: Moment, from: MemberId, frame: Frame, outputs: &mut Vec<Output>) {
        match frame {
            Frame::Heartbeat(heartbeat) => {
                // Without an echo we are not heard yet, as far as it knows.
                let is_first = self.liveness.last(from).is_none();
                if self.liveness.heartbeat(from, now, &heartbeat) {
                    self.look_around(now, outputs);
                }
                if is_first {
                    outputs.push(self.heartbeat(now, from));
                }
                if let Lease::Gossip(lease) = &mut self.lease {
                    let echo = heartbeat.echo.map(|echo| echo.sent);
                    lease.heard(from, now.monotonic, &heartbeat.lease, echo, &self.live);
                }
            }
            Frame::Goodbye => {
                self.liveness.disconnected(from);
                if let Lease::Gossip(lease) = &mut self.lease {
                    lease.goodbye(from);
                }
                self.look_around(now, outputs);
                outputs.push(Output::Close(from));
            }
            Frame::Share(id, share) => {
                extend(outputs, self.sharing.heard(now.monotonic, from, id, share));
            }
            // Not decided here.
            Frame::Acks(_) => {}
        }
    }

    /// Who is live, and who of them may be waited for?
    fn look_around(&mut self, now: Moment, outputs: &mut Vec<Output>) {
        self.live.clear();
        self.live.extend(self.liveness.live(now.monotonic).map(|(peer, _)| peer));
        let does_the_same = |heartbeat: &Heartbeat| {
            heartbeat.fingerprint == self.fingerprint && !heartbeat.is_quarantined
        };
        let sharing: BTreeSet<MemberId> = match self.clock_error {
            Some(_) => BTreeSet::new(),
            None => {
                let live = self.liveness.live(now.monotonic);
                live.filter(|(_, said)| does_the_same(said)).map(|(peer, _)| peer).collect()
            }
        };
        extend(outputs, self.sharing.set_peers(now.monotonic, sharing));
    }

    fn set_health(&mut self) {
        if let Lease::Gossip(lease) = &mut self.lease {
            lease.set_healthy(self.is_healthy && self.clock_error.is_none());
        }
    }

    /// What the others wait for is not put off until the next heartbeat.
    fn tell_news(&mut self, now: Moment, outputs: &mut Vec<Output>) {
        if let Lease::Gossip(lease) = &mut self.lease {
            lease.tick(now.monotonic, now.wall, &self.live);
        }
        if self.current_word() != self.word {
            self.tell_all(now, outputs);
        }
    }

    fn tell_all(&mut self, now: Moment, outputs: &mut Vec<Output>) {
        self.said = now.monotonic;
        self.word = self.current_word();
        let peers: Vec<MemberId> = self.liveness.linked().collect();
        outputs.extend(peers.into_iter().map(|peer| self.heartbeat(now, peer)));
    }

    fn current_word(&self) -> Word {
        match &self.lease {
            Lease::Gossip(lease) => lease.word(),
            Lease::Elsewhere(word) => *word,
        }
    }

    fn heartbeat(&self, now: Moment, to: MemberId) -> Output {
        let heartbeat = Heartbeat {
            sent: now.monotonic,
            wall: now.wall,
            echo: self.liveness.echo(to, now.monotonic),
            fingerprint: self.fingerprint,
            is_quarantined: self.clock_error.is_some(),
            lease: self.current_word(),
        };
        Output::Send(to, Frame::Heartbeat(heartbeat))
    }

    pub fn own(&self) -> MemberId {
        self.own
    }
}

fn extend(outputs: &mut Vec<Output>, shared: Vec<sharing::Output>) {
    outputs.extend(shared.into_iter().map(|output| match output {
        sharing::Output::Send(to, id, share) => Output::Send(to, Frame::Share(id, share)),
        sharing::Output::Fetch(id) => Output::Fetch(id),
        sharing::Output::Done(id, shared) => Output::Done(id, shared),
    }));
}
