//! Which samples have arrived at the remote end, whoever sent them?
//!
//! For each queue and each series (a hash) the time up to which its samples are acknowledged. Tables
//! merge by the larger time, in any order, any number of times. The writer tells the others of each
//! batch; whoever is linked anew is told everything. Where the writer jumps over a time at which the
//! series should have had a sample, the gap is remembered: another member may have what it lacks.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasherDefault, Hasher},
};

use parking_lot::RwLock;
use tokio::sync::watch;

use crate::frame::{self, AckGroup};

/// Series of which nothing was heard for so long are forgotten, in milliseconds.
const KEPT: i64 = 4 * 3600 * 1000;
/// Queues that others may name, and how long their names are.
const QUEUES_MAX: usize = 64;
pub(crate) const NAME_BYTES_MAX: usize = 1024;
/// Series of all queues; about 20 bytes each.
const SERIES_MAX: usize = 16 << 20;
/// So many series travel in one piece.
const PIECE: usize = 8192;

/// Up to when the samples of each series are acknowledged.
#[derive(Default)]
pub struct Table {
    series: HashMap<u64, Mark, BuildHasherDefault<AsItIs>>,
    /// Open intervals of which the writer had nothing, by series.
    gaps: BTreeMap<u64, Vec<(i64, i64)>>,
    newest: i64,
}

/// A time in milliseconds and the usual step to the next one, in eight bytes.
#[derive(Clone, Copy)]
struct Mark(u64);

/// Enough for half an hour; longer steps are not known.
const STEP_BITS: u32 = 21;
const STEP_MAX: i64 = (1 << STEP_BITS) - 1;
/// Enough for some centuries.
const TIME_MAX: i64 = i64::MAX >> STEP_BITS;

impl Mark {
    fn new(time: i64, step: i64) -> Mark {
        let step = if step > STEP_MAX { 0 } else { step };
        Mark((time.clamp(0, TIME_MAX) as u64) << STEP_BITS | step as u64)
    }

    fn time(self) -> i64 {
        (self.0 >> STEP_BITS) as i64
    }

    fn step(self) -> i64 {
        self.0 as i64 & STEP_MAX
    }
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
    pub fn get(&self, series: u64) -> Option<i64> {
        self.series.get(&series).map(|mark| mark.time())
    }

    /// Whether the sample of this time is acknowledged, as far as anybody knows.
    pub fn has_arrived(&self, series: u64, time: i64) -> bool {
        let is_gap = |(from, to): &(i64, i64)| *from < time && time < *to;
        self.get(series).is_some_and(|until| time <= until)
            && !self.gaps.get(&series).is_some_and(|gaps| gaps.iter().any(is_gap))
    }

    /// A sample has arrived; says whether that was news.
    pub fn note(&mut self, series: u64, time: i64) -> bool {
        let time = time.clamp(0, TIME_MAX);
        self.newest = self.newest.max(time);
        let Some(mark) = self.series.get_mut(&series) else {
            self.series.insert(series, Mark::new(time, 0));
            return true;
        };
        let (until, usual) = (mark.time(), mark.step());
        if time <= until {
            return self.fill(series, time);
        }
        let step = time - until;
        let has_gap = usual > 0 && step > usual * 3 / 2;
        *mark = Mark::new(time, if has_gap { usual } else { step });
        if has_gap {
            self.gaps.entry(series).or_default().push((until, time));
        }
        true
    }

    /// A sample has arrived behind others.
    fn fill(&mut self, series: u64, time: i64) -> bool {
        let Some(gaps) = self.gaps.get_mut(&series) else { return false };
        let Some(idx) = gaps.iter().position(|(from, to)| *from < time && time < *to) else {
            return false;
        };
        let (from, to) = gaps.swap_remove(idx);
        gaps.extend([(from, time), (time, to)]);
        true
    }

    /// Everything up to `time` has arrived, or is known not to; says whether that was news.
    /// Samples are usually `step` apart, or it is not known how far.
    pub fn merge(&mut self, series: u64, time: i64, step: i64) -> bool {
        let time = time.clamp(0, TIME_MAX);
        self.newest = self.newest.max(time);
        let mark = self.series.entry(series).or_insert(Mark(0));
        let is_news = mark.time() < time;
        let step = if mark.step() == 0 { step.max(0) } else { mark.step() };
        *mark = Mark::new(mark.time().max(time), step);
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
        self.series.retain(|_, mark| mark.time() >= oldest);
        self.gaps.retain(|_, gaps| {
            gaps.retain(|(_, to)| *to >= oldest);
            !gaps.is_empty()
        });
        if self.series.len() < n_before / 2 {
            self.series.shrink_to_fit();
        }
    }

    /// All of it, by time, in pieces that are short enough to be sent.
    fn pieces(&self, queue: &str) -> Vec<frame::Acks> {
        let mut all: Vec<(i64, i64, u64)> =
            self.series.iter().map(|(key, mark)| (mark.time(), mark.step(), *key)).collect();
        all.sort_unstable();
        let piece = |piece: &[(i64, i64, u64)]| pack(queue, true, piece.iter().copied());
        all.chunks(PIECE).map(piece).collect()
    }
}

