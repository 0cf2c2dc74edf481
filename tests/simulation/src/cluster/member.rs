//! One server: the cores of `cluster`, what it has on disk, and what it is about to do.

use std::{collections::BTreeMap, time::Duration};

use cluster::{
    MemberId,
    acks::Acknowledged,
    core::Core,
    frame::SlotId,
    lease::store::{Settings, StoreLease},
};

use super::{
    clocks::Clocks,
    plan::{DURATION, Keeper, Plan},
};

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
    /// How far the log is read, and until where what is on its way stands in it.
    pub(super) position: usize,
    pub(super) reading_until: usize,
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

    /// A sample is stored, and stands in the log for whoever writes.
    pub(super) fn store(&mut self, target: u64, slot: i64, sample: Sample) {
        self.samples.insert((target, slot), sample);
        if let Some(value) = sample {
            self.log.push((target, slot, value));
        }
    }

    /// What is to be written next, in the order of the log, and the epoch. What stood in the log
    /// before this member became the writer may have been written by another one.
    pub(super) fn batch(&mut self, now: u64) -> (u64, Vec<(u64, i64, u64)>) {
        if !self.may_write(now) {
            self.mind.shared_until = usize::MAX;
        } else if self.mind.shared_until == usize::MAX {
            self.mind.shared_until = self.log.len();
        }
        let (acks, shared_until) = (&self.mind.acks, self.mind.shared_until);
        let has_arrived = |idx: usize, target: u64, slot: i64| {
            idx < shared_until && acks.has_arrived("remote", target, slot)
        };
        while self.mind.position < self.log.len() {
            let (target, slot, _) = self.log[self.mind.position];
            if !has_arrived(self.mind.position, target, slot) {
                break;
            }
            self.mind.position += 1;
        }
        let end = self.log.len().min(self.mind.position + 8);
        let batch = (self.mind.position..end)
            .map(|idx| (idx, self.log[idx]))
            .filter(|(idx, (target, slot, _))| !has_arrived(*idx, *target, *slot))
            .map(|(_, entry)| entry)
            .collect();
        self.mind.reading_until = end;
        let epoch = match &self.mind.store {
            Some(store) => store.held_epoch(),
            None => self.mind.core.holder().map_or(0, |(epoch, _)| epoch),
        };
        (epoch, batch)
    }
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
            acks: Acknowledged::default(),
            turns: BTreeMap::new(),
            is_writing: false,
            known: Vec::new(),
            position: 0,
            reading_until: 0,
            shared_until: usize::MAX,
        }
    }
}
