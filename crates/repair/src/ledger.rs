//! What is known of what is lacking: kept over restarts, in a file of a few lines.

use std::{collections::BTreeMap, fmt::Write as _};

use model::{TimeRange, Timestamp};

use crate::Holes;

#[cfg(test)]
mod tests;

/// The first line of the file; the number is that of the format.
const TITLE: &str = "vesta repair 1";
/// Members of a cluster, and those that once were.
const PEERS_MAX: usize = 256;

/// Where this member may lack something, and which time has not been compared with whom.
///
/// A window is compared with each peer once. Whatever a peer had then is here afterwards; what it
/// got later it got from someone whom we compare with, too, or it says that it was not whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    /// Where reads had better ask others.
    holes: Holes,
    peers: BTreeMap<String, Peer>,
    /// All windows before are compared or in `peers`; nothing if that was never so.
    closed_until: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Peer {
    /// Closed time that has not been compared.
    unchecked: Holes,
    /// Compared, but the peer was not whole itself; to be compared again a while later.
    later: Holes,
}

impl Ledger {
    /// Begins a life: since the last one closed its windows until `until` anything may be lacking,
    /// but nothing older than `oldest` is wanted.
    pub fn begin(&mut self, oldest: Timestamp, until: Timestamp) {
        let closed = self.closed_until.map_or(oldest, Timestamp::from_millis).max(oldest);
        self.closed_until.get_or_insert(oldest.as_millis());
        self.holes.add(TimeRange { start: closed, end: until });
    }

    pub fn holes(&self) -> &Holes {
        &self.holes
    }

    /// Something went wrong here: a stretch may lack samples, whatever was compared before.
    pub fn add_hole(&mut self, range: TimeRange) {
        self.holes.add(range);
        let closed = TimeRange { end: self.closed_end().min(range.end), ..range };
        for peer in self.peers.values_mut() {
            peer.unchecked.add(closed);
        }
    }

