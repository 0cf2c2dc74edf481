//! Who is alive: SWIM with Lifeguard, as memberlist does it. Pure: time and bytes come in as
//! [`Input`], what is to be done goes out as [`Output`].

mod exchange;
mod member;
mod probe;
mod rumour;
mod spread;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use runtime::Random;

pub use member::Member;

use self::{
    member::Entry,
    probe::{Probe, Relay},
};
use crate::{
    health::Health,
    queue::Queue,
    wire::{
        message::{Ack, Message, Ping, Versions},
        packet,
        stream::PushPull,
    },
};

/// Least, greatest and current version of memberlist's protocol, and of what it carries.
pub const VERSIONS: Versions = [1, 5, 2, 0, 0, 0];
/// From this version on, packets have checksums.
const CHECKSUM_SINCE: u8 = 5;
/// How large a packet may be, all in all.
const PACKET_BYTES: usize = 1400;
/// The longest user message that travels in packets; longer ones go to each node on a stream.
pub const USER_PACKET_BYTES_MAX: usize = PACKET_BYTES / 2;
/// More nodes than that are not believed, and longer metadata isn't either.
const NODES_MAX: usize = 1 << 16;
const META_BYTES_MAX: usize = 512;
/// User messages that wait at most; those that were sent most often go first.
const QUEUE_LEN_MAX: usize = 1 << 14;
/// Relays that are remembered; more pings for others are not taken on.
const RELAYS_MAX: usize = 1024;

/// How this node takes part.
#[derive(Debug, Clone)]
pub struct Config {
    pub name: String,
    /// Where others reach it.
    pub address: IpAddr,
    pub port: u16,
    /// Of the cluster; what has another one is dropped.
    pub label: String,
    pub probe_interval: Duration,
    pub probe_timeout: Duration,
    pub gossip_interval: Duration,
    pub push_pull_interval: Duration,
    /// To so many nodes news goes at a time.
    pub fan_out: usize,
    /// User messages are sent so many times, times the digits of the number of nodes.
    pub user_retransmits: u32,
}

/// Everything that can happen.
#[derive(Debug)]
pub enum Input<'a> {
    /// The deadline has come, see [`Membership::next_deadline`].
    Timer,
    Packet {
        from: SocketAddr,
        bytes: &'a [u8],
    },
    /// All that another node knows, in whichever role.
    PushPull(PushPull),
    /// A node has answered [`Output::StreamPing`].
    StreamAck(Ack),
    /// Tell everybody.
    Broadcast(Vec<u8>),
    /// Say goodbye; done once [`Membership::has_left`].
    Leave,
}

/// Everything that is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    Packet {
        to: SocketAddr,
        bytes: Vec<u8>,
    },
    /// Exchange all state with a node.
    PushPull {
        to: SocketAddr,
    },
    /// Ask on a stream, since packets may be what does not arrive.
    StreamPing {
        to: SocketAddr,
        ping: Ping,
        limit: Duration,
    },
    /// A user message has come.
    Deliver(Vec<u8>),
    /// A node's whole user state has come.
    Merge {
        user_state: Vec<u8>,
        is_join: bool,
    },
    Event(Event),
}

/// What metrics and logs tell of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Joined(Member),
    /// It said so, or is dead.
    Left(Member),
    Updated(Member),
    /// Somebody says to be `known`, elsewhere.
    Conflict {
        known: Member,
        other: SocketAddr,
    },
    /// Somebody was said to be alive.
    AliveMessage {
        name: String,
    },
    Ping {
        member: Member,
        round_trip: Duration,
    },
    /// User messages went out in packets.
    UserSent {
        bytes: usize,
    },
    /// Somebody sent what cannot be read.
    Broken {
        from: SocketAddr,
        error: String,
    },
}

/// This node's view of the cluster.
pub struct Membership {
    config: Config,
    random: Arc<dyn Random>,
    /// This node included.
    nodes: BTreeMap<String, Entry>,
    /// Names in the order in which they are asked.
    round: Vec<String>,
    next_in_round: usize,
    incarnation: u32,
    sequence: u32,
    health: Health,
    is_leaving: bool,
    news: Queue,
    user_messages: Queue,
    probe: Option<Probe>,
    /// By our own sequence number.
    relays: BTreeMap<u32, Relay>,
    next_probe: Duration,
    next_gossip: Duration,
    next_push_pull: Duration,
    outputs: Vec<Output>,
}

impl Membership {
    pub fn new(config: Config, random: Arc<dyn Random>, now: Duration) -> Membership {
        // All at once would be a burst.
        let within = |interval: Duration| now + interval.mul_f64(random.fraction());
        let mut membership = Membership {
            next_probe: within(config.probe_interval),
            next_gossip: within(config.gossip_interval),
            next_push_pull: within(config.push_pull_interval),
            config,
            random,
            nodes: BTreeMap::new(),
            round: Vec::new(),
            next_in_round: 0,
            incarnation: 0,
            sequence: 0,
            health: Health::default(),
            is_leaving: false,
            news: Queue::default(),
            user_messages: Queue::default(),
            probe: None,
            relays: BTreeMap::new(),
            outputs: Vec::new(),
        };
        membership.introduce_self(now);
        membership
    }

