//! One server: the cores of `cluster`, what it has on disk, and what it is about to do.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use cluster::{
    MemberId,
    acks::{self, Acknowledged, Fate, Patience},
    core::Core,
    frame::SlotId,
    lease::store::{Settings, StoreLease},
};

use super::{
    clocks::Clocks,
    plan::{DURATION, Keeper, Plan},
};

/// What waits at the remote end is never so old here.
const PATIENCE: Patience = Patience { turn: 2_000, ended: 6_000 };
/// Samples of a request.
const BATCH: usize = 8;
/// The queue, as members call it.
pub(super) const QUEUE: &str = "remote";

/// What a member has of one target's slot: a value, or that there was none.
pub(super) type Sample = Option<u64>;

pub(super) struct Member {
    pub(super) id: MemberId,
    pub(super) clocks: Clocks,
    /// Counts starts; what belongs to an earlier one is void.
    pub(super) run: u64,
    /// How often it is stopped, and killed, at this moment.
    pub(super) stopped: usize,
    pub(super) killed: usize,
    pub(super) mind: Mind,
    /// On disk: target and slot.
    pub(super) samples: BTreeMap<(u64, i64), Sample>,
    /// On disk: what is to be written, in the order in which it was stored.
    pub(super) log: Vec<(u64, i64, u64)>,
    /// On disk: all before has arrived.
    pub(super) position: usize,
    /// The newest slot that was begun, of each target.
    pub(super) begun: Vec<i64>,
    pub(super) ticks: u64,
    pub(super) fingerprints: usize,
    pub(super) remote_cuts: usize,
    pub(super) store_cuts: usize,
    pub(super) store_deaf: usize,
    /// When gossip has last heard of each member.
    pub(super) seen: Vec<u64>,
}

/// What is in memory, and lost when the process is killed.
pub(super) struct Mind {
    pub(super) core: Core,
    pub(super) store: Option<StoreLease>,
    pub(super) valid_until: Option<Duration>,
    pub(super) acks: Acknowledged,
    /// Slots whose turns go on, and whether the target is being asked.
    pub(super) turns: BTreeMap<SlotId, Turn>,
    /// Whether a batch is on its way to the remote end.
    pub(super) is_writing: bool,
    pub(super) known: Vec<MemberId>,
    /// Behind the position, what has arrived already.
    finished: BTreeSet<usize>,
    /// Halves of a batch that was refused as a whole, and what follows.
    pub(super) parts: Vec<Vec<usize>>,
    /// Up to here another member may have written.
    shared_until: usize,
}

pub(super) struct Turn {
    /// When it began, in true time.
    pub(super) began: u64,
    pub(super) is_asking: bool,
}

