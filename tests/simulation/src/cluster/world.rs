//! The world that members live in, one event after the other.

mod faults;
mod remote;
mod service;
mod turns;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cluster::{
    MemberId,
    core::{Input, Output},
    frame::{Frame, SlotId},
    lease::store::{Action, Record, Want},
};

use super::{
    Totals,
    clocks::{Clocks, START},
    member::{Member, Sample},
    net::{Arrival, Delivery, Net},
    plan::{Keeper, Plan, QUIET, TROUBLE},
    verdict,
};
use crate::dice::Dice;
use remote::Verdict;
use service::Answer;

/// How often members look at the time.
const TICK: u64 = 100;
/// How often a lower member tries to make a link that is not there.
const DIAL: u64 = 150;
/// After so long gossip knows who is gone.
const GONE: u64 = 6_000;
/// After so long all members have found each other at the start.
const FOUND: i64 = 4_000;
/// So long after a cut members may still not agree who writes.
const HEALING: u64 = 4_000;

#[derive(Debug, Clone)]
enum Event {
    Tick,
    Arrive {
        from: usize,
        link: u64,
        arrival: Arrival,
    },
    Fetched {
        id: SlotId,
        result: Sample,
    },
    /// A question reaches the lease's service, and its answer comes back.
    AtStore(Action),
    FromStore(Action, Answer),
    AtRemote {
        epoch: Option<u64>,
        batch: Vec<usize>,
    },
    FromRemote {
        batch: Vec<usize>,
        verdict: Verdict,
    },
    Dial(usize),
    Begin(usize),
    End(usize),
}

pub(super) struct World<'a> {
    pub(super) plan: &'a Plan,
    dice: Dice,
    pub(super) now: u64,
    events: BTreeMap<(u64, u64), (usize, u64, Event)>,
    n_events: u64,
    pub(super) members: Vec<Member>,
    /// What happens to processes that are stopped, when they go on.
    waiting: Vec<VecDeque<(u64, Event)>>,
    net: Net,
    latency: u64,
    store: Option<(Record, u64)>,
    /// Target and slot: what came first, and how often it came.
    pub(super) remote: BTreeMap<(u64, i64), (u64, usize)>,
    /// How often nobody can reach it.
    outages: usize,
    /// Who wrote in which epoch.
    epochs: BTreeMap<u64, BTreeSet<usize>>,
    down: BTreeMap<usize, usize>,
    unreachable: BTreeMap<(usize, usize), Vec<bool>>,
    last_cut: Option<u64>,
    n_values: u64,
    pub(super) totals: Totals,
    writers: BTreeSet<usize>,
    pub(super) complaints: Vec<String>,
}

/// Lives through a history; the error says what should not have happened.
pub(super) fn live(plan: &Plan) -> Result<Totals, String> {
    let mut world = World::new(plan);
    let end = TROUBLE + QUIET;
    while let Some(((at, _), (member, run, event))) = world.events.pop_first() {
        if at > end || !world.complaints.is_empty() {
            break;
        }
        world.now = at;
        world.happen(member, run, event);
        world.watch_writers();
    }
    verdict::judge(&mut world);
    match world.complaints.is_empty() {
        true => Ok(world.totals),
        false => Err(world.complaints.join("\n")),
    }
}

