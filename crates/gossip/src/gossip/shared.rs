//! What the tasks of a node share, and the tasks that own the packets and the time.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use prost::Message as _;
use proto::cluster::{FullState, Part};
use runtime::{Runtime, network::Datagrams};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, info, warn};

use super::{Contact, Notice, Observer, Options, State, Traffic};
use crate::{
    Event, Input, Membership, Output, membership::USER_PACKET_BYTES_MAX, wire::message::Condition,
};

/// Streams that are served at a time; more are closed at once.
const STREAMS_MAX: usize = 128;
/// The largest datagram that there can be.
const RECEIVE_BYTES: usize = 64 * 1024;
/// Wait so long after a socket has failed.
const RETRY_AFTER: Duration = Duration::from_millis(100);

pub(super) struct Shared {
    pub(super) runtime: Runtime,
    pub(super) options: Options,
    /// Nothing else is locked while this is held.
    pub(super) core: Mutex<Core>,
    /// In the order in which they were shared. Nothing else is locked while this is held.
    pub(super) states: Mutex<Vec<(String, Arc<dyn State>)>>,
    /// Nodes to be tried again, and since when they are lost. Nothing else is locked while this is
    /// held.
    pub(super) lost: Mutex<BTreeMap<SocketAddr, Duration>>,
    /// What is known of each node at first hand, by name. Nothing else is locked while this is held.
    pub(super) contacts: Mutex<BTreeMap<String, Contact>>,
    pub(super) socket: Box<dyn Datagrams>,
    pub(super) observer: Arc<dyn Observer>,
    /// Messages for streams to everybody, with their keys.
    pub(super) large: mpsc::Sender<(String, Vec<u8>)>,
    pub(super) served: Semaphore,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
    /// Cancelled, which is to say done, once the cluster seems complete.
    pub(super) settled: CancellationToken,
    wake: Notify,
}

pub(super) struct Core {
    pub(super) membership: Membership,
    /// When the timer looks at it again.
    wakes_at: Duration,
}

impl Shared {
    pub(super) fn new(
        membership: Membership,
        options: Options,
        runtime: Runtime,
        socket: Box<dyn Datagrams>,
        observer: Arc<dyn Observer>,
        large: mpsc::Sender<(String, Vec<u8>)>,
        (tasks, stop): (TaskTracker, CancellationToken),
    ) -> Shared {
        Shared {
            runtime,
            options,
            core: Mutex::new(Core { membership, wakes_at: Duration::ZERO }),
            states: Mutex::default(),
            lost: Mutex::default(),
            contacts: Mutex::default(),
            socket,
            observer,
            large,
            served: Semaphore::new(STREAMS_MAX),
            tasks,
            stop,
            settled: CancellationToken::new(),
            wake: Notify::new(),
        }
    }

    /// Runs a task until it ends or the node stops.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }

    pub(super) async fn receive_packets(self: Arc<Shared>) {
        let mut buffer = vec![0; RECEIVE_BYTES];
        loop {
            match self.socket.receive(&mut buffer).await {
                Ok((len, from)) => {
                    self.handle(Input::Packet { from, bytes: &buffer[..len] }).await;
                }
                Err(error) => {
                    warn!(component = "cluster", err = %error, "Receiving packets failed");
                    self.runtime.clock.sleep(RETRY_AFTER).await;
                }
            }
        }
    }

    pub(super) async fn keep_time(self: Arc<Shared>) {
        loop {
            let now = self.runtime.clock.monotonic();
            let wakes_at = {
                let mut core = self.core.lock();
                core.wakes_at = core.membership.next_deadline();
                core.wakes_at
            };
            tokio::select! {
                biased;
                () = self.wake.notified() => continue,
                () = self.runtime.clock.sleep(wakes_at.saturating_sub(now)) => {}
            }
            self.handle(Input::Timer).await;
        }
    }

    /// Lets [`Membership`] decide, then does what it says.
    pub(super) async fn handle(self: &Arc<Shared>, input: Input<'_>) {
        let now = self.runtime.clock.monotonic();
        let outputs = {
            let mut core = self.core.lock();
            let outputs = core.membership.handle(now, input);
            if core.membership.next_deadline() < core.wakes_at {
                self.wake.notify_one();
            }
            outputs
        };
        for output in outputs {
            if let Output::Packet { to, bytes } = output {
                if let Err(error) = self.socket.send(&bytes, to).await {
                    // As if it had been lost on the way.
                    debug!(component = "cluster", %to, err = %error, "Sending a packet failed");
                }
            } else {
                self.perform(output);
            }
        }
    }

    /// Does what needs no waiting.
    fn perform(self: &Arc<Shared>, output: Output) {
        match output {
            Output::PushPull { to } => {
                let shared = self.clone();
                self.spawn(async move {
                    if let Err(error) = shared.exchange(to, false).await {
                        debug!(component = "cluster", err = %error, "Push/pull failed");
                    }
                });
            }
            Output::StreamPing { to, ping, limit } => {
                self.spawn(self.clone().ping_on_stream(to, ping, limit));
            }
            Output::Deliver(bytes) => self.deliver(&bytes),
            Output::Merge { user_state, .. } => self.merge(&user_state),
            Output::Event(event) => self.note(&event),
            Output::Packet { .. } => stdx::report_never("a packet", file!(), line!()),
        }
    }