    /// Takes in the windows that have closed until `until`, for all of `peers`; one that was not
    /// known is compared with from `oldest` on, and nothing older is wanted of any. Says whether
    /// there is anything new.
    pub fn close<'a>(
        &mut self,
        oldest: Timestamp,
        until: i64,
        peers: impl IntoIterator<Item = &'a str>,
    ) -> bool {
        let known_from = self.closed_until.unwrap_or(oldest.as_millis());
        let has_closed = until > known_from;
        let mut has_met = false;
        for peer in peers {
            if !self.peers.contains_key(peer) && self.peers.len() < PEERS_MAX {
                let mut new = Peer::default();
                new.unchecked.add(stretch(oldest.as_millis(), known_from));
                self.peers.insert(peer.to_owned(), new);
                has_met = true;
            }
        }
        let before_oldest = TimeRange::from_millis(i64::MIN, oldest.as_millis().saturating_sub(1));
        self.holes.cover(before_oldest);
        for peer in self.peers.values_mut() {
            if has_closed {
                std::mem::take(&mut peer.later).iter().for_each(|again| peer.unchecked.add(again));
                peer.unchecked.add(stretch(known_from, until));
            }
            peer.unchecked.cover(before_oldest);
        }
        self.closed_until = Some(known_from.max(until));
        has_closed || has_met
    }

    /// Until when windows are closed.
    pub fn closed_until(&self) -> Option<i64> {
        self.closed_until
    }

    /// With whom of `live` to compare next, and which time, at most `piece` milliseconds of it:
    /// holes before other time, the newest first.
    pub fn next<'a>(
        &self,
        live: impl IntoIterator<Item = &'a str>,
        piece: i64,
    ) -> Option<(&'a str, TimeRange)> {
        let end = self.closed_end();
        let candidates = live.into_iter().filter_map(|name| {
            let peer = self.peers.get(name)?;
            let mut urgent = Holes::default();
            for hole in self.holes.iter() {
                peer.unchecked.within(hole).into_iter().for_each(|part| urgent.add(part));
            }
            let found = urgent.next(end, piece).map(|range| (true, range));
            let found = found.or_else(|| Some((false, peer.unchecked.next(end, piece)?)));
            found.map(|(is_urgent, range)| (is_urgent, range.end, name, range))
        });
        let best = candidates.max_by_key(|(is_urgent, end, ..)| (*is_urgent, *end));
        best.map(|(_, _, name, range)| (name, range))
    }

    /// `range` differs from what another one has: until it has been fetched, it is a hole.
    pub fn differs(&mut self, range: TimeRange) {
        self.holes.add(range);
    }

    /// Whatever `peer` has in `range` is here now, but for what it lacks itself.
    pub fn checked(&mut self, peer: &str, range: TimeRange, lacking: &[TimeRange]) {
        let Some(known) = self.peers.get_mut(peer) else { return };
        known.unchecked.cover(range);
        let mut lacked = Holes::default();
        lacking.iter().for_each(|part| lacked.add(*part));
        lacked.within(range).into_iter().for_each(|part| known.later.add(part));
    }

    /// Ends the holes about which all of `live` have been asked; those who are away can wait for.
    /// Says whether any did.
    pub fn settle<'a>(&mut self, live: impl IntoIterator<Item = &'a str>) -> bool {
        let mut filled = self.holes.clone();
        filled.cover(TimeRange {
            start: Timestamp::from_millis(self.closed_end().as_millis().saturating_add(1)),
            end: Timestamp::MAX,
        });
        let mut has_asked = false;
        for name in live {
            let Some(peer) = self.peers.get(name) else { return false };
            has_asked = true;
            peer.unchecked.iter().for_each(|unchecked| filled.cover(unchecked));
        }
        if has_asked {
            filled.iter().for_each(|part| self.holes.cover(part));
        }
        has_asked && !filled.is_empty()
    }

    /// How much time is still to be compared with `peer`.
    pub fn unchecked_millis(&self, peer: &str) -> i64 {
        self.peers.get(peer).map_or(0, |peer| peer.unchecked.millis() + peer.later.millis())
    }

    fn closed_end(&self) -> Timestamp {
        Timestamp::from_millis(self.closed_until.map_or(i64::MIN, |until| until.saturating_sub(1)))
    }

    pub fn to_text(&self) -> String {
        let mut text = format!("{TITLE}\n");
        if let Some(until) = self.closed_until {
            // Writing to a string does not fail.
            writeln!(text, "closed {until}").ok();
        }
        for hole in self.holes.iter() {
            writeln!(text, "hole {} {}", hole.start, hole.end).ok();
        }
        for (name, peer) in &self.peers {
            writeln!(text, "peer {name}").ok();
            let mut unchecked = peer.unchecked.clone();
            peer.later.iter().for_each(|later| unchecked.add(later));
            for stretch in unchecked.iter() {
                writeln!(text, "unchecked {} {}", stretch.start, stretch.end).ok();
            }
        }
        text
    }

    /// Nothing if the text is no ledger: then everything is to be compared again.
    pub fn parse(text: &str) -> Option<Ledger> {
        let mut lines = text.lines();
        if lines.next() != Some(TITLE) {
            return None;
        }
        let mut ledger = Ledger::default();
        let mut peer = None;
        for line in lines {
            let (word, rest) = line.split_once(' ')?;
            let range = || {
                let (start, end) = rest.split_once(' ')?;
                Some(TimeRange::from_millis(start.parse().ok()?, end.parse().ok()?))
            };
            match word {
                "closed" => ledger.closed_until = Some(rest.parse().ok()?),
                "hole" => ledger.holes.add(range()?),
                "peer" => {
                    ledger.peers.entry(rest.to_owned()).or_default();
                    peer = Some(rest);
                }
                "unchecked" => ledger.peers.get_mut(peer?)?.unchecked.add(range()?),
                _ => return None,
            }
        }
        Some(ledger)
    }
}

/// From `start` to before `end`.
fn stretch(start: i64, end: i64) -> TimeRange {
    TimeRange::from_millis(start, end.saturating_sub(1))
}