impl<'a> World<'a> {
    fn new(plan: &'a Plan) -> World<'a> {
        let dice = Dice::new(!plan.seed);
        let members = (0..plan.members).map(|idx| {
            // A hundredth faster or slower is more than any clock is.
            let clocks = Clocks { rate: 980 + dice.below(41), base: dice.below(1 << 40), ahead: 0 };
            Member::new(idx, clocks, plan)
        });
        let mut world = World {
            members: members.collect(),
            plan,
            now: 0,
            events: BTreeMap::new(),
            n_events: 0,
            waiting: vec![VecDeque::new(); plan.members],
            net: Net::default(),
            latency: plan.latency,
            store: None,
            remote: BTreeMap::new(),
            outages: 0,
            epochs: BTreeMap::new(),
            down: BTreeMap::new(),
            unreachable: BTreeMap::new(),
            last_cut: None,
            n_values: 0,
            totals: Totals { histories: 1, faults: plan.faults.len(), ..Totals::default() },
            writers: BTreeSet::new(),
            complaints: Vec::new(),
            dice,
        };
        for (idx, fault) in plan.faults.iter().enumerate() {
            world.at(fault.at, 0, Event::Begin(idx));
            world.at(fault.at + fault.lasts, 0, Event::End(idx));
        }
        for member in 0..plan.members {
            let first = world.dice.below(200);
            world.at(first, member, Event::Tick);
            for peer in member + 1..plan.members {
                let first = world.dice.below(DIAL);
                world.at(first, member, Event::Dial(peer));
            }
        }
        world
    }

    fn at(&mut self, at: u64, member: usize, event: Event) {
        self.n_events += 1;
        let run = self.members[member].run;
        self.events.insert((at, self.n_events), (member, run, event));
    }

    fn deliver(&mut self, delivery: Option<Delivery>) {
        if let Some((at, to, from, link, arrival)) = delivery {
            self.at(at, to, Event::Arrive { from, link, arrival });
        }
    }

    fn happen(&mut self, idx: usize, run: u64, event: Event) {
        match event {
            Event::Begin(fault) => return self.fault(self.plan.faults[fault].kind, true),
            Event::End(fault) => return self.fault(self.plan.faults[fault].kind, false),
            Event::Dial(peer) => return self.dial(idx, peer),
            Event::AtStore(action) => return self.at_store(idx, action),
            Event::AtRemote { epoch, batch } => return self.at_remote(idx, epoch, batch),
            _ if self.members[idx].run != run || !self.members[idx].is_up() => return,
            _ => {}
        }
        if self.members[idx].stopped > 0 {
            self.waiting[idx].push_back((run, event));
            return;
        }
        match event {
            Event::Tick => self.tick(idx),
            Event::Arrive { from, link, arrival } => self.arrive(idx, from, link, arrival),
            Event::Fetched { id, result } => self.fetched(idx, id, result),
            Event::FromStore(action, answer) => self.store_answers(idx, action, answer),
            Event::FromRemote { batch, verdict } => self.remote_answers(idx, batch, verdict),
            _ => {}
        }
    }

    fn tick(&mut self, idx: usize) {
        self.handle(idx, Input::Tick);
        let known = self.known_to(idx);
        if self.members[idx].mind.known != known {
            self.members[idx].mind.known.clone_from(&known);
            self.handle(idx, Input::Known(known));
        }
        self.begin_turns(idx);
        self.members[idx].ticks += 1;
        if self.members[idx].ticks.is_multiple_of(25) {
            self.repair(idx);
        }
        self.ask_store(idx);
        self.write(idx);
        // Timers are not exact.
        let next = self.now + TICK - 5 + self.dice.below(15);
        self.at(next, idx, Event::Tick);
    }

    /// As gossip says it.
    fn known_to(&mut self, idx: usize) -> Vec<MemberId> {
        let mut known = Vec::new();
        for peer in 0..self.members.len() {
            let is_heard = self.members[peer].is_running() && !self.net.is_cut(peer, idx);
            if peer == idx || is_heard && self.now >= 500 {
                self.members[idx].seen[peer] = self.now.max(1);
            }
            let seen = self.members[idx].seen[peer];
            if seen > 0 && self.now.saturating_sub(seen) < GONE {
                known.push(self.members[peer].id);
            }
        }
        known
    }

    /// The core decides, the world obeys.
    fn handle(&mut self, idx: usize, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now = self.members[idx].clocks.moment(self.now);
            let outputs = self.members[idx].mind.core.handle(now, input);
            if self.plan.keeper == Keeper::Members {
                let mind = &mut self.members[idx].mind;
                mind.valid_until = mind.core.valid_until(now.monotonic);
            }
            for output in outputs {
                inputs.extend(self.act(idx, output));
            }
        }
    }

    fn act(&mut self, idx: usize, output: Output) -> Option<Input> {
        match output {
            Output::Send(to, frame) => {
                let to = place(to);
                let sent = self.net.send(idx, to, frame, self.now, self.latency, &self.dice);
                self.deliver(sent);
            }
            Output::Close(peer) => {
                let sent = self.net.close(idx, place(peer), self.now, self.latency, &self.dice);
                self.deliver(sent);
                return Some(Input::Unlinked(peer));
            }
            Output::Fetch(id) => self.fetch(idx, id),
            Output::Unshared(id) => {
                self.complaints.push(format!("{}: {idx} cannot share {id:?}", self.now));
            }
            Output::LeftOut(id) => {
                self.members[idx].mind.turns.remove(&id);
            }
            Output::Done(id, shared) => {
                let value = shared.payload.bytes[..].try_into().map(u64::from_be_bytes);
                let sample = value.ok().filter(|_| !shared.has_failed);
                self.done(idx, id, sample);
            }
        }
        None
    }

