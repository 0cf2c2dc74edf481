//! Is everybody there? One node after the other is asked, directly, then through others.

use std::{net::SocketAddr, time::Duration};

use super::{Event, Membership, Output, RELAYS_MAX, member::Entry, spread::GOSSIP_TO_DEAD};
use crate::wire::{
    message::{Accusation, Ack, Condition, IndirectPing, Message, Ping, Source},
    packet,
};

/// So many others are asked to ask.
const INDIRECT_CHECKS: usize = 3;
/// Nodes that speak this version say when they get no answer.
const NACK_SINCE: u8 = 4;
/// Nodes that speak this version answer pings on streams.
const STREAM_PING_SINCE: u8 = 3;

/// A question that is not answered yet.
#[derive(Debug)]
pub(super) struct Probe {
    sequence: u32,
    target: String,
    sent: Duration,
    /// Then others are asked to ask.
    times_out_at: Duration,
    /// Then the target is suspected.
    ends_at: Duration,
    is_escalated: bool,
    n_nacks_expected: i32,
    n_nacks: i32,
    is_reached_by_stream: bool,
}

impl Probe {
    pub(super) fn deadline(&self) -> Duration {
        if self.is_escalated { self.ends_at } else { self.times_out_at.min(self.ends_at) }
    }
}

/// A question that is asked for another node.
#[derive(Debug)]
pub(super) struct Relay {
    asker: SocketAddr,
    /// The asker's.
    sequence: u32,
    wants_nack: bool,
    pub(super) ends_at: Duration,
}

impl Membership {
    pub(super) fn tick_probe(&mut self, now: Duration) {
        match &self.probe {
            Some(probe) if probe.ends_at <= now => self.fail_probe(now),
            Some(probe) if !probe.is_escalated && probe.times_out_at <= now => self.escalate(now),
            _ => {}
        }
        if self.probe.is_none() && self.next_probe <= now {
            // What has been missed is not made up for.
            self.next_probe = (self.next_probe + self.config.probe_interval).max(now);
            self.start_probe(now);
        }
    }

    /// Asks the next node of the round that there is to ask.
    fn start_probe(&mut self, now: Duration) {
        for _ in 0..=self.round.len() {
            if self.next_in_round >= self.round.len() {
                self.start_round(now);
            }
            let Some(name) = self.round.get(self.next_in_round).cloned() else { return };
            self.next_in_round += 1;
            let Some(entry) = self.nodes.get(&name) else { continue };
            if name != self.config.name && !entry.is_gone() {
                let entry = entry.clone();
                return self.ask(now, name, &entry);
            }
        }
    }

    /// Forgets those that have been gone for long, and asks the others in a new order.
    fn start_round(&mut self, now: Duration) {
        self.nodes.retain(|_, entry| !(entry.is_gone() && now > entry.since + GOSSIP_TO_DEAD));
        self.round.retain(|name| self.nodes.contains_key(name));
        for last in (1..self.round.len()).rev() {
            let other = self.below(last + 1);
            self.round.swap(last, other);
        }
        self.next_in_round = 0;
    }

    fn ask(&mut self, now: Duration, name: String, entry: &Entry) {
        let sequence = self.next_sequence();
        let ping = Message::Ping(Ping { sequence, node: name.clone(), source: self.source() });
        if entry.condition == Condition::Alive {
            self.send(entry.address, &ping);
        } else {
            // So that it can object at once.
            let accusation = Message::Suspect(Accusation {
                incarnation: entry.incarnation,
                node: name.clone(),
                from: self.config.name.clone(),
            });
            self.send_to_node(entry, packet::join(&[ping.to_bytes(), accusation.to_bytes()]));
        }
        self.probe = Some(Probe {
            sequence,
            target: name,
            sent: now,
            times_out_at: now + self.config.probe_timeout,
            ends_at: now + self.health.stretch(self.config.probe_interval),
            is_escalated: false,
            n_nacks_expected: 0,
            n_nacks: 0,
            is_reached_by_stream: false,
        });
    }

    /// No answer yet: others are asked to ask, and a stream is tried.
    fn escalate(&mut self, now: Duration) {
        let Some(mut probe) = self.probe.take() else { return };
        probe.is_escalated = true;
        // It may have been forgotten meanwhile.
        let Some(target) = self.nodes.get(&probe.target).cloned() else { return };
        let helpers = self.pick(INDIRECT_CHECKS, |name, entry| {
            let is_involved = name == self.config.name || name == probe.target;
            !is_involved && entry.condition == Condition::Alive
        });
        for (_, helper) in helpers {
            let wants_nack = helper.versions[1] >= NACK_SINCE;
            probe.n_nacks_expected += i32::from(wants_nack);
            let ping = Message::IndirectPing(IndirectPing {
                sequence: probe.sequence,
                target: target.address.ip(),
                port: target.address.port(),
                node: probe.target.clone(),
                wants_nack,
                source: self.source(),
            });
            self.send(helper.address, &ping);
        }
        if target.versions[1] >= STREAM_PING_SINCE {
            let ping = Ping {
                sequence: probe.sequence,
                node: probe.target.clone(),
                source: self.source(),
            };
            let limit = probe.ends_at.saturating_sub(now);
            let to = SocketAddr::new(target.address.ip().to_canonical(), target.address.port());
            self.outputs.push(Output::StreamPing { to, ping, limit });
        }
        self.probe = Some(probe);
    }