impl Member {
    pub(super) fn new(idx: usize, clocks: Clocks, plan: &Plan) -> Member {
        let id = MemberId(idx as u128 + 1);
        Member {
            id,
            run: 0,
            stopped: 0,
            killed: 0,
            mind: Mind::new(id, 0, &clocks, 0, plan),
            clocks,
            samples: BTreeMap::new(),
            log: Vec::new(),
            position: 0,
            begun: vec![i64::MIN; plan.targets],
            ticks: 0,
            fingerprints: 0,
            remote_cuts: 0,
            store_cuts: 0,
            store_deaf: 0,
            seen: vec![0; plan.members],
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.killed == 0
    }

    pub(super) fn is_running(&self) -> bool {
        self.killed == 0 && self.stopped == 0
    }

    pub(super) fn may_write(&self, now: u64) -> bool {
        let clock = self.clocks.monotonic(now);
        self.is_up() && self.mind.valid_until.is_some_and(|until| clock < until)
    }

    /// A new process with the old data.
    pub(super) fn restart(&mut self, now: u64, plan: &Plan) {
        self.run += 1;
        self.mind = Mind::new(self.id, self.run, &self.clocks, now, plan);
    }

    pub(super) fn fingerprint(&self) -> u64 {
        if self.fingerprints == 0 { 1 } else { 100 + self.id.0 as u64 }
    }

    /// What was scraped is stored, and stands in the log for whoever writes.
    pub(super) fn store(&mut self, target: u64, slot: i64, sample: Sample) {
        self.samples.insert((target, slot), sample);
        if let Some(value) = sample {
            self.log.push((target, slot, value));
        }
    }

    /// What is to be written next, by its places in the log, as `send` of `remote` does; and the
    /// epoch, if the one writer writes. What stood in the log before this member became the writer
    /// may have been written by another one.
    pub(super) fn batch(&mut self, now: u64, is_spread: bool) -> (Option<u64>, Vec<usize>) {
        let may_write = self.may_write(now);
        if !may_write {
            self.mind.shared_until = usize::MAX;
        } else if self.mind.shared_until == usize::MAX {
            self.mind.shared_until = self.log.len();
        }
        let is_writer = may_write && !is_spread;
        if let Some(part) = self.mind.parts.pop() {
            return (self.epoch().filter(|_| is_writer), part);
        }
        let mut batch = Vec::new();
        for idx in self.position..self.log.len() {
            if self.mind.finished.contains(&idx) {
                continue;
            }
            let knows_better = is_writer && idx >= self.mind.shared_until;
            let fate = if knows_better { Fate::Open } else { self.fate(idx, is_spread) };
            let is_ours = is_writer || is_spread && self.is_first(now, idx);
            match fate {
                Fate::Arrived => self.finish(idx),
                Fate::Left => batch.push(idx),
                Fate::Open if is_ours => batch.push(idx),
                Fate::Open => {}
            }
            if batch.len() == BATCH {
                break;
            }
        }
        (self.epoch().filter(|_| is_writer), batch)
    }

    fn fate(&self, idx: usize, is_spread: bool) -> Fate {
        let (target, slot, _) = self.log[idx];
        let place = || self.place(target, is_spread);
        self.mind.acks.fate(QUEUE, series(target), slot, PATIENCE, place)
    }

    /// Where each series has a writer of its own.
    fn is_first(&self, now: u64, idx: usize) -> bool {
        let (target, slot, _) = self.log[idx];
        let wall = self.clocks.moment(now).wall.as_millis() as i64;
        wall - slot >= self.place(target, true) * PATIENCE.turn
    }

    /// How many send samples of this target before this member.
    fn place(&self, target: u64, is_spread: bool) -> i64 {
        let series = series(target);
        let holder = self.mind.core.holder().map(|(_, holder)| holder);
        let live = self.mind.core.live().iter().copied();
        let mut members: Vec<MemberId> =
            live.filter(|member| is_spread || holder != Some(*member)).collect();
        members.push(self.id);
        acks::place(series, self.id, &members, self.mind.acks.sender(QUEUE, series))
    }

    /// A sample of the log has arrived.
    pub(super) fn finish(&mut self, idx: usize) {
        self.mind.finished.insert(idx);
        while self.mind.finished.remove(&self.position) {
            self.position += 1;
        }
    }

    fn epoch(&self) -> Option<u64> {
        match &self.mind.store {
            Some(store) => Some(store.held_epoch()),
            None => Some(self.mind.core.holder().map_or(0, |(epoch, _)| epoch)),
        }
    }
}

/// What a target's series is known by: nothing that its owners have to do with.
pub(super) fn series(target: u64) -> u64 {
    target + 1_000_000
}

impl Mind {
    fn new(id: MemberId, run: u64, clocks: &Clocks, now: u64, plan: &Plan) -> Mind {
        let duration = Duration::from_millis(DURATION);
        let among_members = (plan.keeper == Keeper::Members).then_some(duration);
        let settings = Settings { own: id, name: id.to_string(), duration };
        let store = (plan.keeper == Keeper::Store)
            .then(|| StoreLease::new(settings, format!("{run}"), clocks.monotonic(now)));
        Mind {
            core: Core::new(id, clocks.moment(now), 1, among_members),
            store,
            valid_until: None,
            acks: Acknowledged::new(id, plan.is_spread()),
            turns: BTreeMap::new(),
            is_writing: false,
            known: Vec::new(),
            finished: BTreeSet::new(),
            parts: Vec::new(),
            shared_until: usize::MAX,
        }
    }
}