    fn arrive(&mut self, idx: usize, from: usize, link: u64, arrival: Arrival) {
        if !self.net.is_current(idx, from, link) {
            return;
        }
        let peer = self.members[from].id;
        match arrival {
            Arrival::Unlinked => {
                self.net.forget(idx, from);
                self.handle(idx, Input::Unlinked(peer));
            }
            Arrival::Frame(Frame::Acks(acks)) => {
                self.members[idx].mind.acks.merge(peer, &acks);
                self.handle(idx, Input::Sign(peer));
            }
            Arrival::Frame(frame) => {
                let now = self.members[idx].clocks.monotonic(self.now);
                if let Some(store) = &mut self.members[idx].mind.store
                    && matches!(frame, Frame::Heartbeat(heartbeat) if !heartbeat.lease.is_holding)
                    && self.dice.once_in(8)
                {
                    store.want(now, Want::Look);
                }
                self.handle(idx, Input::Heard(peer, frame));
            }
        }
    }

    /// Takes over what others have and it lacks, of slots that are over for a while.
    fn repair(&mut self, idx: usize) {
        if self.plan.is_spread() {
            return;
        }
        let own = self.members[idx].id;
        let live = self.members[idx].mind.core.live().to_vec();
        let end = (START + self.now) as i64 - 2 * self.plan.limit as i64 - 2_000;
        for peer in live.into_iter().filter(|peer| *peer != own).map(place) {
            let theirs = self.members[peer].samples.clone();
            for ((target, slot), sample) in theirs.into_iter().filter(|((_, slot), _)| *slot < end)
            {
                let own = self.members[idx].samples.get(&(target, slot)).copied();
                if own.is_none_or(|own| own < sample) {
                    // Not into the log: whoever had it sends it.
                    self.members[idx].samples.insert((target, slot), sample);
                    self.totals.repaired += 1;
                    if self.plan.faults.is_empty() && slot > START as i64 + FOUND {
                        self.complaints.push(format!("{target} at {slot} differs, all being well"));
                    }
                }
            }
        }
    }

    /// The lower one makes the link, if it has none and the other one can be reached.
    fn dial(&mut self, idx: usize, peer: usize) {
        let next = self.now + DIAL + self.dice.below(DIAL);
        let both_run = self.members[idx].is_running() && self.members[peer].is_running();
        let is_cut = self.net.is_cut(idx, peer) || self.net.is_cut(peer, idx);
        if both_run && !is_cut && !self.net.believes(idx, peer) {
            if self.net.believes(peer, idx) {
                self.net.forget(peer, idx);
                self.handle(peer, Input::Unlinked(self.members[idx].id));
            }
            self.net.link(idx, peer);
            for (a, b) in [(idx, peer), (peer, idx)] {
                self.handle(a, Input::Linked(self.members[b].id));
                for piece in self.members[a].mind.acks.pieces() {
                    let frame = Frame::Acks(piece);
                    let sent = self.net.send(a, b, frame, self.now, self.latency, &self.dice);
                    self.deliver(sent);
                }
            }
        }
        self.at(next, idx, Event::Dial(peer));
    }

    /// At most one member may write, at any moment.
    fn watch_writers(&mut self) {
        if self.net.is_any_cut() {
            self.last_cut = Some(self.now);
        }
        let writers: BTreeSet<usize> =
            (0..self.members.len()).filter(|idx| self.members[*idx].may_write(self.now)).collect();
        let was_cut = self.last_cut.is_some_and(|cut| self.now < cut + HEALING);
        let may_be_two = self.plan.keeper == Keeper::Members && was_cut;
        if writers.len() > 1 && !may_be_two {
            self.complaints.push(format!("{}: {writers:?} may write", self.now));
        }
        if writers != self.writers {
            self.totals.hand_overs += usize::from(!writers.is_empty());
            self.writers = writers;
        }
    }

    /// In which epochs more than one wrote.
    pub(super) fn contested_epochs(&self) -> Vec<u64> {
        let contested = self.epochs.iter().filter(|(_, writers)| writers.len() > 1);
        contested.map(|(epoch, _)| *epoch).collect()
    }

    pub(super) fn was_ever_cut(&self) -> bool {
        self.last_cut.is_some()
    }

    /// Slots that true clocks know.
    pub(super) fn is_true_slot(&self, slot: i64) -> bool {
        (START as i64..=(START + self.now) as i64).contains(&slot)
    }
}

fn place(id: MemberId) -> usize {
    id.0 as usize - 1
}
