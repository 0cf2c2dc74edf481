//! What nodes say of each other: alive, suspect, dead, left.

use std::{net::SocketAddr, time::Duration};

use super::{Event, META_BYTES_MAX, Membership, NODES_MAX, VERSIONS, member::Entry};
use crate::{
    suspicion::Suspicion,
    wire::message::{Accusation, Alive, Condition, Message},
};

impl Membership {
    pub(super) fn introduce_self(&mut self, now: Duration) {
        self.incarnation += 1;
        let alive = Alive {
            incarnation: self.incarnation,
            node: self.config.name.clone(),
            address: self.config.address,
            port: self.config.port,
            meta: Some(Vec::new()),
            versions: VERSIONS,
        };
        self.note_alive(now, alive, true);
    }

    pub(super) fn hear_alive(&mut self, now: Duration, alive: Alive) {
        self.note_alive(now, alive, false);
    }

    fn note_alive(&mut self, now: Duration, alive: Alive, is_own_word: bool) {
        let is_self = alive.node == self.config.name;
        let [least, greatest, ..] = alive.versions;
        let is_impossible = least == 0 || greatest == 0 || least > greatest;
        let is_too_much = alive.meta.as_ref().is_some_and(|meta| meta.len() > META_BYTES_MAX)
            || (self.nodes.len() >= NODES_MAX && !self.nodes.contains_key(&alive.node));
        if (self.is_leaving && is_self) || is_impossible || is_too_much {
            return;
        }
        let address = SocketAddr::new(alive.address, alive.port);
        self.emit(Event::AliveMessage { name: alive.node.clone() });
        if !self.nodes.contains_key(&alive.node) {
            self.nodes.insert(alive.node.clone(), Entry::new(&alive, now));
            let place = self.below(self.round.len() + 1);
            self.round.push(alive.node.clone());
            let last = self.round.len() - 1;
            self.round.swap(place, last);
        }
        let Some(entry) = self.nodes.get_mut(&alive.node) else { return };
        let mut is_moved = false;
        if entry.address != address {
            // Only who has left may come back from elsewhere.
            if entry.condition != Condition::Left {
                let known = entry.member(&alive.node);
                return self.emit(Event::Conflict { known, other: address });
            }
            is_moved = true;
        }
        let is_old = alive.incarnation <= entry.incarnation && !is_self && !is_moved;
        if is_old || (is_self && alive.incarnation < entry.incarnation) {
            return;
        }
        entry.suspicion = None;
        if is_self && !is_own_word {
            let is_known = alive.incarnation == entry.incarnation
                && alive.meta.as_deref().unwrap_or_default()
                    == entry.meta.as_deref().unwrap_or_default()
                && alive.versions == entry.versions;
            if !is_known {
                self.refute(alive.incarnation);
            }
            return;
        }
        let was_gone = entry.is_gone();
        let old_meta = std::mem::replace(&mut entry.meta, alive.meta.clone());
        entry.incarnation = alive.incarnation;
        entry.versions = alive.versions;
        entry.address = address;
        if entry.condition != Condition::Alive {
            entry.change(Condition::Alive, now);
        }
        let member = entry.member(&alive.node);
        let is_changed = old_meta.unwrap_or_default() != alive.meta.as_deref().unwrap_or_default();
        self.news.push_about(&member.name, Message::Alive(alive).to_bytes());
        if was_gone {
            self.emit(Event::Joined(member));
        } else if is_changed {
            self.emit(Event::Updated(member));
        }
    }

    /// Somebody is wrong about this node: says so, louder than they did.
    fn refute(&mut self, accused: u32) {
        self.incarnation = self.incarnation.max(accused).saturating_add(1);
        self.health.change(1);
        let Some(own) = self.nodes.get_mut(&self.config.name) else { return };
        own.incarnation = self.incarnation;
        let alive = own.alive(&self.config.name);
        self.news.push_about(&self.config.name, Message::Alive(alive).to_bytes());
    }

    pub(super) fn hear_suspect(&mut self, now: Duration, accusation: Accusation) {
        let n_nodes = self.nodes.len();
        let Some(entry) = self.nodes.get_mut(&accusation.node) else { return };
        if accusation.incarnation < entry.incarnation {
            return;
        }
        if let Some(suspicion) = &mut entry.suspicion {
            if suspicion.confirm(&accusation.from) {
                self.pass_on_suspicion(accusation);
            }
            return;
        }
        if entry.condition != Condition::Alive {
            return;
        }
        if accusation.node == self.config.name {
            return self.refute(accusation.incarnation);
        }
        entry.incarnation = accusation.incarnation;
        entry.change(Condition::Suspect, now);
        let interval = self.config.probe_interval;
        entry.suspicion = Some(Suspicion::new(&accusation.from, now, n_nodes, interval));
        self.pass_on_suspicion(accusation);
    }

    fn pass_on_suspicion(&mut self, accusation: Accusation) {
        let name = accusation.node.clone();
        self.news.push_about(&name, Message::Suspect(accusation).to_bytes());
    }

    pub(super) fn hear_dead(&mut self, now: Duration, accusation: Accusation) {
        let Some(entry) = self.nodes.get_mut(&accusation.node) else { return };
        if accusation.incarnation < entry.incarnation || entry.is_gone() {
            return;
        }
        if accusation.node == self.config.name && !self.is_leaving {
            return self.refute(accusation.incarnation);
        }
        let is_goodbye = accusation.node == accusation.from;
        entry.incarnation = accusation.incarnation;
        entry.change(if is_goodbye { Condition::Left } else { Condition::Dead }, now);
        let member = entry.member(&accusation.node);
        self.news.push_about(&member.name, Message::Dead(accusation).to_bytes());
        self.emit(Event::Left(member));
    }

    /// Who has not said that it is alive for so long is dead.
    pub(super) fn end_suspicions(&mut self, now: Duration) {
        let is_due = |entry: &Entry| entry.deadline().is_some_and(|deadline| deadline <= now);
        let due: Vec<Accusation> = self
            .nodes
            .iter()
            .filter(|(_, entry)| is_due(entry))
            .map(|(name, entry)| Accusation {
                incarnation: entry.incarnation,
                node: name.clone(),
                from: self.config.name.clone(),
            })
            .collect();
        for accusation in due {
            self.hear_dead(now, accusation);
        }
    }

    pub(super) fn leave(&mut self, now: Duration) {
        self.is_leaving = true;
        let name = self.config.name.clone();
        let incarnation = self.incarnation;
        self.hear_dead(now, Accusation { incarnation, node: name.clone(), from: name });
    }

    /// Whether the goodbye has been said as often as it has to be, or nobody is there to hear it.
    pub fn has_left(&self) -> bool {
        self.is_leaving && (!self.news.has(&self.config.name) || self.n_members() == 0)
    }
}