/// Times, steps and series, grouped where neighbours have the same.
fn pack(
    queue: &str,
    is_history: bool,
    entries: impl Iterator<Item = (i64, i64, u64)>,
) -> frame::Acks {
    let mut groups: Vec<AckGroup> = Vec::new();
    for (time, step, series) in entries {
        match groups.last_mut() {
            Some(last) if (last.time, last.step) == (time, step) => last.series.push(series),
            _ => groups.push(AckGroup { time, step, series: vec![series] }),
        }
    }
    frame::Acks { queue: queue.to_owned(), is_history, groups }
}

/// The tables of all queues.
pub struct Acknowledged {
    /// Nothing else is locked while this is held.
    queues: RwLock<HashMap<String, Table>>,
    version: watch::Sender<u64>,
}

impl Default for Acknowledged {
    fn default() -> Acknowledged {
        Acknowledged { queues: RwLock::default(), version: watch::Sender::new(0) }
    }
}

impl Acknowledged {
    /// Up to when the samples of a series have arrived, in milliseconds.
    pub fn get(&self, queue: &str, series: u64) -> Option<i64> {
        self.queues.read().get(queue)?.get(series)
    }

    /// Whether a sample has arrived, as far as anybody knows.
    pub fn has_arrived(&self, queue: &str, series: u64, time: i64) -> bool {
        self.queues.read().get(queue).is_some_and(|table| table.has_arrived(series, time))
    }

    /// Notes what has arrived; what comes back is for the others.
    pub fn note(&self, queue: &str, samples: &[(u64, i64)]) -> frame::Acks {
        let mut queues = self.queues.write();
        if !queues.contains_key(queue) {
            queues.insert(queue.to_owned(), Table::default());
        }
        if let Some(table) = queues.get_mut(queue) {
            for (series, time) in samples {
                table.note(*series, *time);
            }
        }
        drop(queues);
        self.bump();
        pack(queue, false, samples.iter().map(|(series, time)| (*time, 0, *series)))
    }

    /// Takes in what another member says.
    pub fn merge(&self, acks: &frame::Acks) {
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
        for AckGroup { time, step, series } in &acks.groups {
            for series in series {
                let is_new = table.get(*series).is_none();
                if is_new && room == 0 {
                    continue;
                }
                room -= usize::from(is_new);
                has_news |= match acks.is_history {
                    true => table.merge(*series, *time, *step),
                    false => table.note(*series, *time),
                };
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_newest_counts_and_the_old_are_forgotten() {
        let acks = Acknowledged::default();
        acks.note("q", &[(1, 100), (2, 200), (1, 50)]);
        assert_eq!(acks.get("q", 1), Some(100));
        assert_eq!((acks.get("q", 3), acks.get("p", 1)), (None, None));
        acks.note("q", &[(2, 100 + KEPT + 1)]);
        acks.forget_old();
        assert_eq!((acks.get("q", 1), acks.n_series()), (None, 1));
    }

    #[test]
    fn what_the_writer_lacks_has_not_arrived() {
        let mut table = Table::default();
        for time in [15, 30, 60, 75] {
            table.note(1, time * 1000);
        }
        let arrived = [1, 15, 30, 45, 60, 75, 90].map(|time| table.has_arrived(1, time * 1000));
        assert_eq!(arrived, [true, true, true, false, true, true, false]);
        assert_eq!(table.get(1), Some(75_000));
        assert!(table.note(1, 45_000), "it comes later");
        assert!(table.has_arrived(1, 45_000) && !table.note(1, 45_000));
        // Who has just heard how far it is knows what comes next.
        let mut late = Table::default();
        late.merge(1, 75_000, 15_000);
        late.note(1, 105_000);
        assert!(!late.has_arrived(1, 90_000) && late.has_arrived(1, 60_000));
        assert_eq!(std::mem::size_of::<(u64, Mark)>(), 16);
    }

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let acks = Acknowledged::default();
        for queue in 0..1000 {
            let queue = format!("{queue}");
            acks.merge(&frame::Acks {
                queue,
                is_history: true,
                groups: vec![AckGroup { time: 1, step: 0, series: vec![1] }],
            });
        }
        assert_eq!(acks.n_series(), QUEUES_MAX);
    }

    proptest! {
        #[test]
        fn merging_is_in_any_order_and_any_number_of_times(
            samples in prop::collection::vec((0u64..20, 1i64..50), 0..60), seed: u64,
        ) {
            let whole = Acknowledged::default();
            whole.note("q", &samples);
            let (left, right) = samples.split_at(seed as usize % (samples.len() + 1));
            let (a, b) = (Acknowledged::default(), Acknowledged::default());
            let from_a = a.note("q", left);
            b.note("q", right);
            b.merge(&from_a);
            b.merge(&from_a);
            for piece in b.pieces() {
                a.merge(&piece);
            }
            for series in 0..20 {
                prop_assert_eq!(a.get("q", series), whole.get("q", series));
                prop_assert_eq!(b.get("q", series), whole.get("q", series));
            }
        }
    }
}
