//! Who is live at this moment, and whose clock is wrong?
//!
//! A member is live while it is heard and hears us. Time in which this process was stopped counts
//! for nobody: what others said meanwhile still waits to be read.

mod clocks;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use self::clocks::Clocks;
use crate::{
    MemberId, Moment,
    frame::{Echo, Heartbeat},
};

/// How often heartbeats are sent.
pub const HEARTBEAT: Duration = Duration::from_millis(200);
/// Not live any more after so long without a word.
pub const SILENCE: Duration = Duration::from_secs(1);
/// Nor if what it has last heard of us is older than this.
const DEAFNESS: Duration = Duration::from_millis(1_500);
/// Our own tick comes so late only if we were stopped.
pub const STALL: Duration = Duration::from_millis(500);

/// What is known of those who are linked.
pub struct Liveness {
    peers: BTreeMap<MemberId, Peer>,
    ticked: Option<Moment>,
    clocks: Clocks,
}

/// Somebody at the other end of a link.
#[derive(Debug, Clone)]
pub struct Peer {
    /// When anything came from there.
    heard: Duration,
    /// When our newest heartbeat was sent that it has heard; zero before that.
    echoed: Duration,
    /// Its newest heartbeat, and when it came.
    last: Option<(Heartbeat, Duration)>,
}

impl Liveness {
    pub fn new(own: MemberId) -> Liveness {
        Liveness { peers: BTreeMap::new(), ticked: None, clocks: Clocks::new(own) }
    }

    pub fn connected(&mut self, peer: MemberId, now: Duration) {
        self.peers.insert(peer, Peer { heard: now, echoed: Duration::ZERO, last: None });
        self.clocks.forget(peer);
    }

    pub fn disconnected(&mut self, peer: MemberId) {
        self.peers.remove(&peer);
        self.clocks.forget(peer);
    }

    /// Any word is a sign of life.
    pub fn heard(&mut self, from: MemberId, now: Duration) {
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.heard = now;
        }
    }

    /// Says whether something that others go by has changed.
    pub fn heartbeat(&mut self, from: MemberId, now: Moment, heartbeat: &Heartbeat) -> bool {
        let Some(peer) = self.peers.get_mut(&from) else { return false };
        let was = peer.last.map(|(last, _)| (last.fingerprint, last.is_quarantined));
        let had_echo = !peer.echoed.is_zero();
        if let Some(echo) = heartbeat.echo {
            // Nobody has heard what we are yet to say.
            peer.echoed = peer.echoed.max(echo.sent.min(now.monotonic));
        }
        let previous = peer.last.replace((*heartbeat, now.monotonic));
        self.clocks.note(from, now, heartbeat, previous.map(|(last, _)| last));
        was != Some((heartbeat.fingerprint, heartbeat.is_quarantined))
            || had_echo == peer.echoed.is_zero()
    }

    /// How long this process has been stopped just now, if it was.
    pub fn tick(&mut self, now: Moment, interval: Duration) -> Option<Duration> {
        let before = self.ticked.replace(now)?;
        self.clocks.tick(now, before);
        let late = now.monotonic.saturating_sub(before.monotonic + interval);
        if late <= STALL {
            return None;
        }
        for peer in self.peers.values_mut() {
            // Heard while we were stopped is heard now.
            peer.heard = (peer.heard + late).min(now.monotonic);
            if !peer.echoed.is_zero() {
                peer.echoed = (peer.echoed + late).min(now.monotonic);
            }
        }
        Some(late)
    }

    pub fn is_live(&self, peer: MemberId, now: Duration) -> bool {
        self.peers.get(&peer).is_some_and(|peer| peer.is_live(now))
    }

    /// Those who are live, with what they said last.
    pub fn live(&self, now: Duration) -> impl Iterator<Item = (MemberId, &Heartbeat)> {
        self.peers.iter().filter(move |(_, peer)| peer.is_live(now)).filter_map(|(id, peer)| {
            let (heartbeat, _) = peer.last.as_ref()?;
            Some((*id, heartbeat))
        })
    }

    /// Those from whom nothing has come for longer than `limit`.
    pub fn silent(&self, now: Duration, limit: Duration) -> Vec<MemberId> {
        let is_silent = |peer: &Peer| now.saturating_sub(peer.heard) > limit;
        self.peers.iter().filter(|(_, peer)| is_silent(peer)).map(|(id, _)| *id).collect()
    }

    /// What to tell a peer of its own heartbeats.
    pub fn echo(&self, peer: MemberId, now: Duration) -> Option<Echo> {
        let (heartbeat, at) = self.peers.get(&peer)?.last.as_ref()?;
        Some(Echo { sent: heartbeat.sent, age: now.saturating_sub(*at) })
    }

    pub fn linked(&self) -> impl Iterator<Item = MemberId> {
        self.peers.keys().copied()
    }

    pub fn last(&self, peer: MemberId) -> Option<&Heartbeat> {
        self.peers.get(&peer)?.last.as_ref().map(|(heartbeat, _)| heartbeat)
    }

    /// How far a peer's clock is ahead of ours, in milliseconds.
    pub fn clock_offset(&self, peer: MemberId) -> Option<i64> {
        self.clocks.offset(peer)
    }

    /// By how much our clock was set, if nobody has said yet whether it is right now.
    pub fn unsure_clock(&self) -> Option<i64> {
        self.clocks.unsure()
    }

    /// How far our clock is ahead of the right time, if that is too far. The right time is the
    /// median's; where two halves differ, `holder`'s.
    pub fn judge_own_clock(&mut self, now: Duration, holder: Option<MemberId>) -> Option<i64> {
        let peers = self.peers.iter();
        let live = peers.filter(|(_, peer)| peer.is_live(now)).map(|(id, _)| *id);
        self.clocks.judge(live, holder)
    }
}

impl Peer {
    fn is_live(&self, now: Duration) -> bool {
        !self.echoed.is_zero()
            && now.saturating_sub(self.heard) <= SILENCE
            && now.saturating_sub(self.echoed) <= DEAFNESS
    }
}
