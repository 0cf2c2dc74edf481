//! Between the nodes: gossip as seen from above.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use alertmanager::{
    Alertmanager, Cluster,
    cluster::{ClusterStatus, StateKey},
};
use parking_lot::Mutex;
use runtime::{BoxFuture, Clock as _, clock::SimulatedClock};

use super::plan::{Dice, Plan};

/// Who has gone is noticed after a while, and who is back, too.
const NOTICED_GONE: Duration = Duration::from_secs(8);
const NOTICED_BACK: Duration = Duration::from_secs(4);
const SETTLE: Duration = Duration::from_secs(10);
const GOSSIP_INTERVAL: Duration = Duration::from_millis(200);
const PUSH_PULL_INTERVAL: Duration = Duration::from_secs(60);
const RECONNECT_INTERVAL: Duration = Duration::from_secs(10);
/// A message goes to each node so many times, directly or over others.
const TRANSMISSIONS: u32 = 3;
/// Longer news is not passed on.
const PASSED_ON_MAX: usize = 700;

pub(super) struct Net {
    pub(super) plan: Plan,
    clock: Arc<SimulatedClock>,
    dice: Dice,
    /// Nothing else is locked while this is held.
    nodes: Mutex<Vec<Slot>>,
}

/// Where a node runs, or will again.
#[derive(Clone, Default)]
struct Slot {
    node: Weak<Alertmanager>,
    /// How often it has been started.
    incarnation: usize,
    started_at: Duration,
}

impl Net {
    pub(super) fn new(plan: Plan, clock: Arc<SimulatedClock>, dice: Dice) -> Arc<Net> {
        let nodes = Mutex::new(vec![Slot::default(); plan.n_nodes()]);
        Arc::new(Net { plan, clock, dice, nodes })
    }

    /// A place for a node that starts now; it takes part once it is [`Net::join`]ed.
    pub(super) fn place(self: &Arc<Net>, idx: usize) -> Arc<Place> {
        let incarnation = self.nodes.lock()[idx].incarnation + 1;
        let started_at = self.clock.monotonic();
        Arc::new(Place { net: self.clone(), idx, incarnation, started_at })
    }

    pub(super) fn join(self: &Arc<Net>, place: &Place, node: &Arc<Alertmanager>) {
        let slot = Slot {
            node: Arc::downgrade(node),
            incarnation: place.incarnation,
            started_at: place.started_at,
        };
        let (idx, incarnation) = (place.idx, place.incarnation);
        self.nodes.lock()[idx] = slot;
        for other in 0..self.plan.n_nodes() {
            self.exchange(idx, other);
        }
        let pause = self.dice.duration(PUSH_PULL_INTERVAL);
        tokio::spawn(self.clone().keep_exchanging(idx, incarnation, pause));
        tokio::spawn(self.clone().keep_reconnecting(idx, incarnation));
    }

    fn node(&self, idx: usize) -> Option<Arc<Alertmanager>> {
        if self.plan.is_down(idx, self.clock.monotonic()) {
            return None;
        }
        let slot = self.nodes.lock()[idx].clone();
        slot.node.upgrade()
    }

    fn is_current(&self, idx: usize, incarnation: usize) -> bool {
        !self.plan.is_down(idx, self.clock.monotonic())
            && self.nodes.lock()[idx].incarnation == incarnation
    }

    /// Whether `idx` counts `other` as alive.
    fn believes_in(&self, idx: usize, other: usize) -> bool {
        let now = self.clock.monotonic();
        let is_here = self.plan.are_connected(idx, other, now);
        let started_at = self.nodes.lock()[idx].started_at;
        // Who has just come asks everybody.
        if now < started_at + NOTICED_GONE {
            return is_here;
        }
        let ago = if is_here { NOTICED_BACK } else { NOTICED_GONE };
        self.plan.are_connected(idx, other, now.saturating_sub(ago))
    }

    fn others(&self, idx: usize) -> impl Iterator<Item = usize> {
        (0..self.plan.n_nodes()).filter(move |other| *other != idx && self.believes_in(idx, *other))
    }

