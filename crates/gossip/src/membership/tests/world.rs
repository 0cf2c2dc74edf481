use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use runtime::{Random as _, random::SeededRandom};

use super::super::{Config, Event, Input, Membership, Output};
use crate::wire::stream::{Decoder, Exchange, PushPull};

const FIRST_PORT: u16 = 7000;
/// As the shell around the core tries lost nodes again.
const RECONNECT_INTERVAL: Duration = Duration::from_secs(10);

/// Nodes, and a network between them whose every accident follows from the seed.
pub(super) struct World {
    pub(super) seed: u64,
    /// The share of packets that never arrive.
    pub(super) loss: f64,
    random: Arc<SeededRandom>,
    now: Duration,
    nodes: Vec<Node>,
    /// By the moment of arrival, then in the order of sending.
    under_way: BTreeMap<(Duration, u64), Delivery>,
    n_sent: u64,
    /// Nodes of different sides do not reach each other.
    sides: Vec<usize>,
    n_deaths: usize,
}

struct Node {
    membership: Option<Membership>,
    /// What it carries: a set of texts.
    heard: BTreeSet<String>,
    lost: BTreeSet<SocketAddr>,
}

enum Delivery {
    Packet {
        from: usize,
        to: usize,
        bytes: Vec<u8>,
    },
    /// A whole exchange, asked for by `from`.
    PushPull {
        from: usize,
        to: usize,
        is_join: bool,
    },
    StreamPing {
        from: usize,
        to: usize,
        ping: crate::wire::message::Ping,
    },
    Reconnect,
}

impl World {
    pub(super) fn new(n_nodes: usize, seed: u64) -> World {
        let random = Arc::new(SeededRandom::new(seed));
        let mut world = World {
            seed,
            loss: 0.1,
            random,
            now: Duration::ZERO,
            nodes: Vec::new(),
            under_way: BTreeMap::new(),
            n_sent: 0,
            sides: vec![0; n_nodes],
            n_deaths: 0,
        };
        for idx in 0..n_nodes {
            let membership = Some(world.membership(idx));
            world.nodes.push(Node { membership, heard: BTreeSet::new(), lost: BTreeSet::new() });
        }
        world.deliver_in(RECONNECT_INTERVAL, Delivery::Reconnect);
        world
    }

    fn membership(&self, idx: usize) -> Membership {
        let config = Config {
            name: format!("node-{idx}"),
            address: Ipv4Addr::LOCALHOST.into(),
            port: address(idx).port(),
            label: "cluster".to_owned(),
            probe_interval: Duration::from_secs(1),
            probe_timeout: Duration::from_millis(500),
            gossip_interval: Duration::from_millis(200),
            push_pull_interval: Duration::from_secs(10),
            fan_out: 3,
            user_retransmits: 3,
        };
        Membership::new(config, self.random.clone(), self.now)
    }

    /// Everybody asks the first node.
    pub(super) fn join_all(&mut self) {
        for idx in 1..self.nodes.len() {
            let wait = Duration::from_millis(self.random.u64() % 2000);
            self.deliver_in(wait, Delivery::PushPull { from: idx, to: 0, is_join: true });
        }
    }

    pub(super) fn any_node(&self) -> usize {
        (self.random.u64() % self.nodes.len() as u64) as usize
    }

    pub(super) fn broadcast(&mut self, from: usize, text: &str) {
        self.nodes[from].heard.insert(text.to_owned());
        self.input(from, Input::Broadcast(text.as_bytes().to_vec()));
    }

    pub(super) fn broadcast_from_others(&mut self, not_from: usize, text: &str) {
        self.broadcast((not_from + 1) % self.nodes.len(), text);
    }

    pub(super) fn kill(&mut self, idx: usize) {
        self.nodes[idx].membership = None;
    }

    pub(super) fn restart(&mut self, idx: usize) {
        self.nodes[idx].membership = Some(self.membership(idx));
        self.nodes[idx].heard.clear();
        let to = (idx + 1) % self.nodes.len();
        self.deliver_in(Duration::ZERO, Delivery::PushPull { from: idx, to, is_join: true });
    }

    pub(super) fn leave(&mut self, idx: usize) {
        self.input(idx, Input::Leave);
        let mut n_waits = 0;
        while self.nodes[idx].membership.as_ref().is_some_and(|node| !node.has_left()) {
            self.run_for(Duration::from_millis(100));
            n_waits += 1;
            assert!(n_waits < 100, "seed {}: the goodbye has no end", self.seed);
        }
        self.kill(idx);
    }

    pub(super) fn cut_in_two(&mut self) {
        let middle = self.nodes.len() / 2;
        self.sides = (0..self.nodes.len()).map(|idx| usize::from(idx > middle)).collect();
    }

    pub(super) fn heal(&mut self) {
        self.sides.fill(0);
    }

    pub(super) fn n_deaths(&self) -> usize {
        self.n_deaths
    }

    pub(super) fn expect_all_know_all(&self, when: &str) {
        let names = |idx: &usize| format!("node-{idx}");
        let alive: Vec<usize> =
            (0..self.nodes.len()).filter(|idx| self.nodes[*idx].membership.is_some()).collect();
        let expected: Vec<String> = alive.iter().map(names).collect();
        for (place, idx) in alive.iter().enumerate() {
            let Some(node) = &self.nodes[*idx].membership else { continue };
            let known: Vec<String> = node.members().into_iter().map(|member| member.name).collect();
            assert_eq!(known, expected, "seed {}, {when}: node-{idx}", self.seed);
            assert_eq!(node.position(), place, "seed {}, {when}: node-{idx}", self.seed);
        }
    }

