//! Which samples have arrived at the remote end, whoever sent them?
//!
//! Exactly: a sample counts as arrived only if the remote end has acknowledged this very one, series
//! (a hash) and time. Samples come in even steps, so that a run of them takes no more room than its
//! ends. Tables merge as sets do, in any order, any number of times. The writer tells the others of
//! each batch; whoever is linked anew is told everything. What a table has forgotten, or never
//! heard, is sent once more; a receiver knows it by its identity.

mod run;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasherDefault, Hasher},
};

use parking_lot::RwLock;
use tokio::sync::watch;

use self::run::Run;
use crate::{
    MemberId,
    frame::{self, AckGroup},
    ownership,
};

/// Series of which nothing was heard for so long are forgotten, in milliseconds.
const KEPT: i64 = 4 * 3600 * 1000;
/// Queues that others may name, and how long their names are.
const QUEUES_MAX: usize = 64;
pub(crate) const NAME_BYTES_MAX: usize = 1024;
/// Series of all queues; about 30 bytes each.
const SERIES_MAX: usize = 16 << 20;
/// Older runs of one series that are remembered, and series that have any.
const OLDER_MAX: usize = 16;
const WITH_OLDER_MAX: usize = 1 << 18;
/// So many runs travel in one piece.
const PIECE: usize = 8192;

/// What became of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Arrived,
    /// Whoever sends has gone past it, and so does not have it: it is left to this member.
    Left,
    Open,
}

/// How long members leave samples to others, in milliseconds of what arrives.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// To each of those who come before.
    pub turn: i64,
    /// Where nothing more of a series arrives, while others do.
    pub ended: i64,
}

/// What has arrived of one queue.
#[derive(Default)]
pub struct Table {
    /// The newest run of each series.
    series: HashMap<u64, Run, BuildHasherDefault<AsItIs>>,
    /// Those before it, by series, in no order; few have any.
    older: BTreeMap<u64, Vec<Run>>,
    /// Where series have writers of their own: who has sent the newest sample.
    senders: HashMap<u64, MemberId, BuildHasherDefault<AsItIs>>,
    newest: i64,
}

/// The keys are hashes already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        debug_assert!(false, "keys are numbers");
    }

    fn write_u64(&mut self, key: u64) {
        // The table takes buckets from the low bits and tags from the high ones.
        self.0 = key;
    }
}

impl Table {
    /// The newest sample of a series that has arrived.
    pub fn get(&self, series: u64) -> Option<i64> {
        self.series.get(&series).map(|run| run.last())
    }

    /// Whether this very sample has arrived, as far as anybody knows.
    pub fn has_arrived(&self, series: u64, time: i64) -> bool {
        let is_in_older = || {
            let older = self.older.get(&series);
            older.is_some_and(|older| older.iter().any(|run| run.contains(time)))
        };
        let Some(run) = self.series.get(&series) else { return false };
        run.contains(time) || time < run.last() && is_in_older()
    }

    /// How far what arrives has gone past a sample: of its series, or of others for so long that no
    /// more of its series seem to come.
    fn passed_by(&self, series: u64, time: i64, ended: i64) -> i64 {
        let by_series = self.get(series).map(|newest| newest - time).filter(|by| *by > 0);
        by_series.unwrap_or(self.newest - time - ended)
    }

    /// A sample has arrived; says whether that was news.
    pub fn note(&mut self, series: u64, time: i64) -> bool {
        self.add(series, Run::single(time))
    }

    /// All of a run has arrived; says whether that was news.
    fn add(&mut self, series: u64, run: Run) -> bool {
        self.newest = self.newest.max(run.last());
        let Some(newest) = self.series.get_mut(&series) else {
            self.series.insert(series, run);
            return true;
        };
        if newest.holds(run) {
            return false;
        }
        match newest.extended(run) {
            Some(longer) => *newest = longer,
            None => return self.add_late(series, run),
        }
        true
    }

    /// The same where it is not simply the next one.
    #[cold]
    fn add_late(&mut self, series: u64, run: Run) -> bool {
        let mut runs = self.older.remove(&series).unwrap_or_default();
        let is_news = !runs.iter().any(|known| known.holds(run));
        if is_news {
            runs.extend(self.series.get(&series).copied());
            run::insert(&mut runs, run);
            if let Some(newest) = runs.pop() {
                self.series.insert(series, newest);
            }
            // What is forgotten is sent once more.
            runs.drain(..runs.len().saturating_sub(OLDER_MAX));
        }
        if !runs.is_empty() && self.older.len() < WITH_OLDER_MAX {
            self.older.insert(series, runs);
        }
        is_news
    }

    pub fn len(&self) -> usize {
        self.series.len()
    }

    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    fn forget_old(&mut self) {
        let oldest = self.newest.saturating_sub(KEPT);
        let n_before = self.series.len();
        self.series.retain(|_, run| run.last() >= oldest);
        self.older.retain(|_, runs| {
            runs.retain(|run| run.last() >= oldest);
            !runs.is_empty()
        });
        self.senders.retain(|series, _| self.series.contains_key(series));
        if self.series.len() < n_before / 2 {
            self.series.shrink_to_fit();
        }
    }

    /// All of it, by time, in pieces that are short enough to be sent.
    fn pieces(&self, queue: &str) -> Vec<frame::Acks> {
        let newest = self.series.iter().map(|(series, run)| (*run, *series));
        let older = self.older.iter().flat_map(|(series, runs)| runs.iter().map(|r| (*r, *series)));
        let mut all: Vec<(Run, u64)> = newest.chain(older).collect();
        all.sort_unstable();
        all.chunks(PIECE).map(|piece| pack(queue, piece.iter().copied())).collect()
    }
}