    /// All that one knows for all that the other knows.
    fn exchange(self: &Arc<Net>, a: usize, b: usize) {
        if a == b || !self.plan.are_connected(a, b, self.clock.monotonic()) {
            return;
        }
        let (Some(one), Some(other)) = (self.node(a), self.node(b)) else { return };
        for state in [StateKey::Log, StateKey::Silences] {
            let (ours, theirs) = (one.full_state(state), other.full_state(state));
            self.merge(b, &other, state, ours);
            self.merge(a, &one, state, theirs);
        }
    }

    fn merge(self: &Arc<Net>, idx: usize, node: &Alertmanager, state: StateKey, bytes: Vec<u8>) {
        let is_news = node.merge(state, &bytes).expect("our own bytes");
        if is_news && bytes.len() <= PASSED_ON_MAX {
            self.spread(idx, state, &Arc::from(bytes));
        }
    }

    fn spread(self: &Arc<Net>, from: usize, state: StateKey, bytes: &Arc<[u8]>) {
        for to in self.others(from) {
            tokio::spawn(self.clone().carry(from, to, state, bytes.clone()));
        }
    }

    /// Tries a few times to get a message through.
    async fn carry(self: Arc<Net>, from: usize, to: usize, state: StateKey, bytes: Arc<[u8]>) {
        for _ in 0..TRANSMISSIONS {
            self.clock
                .sleep(GOSSIP_INTERVAL.mul_f64(0.1) + self.dice.duration(GOSSIP_INTERVAL))
                .await;
            let now = self.clock.monotonic();
            let is_lost = self.dice.chance(self.plan.loss(now));
            if is_lost || !self.plan.are_connected(from, to, now) {
                continue;
            }
            let delay = self.dice.duration(self.plan.delay(now));
            if !delay.is_zero() {
                self.clock.sleep(delay).await;
            }
            if let Some(node) = self.node(to) {
                self.merge(to, &node, state, bytes.to_vec());
            }
            // More of the same would change nothing.
            return;
        }
    }

    async fn keep_exchanging(self: Arc<Net>, idx: usize, incarnation: usize, first: Duration) {
        self.clock.sleep(first).await;
        while self.is_current(idx, incarnation) {
            let others: Vec<usize> = self.others(idx).collect();
            if !others.is_empty() {
                self.exchange(idx, others[self.dice.below(others.len())]);
            }
            self.clock.sleep(PUSH_PULL_INTERVAL).await;
        }
    }

    /// Nodes that were lost are met again with all that either has missed.
    async fn keep_reconnecting(self: Arc<Net>, idx: usize, incarnation: usize) {
        let mut known: Vec<usize> = self.others(idx).collect();
        while self.is_current(idx, incarnation) {
            self.clock.sleep(RECONNECT_INTERVAL).await;
            let others: Vec<usize> = self.others(idx).collect();
            for other in others.iter().filter(|other| !known.contains(other)) {
                self.exchange(idx, *other);
            }
            known = others;
        }
    }
}

/// A node's place in the cluster, from one start to the next.
pub(super) struct Place {
    net: Arc<Net>,
    pub(super) idx: usize,
    incarnation: usize,
    started_at: Duration,
}

impl Place {
    /// Whether this is the process that runs now: what a dead one still does has no effect.
    pub(super) fn is_alive(&self) -> bool {
        let is_latest = self.net.nodes.lock()[self.idx].incarnation <= self.incarnation;
        is_latest && !self.net.plan.is_down(self.idx, self.net.clock.monotonic())
    }
}

impl Cluster for Place {
    fn position(&self) -> usize {
        let ranks = &self.net.plan.ranks;
        self.net.others(self.idx).filter(|other| ranks[*other] < ranks[self.idx]).count()
    }

    fn has_others(&self) -> bool {
        self.net.others(self.idx).next().is_some()
    }

    fn settled(&self) -> BoxFuture<'_, ()> {
        let left = (self.started_at + SETTLE).saturating_sub(self.net.clock.monotonic());
        self.net.clock.sleep(left)
    }

    fn broadcast(&self, state: StateKey, message: Vec<u8>) {
        if self.is_alive() {
            self.net.spread(self.idx, state, &Arc::from(message));
        }
    }

    fn status(&self) -> ClusterStatus {
        ClusterStatus::default()
    }
}