    pub(super) fn expect_all_heard(&self, text: &str) {
        for (idx, node) in self.nodes.iter().enumerate() {
            let has_heard = node.membership.is_none() || node.heard.contains(text);
            assert!(has_heard, "seed {}: node-{idx} has not heard {text:?}", self.seed);
        }
    }

    pub(super) fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let timer = self
                .nodes
                .iter()
                .enumerate()
                .filter_map(|(idx, node)| Some((node.membership.as_ref()?.next_deadline(), idx)))
                .min();
            let delivery = self.under_way.first_key_value().map(|((arrives, _), _)| *arrives);
            let next = timer.map(|(due, _)| due).into_iter().chain(delivery).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            match timer {
                Some((due, idx)) if due == next => self.input(idx, Input::Timer),
                _ => {
                    if let Some((_, delivery)) = self.under_way.pop_first() {
                        self.deliver(delivery);
                    }
                }
            }
        }
        self.now = end;
    }

    fn input(&mut self, idx: usize, input: Input<'_>) {
        let Some(node) = &mut self.nodes[idx].membership else { return };
        for output in node.handle(self.now, input) {
            self.perform(idx, output);
        }
    }

    fn perform(&mut self, idx: usize, output: Output) {
        match output {
            Output::Packet { to, bytes } => {
                if self.random.fraction() >= self.loss {
                    self.send(Delivery::Packet { from: idx, to: node_at(to), bytes });
                }
            }
            Output::PushPull { to } => {
                self.send(Delivery::PushPull { from: idx, to: node_at(to), is_join: false });
            }
            Output::StreamPing { to, ping, .. } => {
                self.send(Delivery::StreamPing { from: idx, to: node_at(to), ping });
            }
            Output::Deliver(bytes) => {
                let text = String::from_utf8(bytes).expect("the texts of these tests");
                // News is passed on.
                if self.nodes[idx].heard.insert(text.clone()) {
                    self.input(idx, Input::Broadcast(text.into_bytes()));
                }
            }
            Output::Merge { user_state, .. } => {
                let text = String::from_utf8(user_state).expect("the texts of these tests");
                self.nodes[idx].heard.extend(text.split(' ').map(str::to_owned));
            }
            Output::Event(Event::Left(member)) => {
                self.n_deaths += 1;
                self.nodes[idx].lost.insert(member.address);
            }
            Output::Event(Event::Joined(member)) => {
                self.nodes[idx].lost.remove(&member.address);
            }
            Output::Event(Event::Broken { error, .. }) => panic!("seed {}: {error}", self.seed),
            Output::Event(_) => {}
        }
    }

    fn send(&mut self, delivery: Delivery) {
        let delay = Duration::from_micros(500 + self.random.u64() % 80_000);
        self.deliver_in(delay, delivery);
    }

    fn deliver_in(&mut self, delay: Duration, delivery: Delivery) {
        self.n_sent += 1;
        self.under_way.insert((self.now + delay, self.n_sent), delivery);
    }

    fn is_reachable(&self, from: usize, to: usize) -> bool {
        let both_run = [from, to].iter().all(|idx| self.nodes[*idx].membership.is_some());
        both_run && self.sides[from] == self.sides[to]
    }

    fn deliver(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::Packet { from, to, bytes } => {
                // Who has sent it may be gone by now.
                if self.sides[from] == self.sides[to] {
                    self.input(to, Input::Packet { from: address(from), bytes: &bytes });
                }
            }
            Delivery::PushPull { from, to, is_join } => {
                if self.is_reachable(from, to) {
                    let (asked, answer) =
                        (self.everything(from, is_join), self.everything(to, false));
                    self.input(to, Input::PushPull(asked));
                    self.input(from, Input::PushPull(answer));
                }
            }
            Delivery::StreamPing { from, to, ping } => {
                if self.is_reachable(from, to) {
                    let node = self.nodes[to].membership.as_ref();
                    if let Some(ack) = node.and_then(|node| node.answer_stream(&ping)) {
                        self.input(from, Input::StreamAck(ack));
                    }
                }
            }
            Delivery::Reconnect => {
                for idx in 0..self.nodes.len() {
                    for lost in self.nodes[idx].lost.clone() {
                        let to = node_at(lost);
                        self.send(Delivery::PushPull { from: idx, to, is_join: true });
                    }
                }
                self.deliver_in(RECONNECT_INTERVAL, Delivery::Reconnect);
            }
        }
    }

    /// A node's knowledge, by way of the wire.
    fn everything(&self, idx: usize, is_join: bool) -> PushPull {
        let node = &self.nodes[idx];
        let heard: Vec<&str> = node.heard.iter().map(String::as_str).collect();
        let nodes = node.membership.as_ref().map(Membership::states).unwrap_or_default();
        let user_state = heard.join(" ").into_bytes();
        let bytes = Exchange::PushPull(PushPull { is_join, nodes, user_state }).to_bytes("");
        match Decoder::new("").feed(&bytes) {
            Ok(Some(Exchange::PushPull(state))) => state,
            other => panic!("seed {}: {other:?}", self.seed),
        }
    }
}

fn address(idx: usize) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::LOCALHOST.into(), FIRST_PORT + idx as u16)
}

fn node_at(address: SocketAddr) -> usize {
    usize::from(address.port() - FIRST_PORT)
}