    fn note(&self, event: &Event) {
        match event {
            Event::Joined(member) => {
                let was_lost = self.lost.lock().remove(&member.address).is_some();
                debug!(component = "cluster", peer = member.name, was_lost, "Peer joined");
            }
            Event::Left(member) => {
                let is_own = member.name == self.options.name;
                // A node that is back under a new name is not lost.
                let is_back = self.is_member(member.address);
                if !is_own && !is_back {
                    let now = self.runtime.clock.monotonic();
                    self.lost.lock().insert(member.address, now);
                }
                self.contacts.lock().remove(&member.name);
                let has_left = member.condition == Condition::Left;
                debug!(component = "cluster", peer = member.name, has_left, "Peer left");
            }
            Event::Conflict { known, other } => {
                let (peer, address) = (&known.name, known.address);
                warn!(component = "cluster", peer, %address, %other, "Conflicting node name");
            }
            Event::Broken { from, error } => {
                debug!(component = "cluster", %from, err = error, "Packet cannot be read");
            }
            Event::UserSent { bytes } => {
                let notice = Notice::Sent { what: Traffic::Update, bytes: *bytes };
                self.observer.observe(&notice);
            }
            Event::Ping { member, round_trip } => {
                let contact =
                    Contact { heard_at: self.runtime.clock.monotonic(), round_trip: *round_trip };
                self.contacts.lock().insert(member.name.clone(), contact);
            }
            Event::Updated(_) | Event::AliveMessage { .. } => {}
        }
        self.observer.observe(&Notice::Event(event));
    }

    /// Whether a node that counts as alive is at this address.
    pub(super) fn is_member(&self, address: SocketAddr) -> bool {
        let members = self.core.lock().membership.members();
        members.iter().any(|member| member.address == address)
    }

    pub(super) fn broadcast(&self, key: &str, data: Vec<u8>) {
        let bytes = Part { key: key.to_owned(), data }.encode_to_vec();
        if bytes.len() <= USER_PACKET_BYTES_MAX {
            self.queue(bytes);
        } else if self.large.try_send((key.to_owned(), bytes)).is_err() {
            self.observer.observe(&Notice::LargeDropped { key });
            warn!(component = "cluster", key, "Oversized gossip message dropped");
        }
    }

    /// For the next packets.
    fn queue(&self, message: Vec<u8>) {
        let now = self.runtime.clock.monotonic();
        let outputs = self.core.lock().membership.handle(now, Input::Broadcast(message));
        stdx::never!(!outputs.is_empty());
    }

    /// Takes in a user message, in the form in which it travels.
    pub(super) fn deliver(&self, message: &[u8]) {
        let notice = Notice::Received { what: Traffic::Update, bytes: message.len() };
        self.observer.observe(&notice);
        match Part::decode(message) {
            Ok(part) => {
                self.merge_part(&part);
            }
            Err(error) => warn!(component = "cluster", err = %error, "Decoding a message failed"),
        }
    }

    fn merge(&self, user_state: &[u8]) {
        let notice = Notice::Received { what: Traffic::FullState, bytes: user_state.len() };
        self.observer.observe(&notice);
        match FullState::decode(user_state) {
            Ok(state) => state.parts.iter().for_each(|part| self.merge_part(part)),
            Err(error) => warn!(component = "cluster", err = %error, "Decoding a state failed"),
        }
    }

    fn merge_part(&self, part: &Part) {
        let state = {
            let states = self.states.lock();
            states.iter().find(|(key, _)| *key == part.key).map(|(_, state)| state.clone())
        };
        let Some(state) = state else {
            debug!(component = "cluster", key = part.key, "Nobody is here for this key");
            return;
        };
        // A whole state takes its time.
        match runtime::blocking(|| state.merge(&part.data)) {
            Ok(false) => {}
            Ok(true) => {
                let message = part.encode_to_vec();
                // Longer ones went to everybody.
                if message.len() <= USER_PACKET_BYTES_MAX {
                    self.queue(message);
                }
            }
            Err(error) => {
                warn!(component = "cluster", key = part.key, err = error, "Merging failed");
            }
        }
    }

    /// All shared state, in the form in which it travels.
    pub(super) fn user_state(&self) -> Vec<u8> {
        let states = self.states.lock().clone();
        let parts = states.iter().map(|(key, state)| Part {
            key: key.clone(),
            data: runtime::blocking(|| state.full()),
        });
        let bytes = FullState { parts: parts.collect() }.encode_to_vec();
        let notice = Notice::Sent { what: Traffic::FullState, bytes: bytes.len() };
        self.observer.observe(&notice);
        bytes
    }

    /// Waits until as many nodes are there as a moment ago, a few times in a row.
    pub(super) async fn settle(self: Arc<Shared>) {
        const CALM_POLLS: usize = 3;
        let interval = self.options.gossip_interval * 10;
        let started = self.runtime.clock.monotonic();
        let deadline = started + self.options.settle_timeout;
        info!(component = "cluster", ?interval, "Waiting for gossip to settle...");
        let (mut n_nodes, mut n_calm) = (0, 0);
        loop {
            let left = deadline.saturating_sub(self.runtime.clock.monotonic());
            self.runtime.clock.sleep(interval.min(left)).await;
            let elapsed = self.runtime.clock.monotonic() - started;
            if self.runtime.clock.monotonic() >= deadline {
                info!(component = "cluster", ?elapsed, "gossip not settled but continuing anyway");
                break;
            }
            if n_calm >= CALM_POLLS {
                info!(component = "cluster", ?elapsed, "gossip settled; proceeding");
                break;
            }
            let n_now = self.core.lock().membership.n_members();
            n_calm = if n_now == n_nodes { n_calm + 1 } else { 0 };
            info!(component = "cluster", before = n_nodes, now = n_now, "gossip not settled");
            n_nodes = n_now;
        }
        self.settled.cancel();
    }
}