    /// Takes in what has happened and says what is to be done. `now` never goes back.
    pub fn handle(&mut self, now: Duration, input: Input<'_>) -> Vec<Output> {
        match input {
            Input::Timer => self.tick(now),
            Input::Packet { from, bytes } => self.receive(now, from, bytes),
            Input::PushPull(state) => self.merge(now, state),
            Input::StreamAck(ack) => self.note_stream_ack(&ack),
            Input::Broadcast(message) => {
                self.user_messages.push(message);
                self.user_messages.prune(QUEUE_LEN_MAX);
            }
            Input::Leave => self.leave(now),
        }
        std::mem::take(&mut self.outputs)
    }

    /// When [`Input::Timer`] is due.
    pub fn next_deadline(&self) -> Duration {
        let suspicions = self.nodes.values().filter_map(Entry::deadline);
        let relays = self.relays.values().map(|relay| relay.ends_at);
        let probe = self.probe.as_ref().map_or(self.next_probe, Probe::deadline);
        let timers = [self.next_gossip, self.next_push_pull, probe];
        suspicions.chain(relays).chain(timers).min().unwrap_or(self.next_gossip)
    }

    pub fn name(&self) -> &str {
        &self.config.name
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// All that count as alive, this one included, by name.
    pub fn members(&self) -> Vec<Member> {
        self.present().map(|(name, entry)| entry.member(name)).collect()
    }

    /// How many count as alive.
    pub fn n_members(&self) -> usize {
        self.present().count()
    }

    /// This node's place among the names of those that count as alive.
    pub fn position(&self) -> usize {
        self.present().take_while(|(name, _)| name.as_str() < self.config.name.as_str()).count()
    }

    pub fn health_score(&self) -> u32 {
        self.health.score()
    }

    /// User messages that are still to be sent.
    pub fn n_queued(&self) -> usize {
        self.user_messages.len()
    }

    /// Forgets the user messages that were sent most often; says how many.
    pub fn prune(&mut self, len_max: usize) -> usize {
        self.user_messages.prune(len_max)
    }

    fn present(&self) -> impl Iterator<Item = (&String, &Entry)> {
        self.nodes.iter().filter(|(_, entry)| !entry.is_gone())
    }

    fn tick(&mut self, now: Duration) {
        self.end_suspicions(now);
        self.end_relays(now);
        self.tick_probe(now);
        if self.next_gossip <= now {
            self.next_gossip = now + self.config.gossip_interval;
            self.gossip(now);
        }
        if self.next_push_pull <= now {
            self.next_push_pull = now + self.push_pull_interval();
            self.start_push_pull();
        }
    }

    fn receive(&mut self, now: Duration, from: SocketAddr, bytes: &[u8]) {
        // What is heard may be answered, which takes the label, too.
        let label = self.config.label.clone();
        let outcome = packet::read(&label, bytes, |message| self.hear(now, from, message));
        if let Err(error) = outcome {
            self.outputs.push(Output::Event(Event::Broken { from, error: error.to_string() }));
        }
    }

    fn hear(&mut self, now: Duration, from: SocketAddr, message: Message<'_>) {
        match message {
            Message::Ping(ping) => self.answer(from, ping),
            Message::IndirectPing(ping) => self.relay(now, from, ping),
            Message::Ack(ack) => self.note_ack(now, &ack),
            Message::Nack(sequence) => self.note_nack(sequence),
            Message::Alive(alive) => self.hear_alive(now, alive),
            Message::Suspect(accusation) => self.hear_suspect(now, accusation),
            Message::Dead(accusation) => self.hear_dead(now, accusation),
            Message::User(bytes) => self.outputs.push(Output::Deliver(bytes.to_vec())),
        }
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push(Output::Event(event));
    }

    fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    /// Up to `n_wanted` of the nodes that `is_eligible`, each with the same chance.
    fn pick(
        &self,
        n_wanted: usize,
        is_eligible: impl Fn(&str, &Entry) -> bool,
    ) -> Vec<(String, Entry)> {
        let mut eligible: Vec<&String> = self
            .nodes
            .iter()
            .filter(|(name, entry)| is_eligible(name, entry))
            .map(|(name, _)| name)
            .collect();
        let mut picked = Vec::new();
        while picked.len() < n_wanted && !eligible.is_empty() {
            let name = eligible.swap_remove(self.below(eligible.len()));
            if let Some(entry) = self.nodes.get(name) {
                picked.push((name.clone(), entry.clone()));
            }
        }
        picked
    }

    /// A number below `end`, which isn't zero.
    fn below(&self, end: usize) -> usize {
        (self.random.u64() % end as u64) as usize
    }
}