    fn fail_probe(&mut self, now: Duration) {
        let Some(probe) = self.probe.take() else { return };
        if probe.is_reached_by_stream {
            self.health.change(-1);
            tracing::warn!(
                node = probe.target,
                "Node answers on a stream, but not to packets; check the network"
            );
            return;
        }
        // Helpers that say nothing at all make it likely that this node is the one in trouble.
        let missed = match probe.n_nacks_expected {
            0 => 1,
            n_expected => (n_expected - probe.n_nacks).max(0),
        };
        self.health.change(missed);
        let Some(entry) = self.nodes.get(&probe.target) else { return };
        let accusation = Accusation {
            incarnation: entry.incarnation,
            node: probe.target,
            from: self.config.name.clone(),
        };
        self.hear_suspect(now, accusation);
    }

    pub(super) fn note_ack(&mut self, now: Duration, ack: &Ack) {
        if let Some(relay) = self.relays.remove(&ack.sequence) {
            let ack = Message::Ack(Ack { sequence: relay.sequence, payload: None });
            return self.send(relay.asker, &ack);
        }
        let is_answer = |probe: &mut Probe| probe.sequence == ack.sequence;
        let Some(probe) = self.probe.take_if(is_answer) else { return };
        self.health.change(-1);
        if let Some(entry) = self.nodes.get(&probe.target) {
            let member = entry.member(&probe.target);
            let round_trip = now.saturating_sub(probe.sent);
            self.emit(Event::Ping { member, round_trip });
        }
    }

    pub(super) fn note_nack(&mut self, sequence: u32) {
        if let Some(probe) = self.probe.as_mut().filter(|probe| probe.sequence == sequence) {
            probe.n_nacks += 1;
        }
    }

    pub(super) fn note_stream_ack(&mut self, ack: &Ack) {
        if let Some(probe) = self.probe.as_mut().filter(|probe| probe.sequence == ack.sequence) {
            probe.is_reached_by_stream = true;
        }
    }

    /// The answer to a ping on a stream, unless it is meant for another node.
    pub fn answer_stream(&self, ping: &Ping) -> Option<Ack> {
        let is_for_us = ping.node.is_empty() || ping.node == self.config.name;
        is_for_us.then_some(Ack { sequence: ping.sequence, payload: None })
    }

    pub(super) fn answer(&mut self, from: SocketAddr, ping: Ping) {
        if !ping.node.is_empty() && ping.node != self.config.name {
            tracing::debug!(node = ping.node, %from, "Ping for another node");
            return;
        }
        let ack = Message::Ack(Ack { sequence: ping.sequence, payload: Some(Vec::new()) });
        self.send(reply_address(from, &ping.source), &ack);
    }

    pub(super) fn relay(&mut self, now: Duration, from: SocketAddr, ping: IndirectPing) {
        if self.relays.len() >= RELAYS_MAX {
            return;
        }
        let sequence = self.next_sequence();
        let relay = Relay {
            asker: reply_address(from, &ping.source),
            sequence: ping.sequence,
            wants_nack: ping.wants_nack,
            ends_at: now + self.config.probe_timeout,
        };
        self.relays.insert(sequence, relay);
        let target = SocketAddr::new(ping.target, ping.port);
        let ping = Message::Ping(Ping { sequence, node: ping.node, source: self.source() });
        self.send(target, &ping);
    }

    pub(super) fn end_relays(&mut self, now: Duration) {
        while let Some((sequence, _)) = self.relays.iter().find(|(_, relay)| relay.ends_at <= now) {
            let sequence = *sequence;
            let Some(relay) = self.relays.remove(&sequence) else { return };
            if relay.wants_nack {
                self.send(relay.asker, &Message::Nack(relay.sequence));
            }
        }
    }

    fn source(&self) -> Source {
        Source {
            address: Some(self.config.address),
            port: self.config.port,
            node: self.config.name.clone(),
        }
    }
}

/// Where who asks wants the answer.
fn reply_address(from: SocketAddr, source: &Source) -> SocketAddr {
    match source.address {
        Some(address) if source.port != 0 => SocketAddr::new(address, source.port),
        _ => from,
    }
}