/// Runs and their series, grouped where neighbours have the same.
fn pack(queue: &str, entries: impl Iterator<Item = (Run, u64)>) -> frame::Acks {
    let mut groups: Vec<AckGroup> = Vec::new();
    let mut last = None;
    for (run, series) in entries {
        match groups.last_mut().filter(|_| last == Some(run)) {
            Some(group) => group.series.push(series),
            None => groups.push(AckGroup {
                time: run.last(),
                step: run.step(),
                n_steps: run.n_steps(),
                series: vec![series],
            }),
        }
        last = Some(run);
    }
    frame::Acks { queue: queue.to_owned(), groups }
}

/// How many of `live` send a series before `own` does, which is one of them: whoever has sent it so
/// far, if it is live, then as they rank.
pub fn place(series: u64, own: MemberId, live: &[MemberId], sender: Option<MemberId>) -> i64 {
    let sender = sender.filter(|sender| live.contains(sender));
    if sender == Some(own) || live.len() <= 1 {
        return 0;
    }
    let others = live.iter().copied().filter(|member| Some(*member) != sender);
    let ranking = ownership::ranking(series, &others.collect::<Vec<_>>());
    let place = ranking.iter().position(|member| *member == own).unwrap_or_default();
    place as i64 + i64::from(sender.is_some())
}

/// The tables of all queues.
pub struct Acknowledged {
    /// Nothing else is locked while this is held.
    queues: RwLock<HashMap<String, Table>>,
    version: watch::Sender<u64>,
    own: MemberId,
    is_spread: bool,
}

impl Acknowledged {
    /// `is_spread` where series have writers of their own.
    pub fn new(own: MemberId, is_spread: bool) -> Acknowledged {
        let version = watch::Sender::new(0);
        Acknowledged { queues: RwLock::default(), version, own, is_spread }
    }

    /// Who has sent the newest sample of a series that has a writer of its own.
    pub fn sender(&self, queue: &str, series: u64) -> Option<MemberId> {
        self.queues.read().get(queue)?.senders.get(&series).copied()
    }

    /// The newest sample of a series that has arrived, in milliseconds.
    pub fn get(&self, queue: &str, series: u64) -> Option<i64> {
        self.queues.read().get(queue)?.get(series)
    }

    /// What became of a sample, for a member that leaves it to `place` others first.
    pub fn fate(
        &self,
        queue: &str,
        series: u64,
        time: i64,
        patience: Patience,
        place: impl FnOnce() -> i64,
    ) -> Fate {
        let passed_by = match self.queues.read().get(queue) {
            Some(table) if table.has_arrived(series, time) => return Fate::Arrived,
            Some(table) => table.passed_by(series, time, patience.ended),
            None => return Fate::Open,
        };
        match passed_by > 0 && passed_by > place() * patience.turn {
            true => Fate::Left,
            false => Fate::Open,
        }
    }

    /// Notes what has arrived; what comes back is for the others.
    pub fn note(&self, queue: &str, samples: &[(u64, i64)]) -> frame::Acks {
        let mut queues = self.queues.write();
        if !queues.contains_key(queue) {
            queues.insert(queue.to_owned(), Table::default());
        }
        if let Some(table) = queues.get_mut(queue) {
            for (series, time) in samples {
                if table.note(*series, *time) && self.is_spread {
                    table.senders.insert(*series, self.own);
                }
            }
        }
        drop(queues);
        self.bump();
        pack(queue, samples.iter().map(|(series, time)| (Run::single(*time), *series)))
    }

    /// Takes in what another member says.
    pub fn merge(&self, from: MemberId, acks: &frame::Acks) {
        let mut queues = self.queues.write();
        if !queues.contains_key(&acks.queue) {
            if queues.len() >= QUEUES_MAX || acks.queue.len() > NAME_BYTES_MAX {
                return;
            }
            queues.insert(acks.queue.clone(), Table::default());
        }
        let n_series: usize = queues.values().map(Table::len).sum();
        let mut room = SERIES_MAX.saturating_sub(n_series);
        let mut has_news = false;
        let Some(table) = queues.get_mut(&acks.queue) else { return };
        for AckGroup { time, step, n_steps, series } in &acks.groups {
            let run = Run::new(*time, *step, *n_steps);
            for series in series {
                let is_new = table.get(*series).is_none();
                if is_new && room == 0 {
                    continue;
                }
                room -= usize::from(is_new);
                if table.add(*series, run) {
                    has_news = true;
                    if self.is_spread {
                        table.senders.insert(*series, from);
                    }
                }
            }
        }
        drop(queues);
        if has_news {
            self.bump();
        }
    }

    /// Everything, for a member that is linked anew.
    pub fn pieces(&self) -> Vec<frame::Acks> {
        let queues = self.queues.read();
        queues.iter().flat_map(|(queue, table)| table.pieces(queue)).collect()
    }

    pub fn forget_old(&self) {
        self.queues.write().values_mut().for_each(Table::forget_old);
    }

    /// How many series of all queues are known.
    pub fn n_series(&self) -> usize {
        self.queues.read().values().map(Table::len).sum()
    }

    /// Changes whenever something was acknowledged that was not known.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    fn bump(&self) {
        self.version.send_modify(|version| *version += 1);
    }
}
