//! The world that members live in, one event after the other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use cluster::{
    MemberId,
    core::{Input, Output},
    frame::{Frame, Payload, Shared, SlotId},
    lease::store::{Action, Record, Version, Want},
    ownership,
};

use super::{
    Totals,
    clocks::{Clocks, START},
    member::{Member, QUEUE, Sample, Turn, series},
    net::{Arrival, Delivery, Net},
    plan::{INTERVAL, Keeper, Kind, LIMIT, Plan, QUIET, TROUBLE},
    verdict,
};
use crate::dice::Dice;

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

/// What a member hears of a request.
#[derive(Debug, Clone, Copy)]
enum Verdict {
    Taken,
    /// All of it, because of something in it.
    Refused,
    Nothing,
}

#[derive(Debug, Clone)]
enum Answer {
    Record(Option<(Record, Version)>),
    Written(Option<Version>),
    Nothing,
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

    fn begin_turns(&mut self, idx: usize) {
        let wall = self.members[idx].clocks.moment(self.now).wall.as_millis() as i64;
        for target in 0..self.plan.targets {
            let known = &self.members[idx].mind.known;
            let own = self.members[idx].id;
            if !ownership::is_owner(target as u64, own, known, self.plan.factor) {
                continue;
            }
            // Targets are spread over the interval.
            let phase = (target as i64 * 700) % INTERVAL as i64;
            let slot = wall - (wall - phase).rem_euclid(INTERVAL as i64);
            let member = &mut self.members[idx];
            let key = target as u64;
            let goes_on = member.mind.turns.keys().any(|id| id.key == key);
            // A clock that was set back may come by the same slot again.
            let is_new = slot != member.begun[target] && !member.samples.contains_key(&(key, slot));
            if !is_new || goes_on {
                continue;
            }
            member.begun[target] = slot;
            let id = SlotId { key, slot };
            member.mind.turns.insert(id, Turn { began: self.now, is_asking: false });
            self.totals.turns += 1;
            let limit = std::time::Duration::from_millis(LIMIT);
            self.handle(idx, Input::Turn { id, limit });
        }
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

    fn fetch(&mut self, idx: usize, id: SlotId) {
        let target = id.key as usize;
        self.totals.fetches += 1;
        self.n_values += 1;
        let is_down = self.down.get(&target).is_some_and(|count| *count > 0);
        let hangs = self.unreachable.get(&(idx, target)).and_then(|hangs| hangs.last().copied());
        let (takes, result) = match (is_down, hangs) {
            (_, Some(true)) => (LIMIT, None),
            (true, _) | (_, Some(false)) => (1 + self.dice.below(5), None),
            _ => (1 + self.dice.below(LIMIT / 8), Some(self.n_values)),
        };
        if let Some(turn) = self.members[idx].mind.turns.get_mut(&id) {
            turn.is_asking = true;
        }
        self.at(self.now + takes, idx, Event::Fetched { id, result });
    }

    fn fetched(&mut self, idx: usize, id: SlotId, result: Sample) {
        let is_asking = self.members[idx].mind.turns.get(&id).is_some_and(|turn| turn.is_asking);
        if is_asking {
            let bytes = Bytes::copy_from_slice(&result.unwrap_or_default().to_be_bytes());
            let payload = Payload { bytes, unpacked_len: None };
            let shared = Shared { by: self.members[idx].id, has_failed: result.is_none(), payload };
            self.handle(idx, Input::Fetched { id, shared });
        }
    }

    fn done(&mut self, idx: usize, id: SlotId, sample: Sample) {
        let member = &mut self.members[idx];
        let Some(turn) = member.mind.turns.remove(&id) else {
            self.complaints.push(format!("{}: {idx} is done twice with {id:?}", self.now));
            return;
        };
        member.store(id.key, id.slot, sample);
        let began = turn.began;
        let is_calm = !self.plan.is_troubled(began.saturating_sub(GONE), self.now);
        let took = self.now - began;
        if is_calm && (sample.is_none() || took > LIMIT / 4 + 10 * self.plan.latency + 700) {
            let now = self.now;
            self.complaints.push(format!(
                "{now}: {idx} has {sample:?} of {id:?} after {took} ms, though nothing is wrong"
            ));
        }
        if took > 2 * LIMIT + 2_000 && !self.plan.has(|kind| matches!(kind, Kind::Stop { .. })) {
            self.complaints.push(format!("{}: {idx} took {took} ms for {id:?}", self.now));
        }
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
        let end = (START + self.now) as i64 - 2 * LIMIT as i64 - 2_000;
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

    fn ask_store(&mut self, idx: usize) {
        let now = self.members[idx].clocks.monotonic(self.now);
        let Some(store) = &mut self.members[idx].mind.store else { return };
        let action = store.next(now);
        let word = store.word(now);
        self.members[idx].mind.valid_until =
            self.members[idx].mind.store.as_ref().and_then(|store| store.valid_until());
        self.handle(idx, Input::Word(word));
        let Some(action) = action else { return };
        let takes = 1 + self.dice.below(self.latency);
        if self.members[idx].store_cuts == 0 {
            self.at(self.now + takes, idx, Event::AtStore(action));
        } else {
            // It may still get there, long after we have given up.
            if self.dice.once_in(3) {
                let at = self.now + self.dice.below(10_000);
                self.at(at, idx, Event::AtStore(action.clone()));
            }
            self.at(self.now + 1_500, idx, Event::FromStore(action, Answer::Nothing));
        }
    }

    fn at_store(&mut self, idx: usize, action: Action) {
        let answer = match &action {
            Action::Read => {
                let version = |n: u64| Version(n.to_string());
                let record = self.store.as_ref();
                Answer::Record(record.map(|(record, n)| (record.clone(), version(*n))))
            }
            Action::Write { record, version } => {
                let current = self.store.as_ref().map(|(_, n)| Version(n.to_string()));
                let is_same = current == *version;
                if is_same {
                    let n = self.store.as_ref().map_or(0, |(_, n)| *n) + 1;
                    self.store = Some((record.clone(), n));
                    Answer::Written(Some(Version(n.to_string())))
                } else {
                    Answer::Written(None)
                }
            }
        };
        let takes = 1 + self.dice.below(self.latency);
        let is_heard = self.members[idx].store_deaf == 0 && self.members[idx].store_cuts == 0;
        let answer = if is_heard { answer } else { Answer::Nothing };
        let takes = if is_heard { takes } else { 1_500 };
        self.at(self.now + takes, idx, Event::FromStore(action, answer));
    }

    fn store_answers(&mut self, idx: usize, action: Action, answer: Answer) {
        let now = self.members[idx].clocks.monotonic(self.now);
        let Some(store) = &mut self.members[idx].mind.store else { return };
        let late = || "no answer in time".to_owned();
        match (action, answer) {
            (Action::Read, Answer::Record(record)) => store.was_read(now, Ok(record)),
            (Action::Write { .. }, Answer::Written(version)) => store.was_written(now, Ok(version)),
            (Action::Read, _) => store.was_read(now, Err(late())),
            (Action::Write { .. }, _) => store.was_written(now, Err(late())),
        }
        self.ask_store(idx);
    }

    fn write(&mut self, idx: usize) {
        let now = self.now;
        let member = &mut self.members[idx];
        if member.mind.is_writing {
            return;
        }
        let (epoch, batch) = member.batch(now, self.plan.is_spread());
        if batch.is_empty() {
            return;
        }
        let is_cut = member.remote_cuts > 0 || self.outages > 0;
        self.members[idx].mind.is_writing = true;
        if is_cut {
            let event = Event::FromRemote { batch, verdict: Verdict::Nothing };
            self.at(self.now + 1_000, idx, event);
        } else {
            let takes = 5 + self.dice.below(150);
            self.at(self.now + takes, idx, Event::AtRemote { epoch, batch });
        }
    }

    /// Takes all of a request or, where it has another value for one of its samples, nothing.
    fn at_remote(&mut self, idx: usize, epoch: Option<u64>, batch: Vec<usize>) {
        if let Some(epoch) = epoch {
            self.epochs.entry(epoch).or_default().insert(idx);
        }
        let log = &self.members[idx].log;
        let samples: Vec<_> = batch.iter().map(|place| log[*place]).collect();
        let is_refused = samples.iter().any(|(target, slot, value)| {
            self.remote.get(&(*target, *slot)).is_some_and(|(known, _)| known != value)
        });
        if !is_refused {
            for (target, slot, value) in samples {
                self.remote.entry((target, slot)).or_insert((value, 0)).1 += 1;
            }
        }
        let is_heard = self.members[idx].remote_cuts == 0 && self.outages == 0;
        let verdict = match (is_heard, is_refused) {
            (false, _) => Verdict::Nothing,
            (true, true) => Verdict::Refused,
            (true, false) => Verdict::Taken,
        };
        let takes = 5 + self.dice.below(150);
        self.at(self.now + takes, idx, Event::FromRemote { batch, verdict });
    }

    fn remote_answers(&mut self, idx: usize, mut batch: Vec<usize>, verdict: Verdict) {
        self.members[idx].mind.is_writing = false;
        match verdict {
            Verdict::Nothing => self.members[idx].mind.parts.clear(),
            Verdict::Refused if batch.len() > 1 => {
                let rest = batch.split_off(batch.len() / 2);
                self.members[idx].mind.parts.extend([rest, batch]);
            }
            // There is one of its time already.
            Verdict::Refused | Verdict::Taken => self.acknowledge(idx, &batch),
        }
    }

    fn acknowledge(&mut self, idx: usize, batch: &[usize]) {
        let member = &mut self.members[idx];
        let sample = |place: &usize| {
            let (target, slot, _) = member.log[*place];
            (series(target), slot)
        };
        let acked: Vec<(u64, i64)> = batch.iter().map(sample).collect();
        batch.iter().for_each(|place| member.finish(*place));
        let acks = member.mind.acks.note(QUEUE, &acked);
        for peer in 0..self.members.len() {
            let frame = Frame::Acks(acks.clone());
            let sent = self.net.send(idx, peer, frame, self.now, self.latency, &self.dice);
            self.deliver(sent);
        }
    }

    fn fault(&mut self, kind: Kind, begins: bool) {
        let count = |n: &mut usize| if begins { *n += 1 } else { *n -= 1 };
        match kind {
            Kind::Cut { from, to, both } => {
                let ways = if both { vec![(from, to), (to, from)] } else { vec![(from, to)] };
                for (a, b) in ways {
                    if begins {
                        self.net.cut(a, b);
                    } else {
                        let healed = self.net.heal(a, b, self.now, self.latency, &self.dice);
                        healed.into_iter().for_each(|delivery| self.deliver(Some(delivery)));
                    }
                }
            }
            Kind::Stop { member } => {
                count(&mut self.members[member].stopped);
                if self.members[member].stopped == 0 {
                    for (run, event) in std::mem::take(&mut self.waiting[member]) {
                        self.happen(member, run, event);
                    }
                }
            }
            Kind::Crash { member } => self.crash(member, begins),
            Kind::Clock { member, millis } => {
                self.members[member].clocks.ahead += if begins { millis } else { -millis };
            }
            Kind::Unreachable { member, target, hangs } => {
                let stack = self.unreachable.entry((member, target)).or_default();
                if begins { stack.push(hangs) } else { stack.retain(|other| *other != hangs) }
            }
            Kind::Down { target } => count(self.down.entry(target).or_default()),
            Kind::Outage => count(&mut self.outages),
            Kind::NoRemote { member } => count(&mut self.members[member].remote_cuts),
            Kind::NoStore { member, hears: true } => count(&mut self.members[member].store_cuts),
            Kind::NoStore { member, hears: false } => count(&mut self.members[member].store_deaf),
            Kind::Slow { latency } => {
                self.latency = if begins { latency } else { self.plan.latency };
            }
            Kind::Release { member } => self.release(member, begins),
            Kind::Configuration { member } => {
                count(&mut self.members[member].fingerprints);
                let fingerprint = self.members[member].fingerprint();
                if self.members[member].is_running() {
                    self.handle(member, Input::Fingerprint(fingerprint));
                }
            }
        }
    }

    fn crash(&mut self, idx: usize, begins: bool) {
        if begins {
            self.members[idx].killed += 1;
            if self.members[idx].killed > 1 {
                return;
            }
            self.waiting[idx].clear();
            for peer in (0..self.members.len()).filter(|peer| *peer != idx) {
                let sent = self.net.close(idx, peer, self.now, self.latency, &self.dice);
                self.deliver(sent);
            }
            return;
        }
        self.members[idx].killed -= 1;
        if self.members[idx].killed > 0 {
            return;
        }
        self.members[idx].restart(self.now, self.plan);
        let fingerprint = self.members[idx].fingerprint();
        let now = self.members[idx].clocks.moment(self.now);
        self.members[idx].mind.core.handle(now, Input::Fingerprint(fingerprint));
        self.at(self.now + 1, idx, Event::Tick);
    }

    fn release(&mut self, idx: usize, begins: bool) {
        let member = &mut self.members[idx];
        if !begins || !member.is_running() || !member.may_write(self.now) {
            return;
        }
        if let Some(store) = &mut member.mind.store {
            store.want(member.clocks.monotonic(self.now), Want::Release { leaves: false });
        }
        self.handle(idx, Input::Release { leaves: false });
        self.ask_store(idx);
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
