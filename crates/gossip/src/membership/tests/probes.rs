//! What a real node was asked, and what it answered: ours answers the same.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use conformance::{Score, cases};
use runtime::random::SeededRandom;
use serde_json::Value;

use super::super::{Config, Input, Membership, Output};
use crate::wire::{
    message::{Ack, Message},
    packet,
};

/// Long enough for everything that follows from a packet.
const AFTER: Duration = Duration::from_secs(1);
/// Too short for the relay of a ping to give up.
const AT_ONCE: Duration = Duration::from_millis(100);

#[test]
fn a_node_answers_what_upstream_answers() {
    let Some(probes) = cases("alertmanager/cluster/probes.json") else { return };
    let mut score = Score::new("cluster/probes.json, packets");
    let mut node = Node::new(&probes.whole);
    for case in probes.cases.iter().filter(|case| case["transport"] == "udp") {
        // User messages are for whoever is above, and the capture ends with a goodbye.
        let name = case["name"].as_str().expect("a name");
        let Some(sent) = case["sent"].as_str() else { continue };
        if name.contains("user message") || name.contains("update of a known") {
            continue;
        }
        let mut sent = STANDARD.decode(sent).expect("base64");
        if name.contains("forwarded ack") {
            // Ours has asked more by then, so that its numbers are others.
            let ack = Ack { sequence: node.relayed, payload: Some(Vec::new()) };
            sent = Message::Ack(ack).to_bytes();
        }
        let after = if name.contains("relay pings") { AT_ONCE } else { AFTER };
        let expected = replies(&case["replies"]);
        let outcome = node.check(&sent, &expected, after);
        score.add(name, outcome.and_then(|()| node.check_members(case)));
    }
    score.finish(&[]);
}

struct Node {
    membership: Membership,
    now: Duration,
    asker: SocketAddr,
    /// The number of the ping that was sent last in answer to a packet.
    relayed: u32,
}

impl Node {
    fn new(whole: &Value) -> Node {
        let address: SocketAddr = text(&whole["node"]["address"]).parse().expect("an address");
        let config = Config {
            name: text(&whole["node"]["name"]).to_owned(),
            address: address.ip(),
            port: address.port(),
            label: String::new(),
            probe_interval: Duration::from_secs(1),
            probe_timeout: Duration::from_millis(500),
            gossip_interval: Duration::from_millis(200),
            push_pull_interval: Duration::from_secs(600),
            fan_out: 3,
            user_retransmits: 3,
        };
        let random = Arc::new(SeededRandom::new(1));
        Node {
            membership: Membership::new(config, random, Duration::ZERO),
            now: Duration::ZERO,
            asker: "127.0.0.1:34011".parse().expect("an address"),
            relayed: 0,
        }
    }

    /// Sends a packet; every answer of upstream's must be among what the node says then.
    fn check(&mut self, sent: &[u8], expected: &[Said], after: Duration) -> Result<(), String> {
        let mut said = Vec::new();
        let input = Input::Packet { from: self.asker, bytes: sent };
        let outputs = self.membership.handle(self.now, input);
        self.note_relayed(&outputs);
        self.collect(outputs, &mut said);
        let end = self.now + after;
        while self.membership.next_deadline() <= end {
            self.now = self.now.max(self.membership.next_deadline());
            let outputs = self.membership.handle(self.now, Input::Timer);
            self.collect(outputs, &mut said);
        }
        self.now = end;
        for answer in expected {
            if !said.contains(answer) {
                return Err(format!("{answer:?} is not in {said:?}"));
            }
        }
        let is_answer = |said: &&Said| !matches!(said, Said::Gossip(_));
        match said.iter().filter(is_answer).find(|answer| !expected.contains(answer)) {
            Some(more) => Err(format!("{more:?} is said, too")),
            None => Ok(()),
        }
    }

    /// What came of it: who is there now, and how loud the node is about itself.
    fn check_members(&self, case: &Value) -> Result<(), String> {
        let members = self.membership.members();
        let is_there = |peer: &Value| {
            let address = text(&peer[1]);
            members.iter().any(|member| {
                member.name == text(&peer[0]) && member.address.to_string() == address
            })
        };
        for (key, expected) in [("peers_added", true), ("peers_removed", false)] {
            for peer in case[key].as_array().into_iter().flatten() {
                if is_there(peer) != expected {
                    return Err(format!("{key}: {peer}, members are {members:?}"));
                }
            }
        }
        let refutation = case["replies_decoded"][0]["inner"]["fields"]["Incarnation"].as_u64();
        match refutation.filter(|_| text(&case["name"]).contains("refutes")) {
            Some(expected) if expected != u64::from(self.membership.incarnation) => {
                Err(format!("incarnation {}", self.membership.incarnation))
            }
            _ => Ok(()),
        }
    }

    fn note_relayed(&mut self, outputs: &[Output]) {
        for output in outputs {
            if let Output::Packet { bytes, .. } = output {
                packet::read("", bytes, |message| {
                    if let Message::Ping(ping) = message {
                        self.relayed = ping.sequence;
                    }
                })
                .expect("our own");
            }
        }
    }

    fn collect(&self, outputs: Vec<Output>, said: &mut Vec<Said>) {
        for output in outputs {
            if let Output::Packet { bytes, .. } = output {
                packet::read("", &bytes, |message| said.extend(Said::from(&message)))
                    .expect("our own");
            }
        }
    }
}

/// An answer, without what depends on the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Ack { sequence: u32, is_forwarded: bool },
    Nack(u32),
    Gossip(String),
}

impl Said {
    fn from(message: &Message<'_>) -> Option<Said> {
        Some(match message {
            Message::Ack(ack) => {
                Said::Ack { sequence: ack.sequence, is_forwarded: ack.payload.is_none() }
            }
            Message::Nack(sequence) => Said::Nack(*sequence),
            Message::Alive(alive) => Said::Gossip(format!("alive {}", alive.node)),
            // Its own questions come when they come.
            Message::Ping(_) | Message::IndirectPing(_) => return None,
            Message::Suspect(_) | Message::Dead(_) | Message::User(_) => return None,
        })
    }
}

fn replies(replies: &Value) -> Vec<Said> {
    let mut said = Vec::new();
    for reply in replies.as_array().into_iter().flatten() {
        let bytes = STANDARD.decode(text(reply)).expect("base64");
        packet::read("", &bytes, |message| {
            // What is piggybacked differs with what was to be told.
            said.extend(Said::from(&message).filter(|said| !matches!(said, Said::Gossip(_))));
        })
        .expect("upstream's own");
    }
    said
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
