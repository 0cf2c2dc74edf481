//! A day of samples is asked for while it becomes blocks, while some of it is deleted and the oldest
//! of it goes: each answer is right.
//!
//! Time is simulated, threads are real: one appends, one does the upkeep, others ask. What they find
//! does not depend on who is ahead.

use std::{
    ops::RangeInclusive,
    path::Path,
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
    thread,
    time::Duration,
};

use model::{Labels, MatchKind, Matcher, TimeRange, Timestamp};
use parking_lot::Mutex;
use runtime::Simulation;
use storage::{Appendable as _, Columns, Queryable as _, SelectHints, SeriesRef};
use tsdb::Database;

use crate::dice::{Dice, hash};

const STEP_MS: i64 = 60_000;

const HOUR_MS: i64 = 3_600_000;

/// So long samples are kept at least.
const RETENTION_MS: i64 = 14 * HOUR_MS;

/// One deletion in so many minutes.
const DELETE_EVERY: i64 = 47;

/// What was done.
#[derive(Debug, Default)]
pub struct Day {
    pub queries: u64,
    pub samples_found: u64,
    pub deletions: u64,
    pub blocks_written: u64,
    pub blocks_dropped: u64,
}

/// Appends a sample a minute of `n_series` series for so many hours, and asks for them meanwhile;
/// says what was wrong first.
pub fn run(n_series: u32, hours: i64) -> Result<Day, String> {
    let simulation = Simulation::new(1);
    let options = tsdb::Options {
        retention: Duration::from_millis(RETENTION_MS.unsigned_abs()),
        block_range_max: Some(Duration::from_secs(6 * 3600)),
        ..tsdb::Options::default()
    };
    let database = Database::open(&simulation.runtime(), Path::new("data"), options)
        .map_err(|error| error.to_string())?;
    let world = World {
        simulation,
        database,
        n_series,
        n_steps: hours * HOUR_MS / STEP_MS,
        newest: AtomicI64::new(0),
        has_ended: AtomicBool::new(false),
        deleted: Mutex::default(),
        day: Mutex::default(),
        wrong: Mutex::default(),
    };
    thread::scope(|scope| {
        scope.spawn(|| world.note(world.append_all()));
        scope.spawn(|| world.note(world.keep_up()));
        for number in 0..2 {
            let world = &world;
            scope.spawn(move || world.note(world.ask_all(number)));
        }
    });
    match world.wrong.into_inner() {
        Some(wrong) => Err(wrong),
        None => Ok(world.day.into_inner()),
    }
}

struct World {
    simulation: Simulation,
    database: Database,
    n_series: u32,
    n_steps: i64,
    /// The last time that was committed.
    newest: AtomicI64,
    has_ended: AtomicBool,
    deleted: Mutex<Vec<Deletion>>,
    day: Mutex<Day>,
    wrong: Mutex<Option<String>>,
}

#[derive(Clone)]
struct Deletion {
    series: u32,
    times: RangeInclusive<i64>,
    is_done: bool,
}

impl World {
    fn note(&self, outcome: Result<(), String>) {
        if let Err(wrong) = outcome {
            self.wrong.lock().get_or_insert(wrong);
        }
        self.has_ended.store(self.is_over(), Ordering::Release);
    }

    fn is_over(&self) -> bool {
        self.wrong.lock().is_some() || self.newest() == self.n_steps * STEP_MS
    }

    fn newest(&self) -> i64 {
        self.newest.load(Ordering::Acquire)
    }

    fn append_all(&self) -> Result<(), String> {
        let labels: Vec<Labels> = (0..self.n_series).map(labels).collect();
        let mut known = vec![SeriesRef::UNKNOWN; labels.len()];
        for step in 1..=self.n_steps {
            if self.wrong.lock().is_some() {
                return Ok(());
            }
            self.simulation.clock.advance(Duration::from_millis(STEP_MS.unsigned_abs()));
            let time = step * STEP_MS;
            let mut appender = self.database.appender();
            for (series, labels) in (0..).zip(&labels) {
                let (known, timestamp) =
                    (&mut known[series as usize], Timestamp::from_millis(time));
                *known = appender
                    .append(*known, labels, timestamp, value(series, time))
                    .map_err(|error| format!("append to {series} at {time}: {error}"))?;
            }
            appender.commit().map_err(|error| format!("commit at {time}: {error}"))?;
            self.newest.store(time, Ordering::Release);
        }
        Ok(())
    }

    /// Once a minute of the simulated time at most, as the server does it.
    fn keep_up(&self) -> Result<(), String> {
        let dice = Dice::new(2);
        let (mut last, mut next_deletion) = (0, DELETE_EVERY * STEP_MS);
        while !self.has_ended.load(Ordering::Acquire) {
            let newest = self.newest();
            if newest == last {
                thread::yield_now();
                continue;
            }
            last = newest;
            let before = self.database.counters();
            self.database.maintain().map_err(|error| format!("maintain at {newest}: {error}"))?;
            let after = self.database.counters();
            let n_written = after.compactions - before.compactions;
            let mut day = self.day.lock();
            day.blocks_written += n_written;
            day.blocks_dropped += after.time_retentions - before.time_retentions;
            drop(day);
            if newest >= next_deletion {
                next_deletion += DELETE_EVERY * STEP_MS;
                self.delete(&dice, newest)?;
            }
        }
        Ok(())
    }

    fn delete(&self, dice: &Dice, newest: i64) -> Result<(), String> {
        let series = dice.below(u64::from(self.n_series)) as u32;
        let end = newest - dice.below(newest.unsigned_abs()) as i64;
        let times = end.saturating_sub(dice.pick(&[STEP_MS, HOUR_MS, 5 * HOUR_MS]))..=end;
        let number = {
            let mut deleted = self.deleted.lock();
            deleted.push(Deletion { series, times: times.clone(), is_done: false });
            deleted.len() - 1
        };
        let matcher = Matcher::new(MatchKind::Equal, "series", series.to_string());
        let matcher = matcher.map_err(|error| error.to_string())?;
        let range = TimeRange::from_millis(*times.start(), *times.end());
        let outcome = self.database.delete(range, &[matcher]);
        outcome.map_err(|error| format!("delete of {series} at {times:?}: {error}"))?;
        self.deleted.lock()[number].is_done = true;
        if dice.once_in(3) {
            let cleaned = self.database.clean_tombstones();
            cleaned.map_err(|error| format!("clean tombstones at {newest}: {error}"))?;
        }
        self.day.lock().deletions += 1;
        Ok(())
    }

    fn ask_all(&self, number: u64) -> Result<(), String> {
        let dice = Dice::new(100 + number);
        loop {
            // Once more when all is there.
            let is_last = self.has_ended.load(Ordering::Acquire);
            if self.newest() > 0 {
                self.ask(&dice)?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Asks for some series over some stretch, and checks each sample.
    fn ask(&self, dice: &Dice) -> Result<(), String> {
        let (first, newest) = (self.newest(), self.newest().unsigned_abs());
        let span = dice.pick(&[5 * STEP_MS, HOUR_MS, 6 * HOUR_MS, 30 * HOUR_MS]);
        let to = if dice.once_in(2) { first + HOUR_MS } else { dice.below(newest) as i64 };
        let from = to - span;
        let wanted: Vec<u32> = match dice.below(3) {
            0 => vec![dice.below(u64::from(self.n_series)) as u32],
            _ => {
                let begin = dice.below(u64::from(self.n_series)) as u32;
                (begin..(begin + 20).min(self.n_series)).collect()
            }
        };
        let done_before: Vec<Deletion> =
            self.deleted.lock().iter().filter(|deletion| deletion.is_done).cloned().collect();
        let found = self.select(&wanted, from, to)?;
        let last = self.newest();
        let maybe_deleted = self.deleted.lock().clone();
        let mut n_found = 0;
        for (series, times) in wanted.iter().zip(&found) {
            n_found += times.len() as u64;
            let hits = |deletion: &&Deletion| deletion.series == *series;
            let done: Vec<&Deletion> = done_before.iter().filter(hits).collect();
            let maybe: Vec<&Deletion> = maybe_deleted.iter().filter(hits).collect();
            let story = || format!("series {series} from {from} to {to}, newest {first} to {last}");
            let is_wrong = |time: &&i64| done.iter().any(|deletion| deletion.times.contains(*time));
            if let Some(time) = times.iter().find(is_wrong) {
                return Err(format!("{time} is deleted but there: {}", story()));
            }
            let oldest = from.max(last - RETENTION_MS).max(STEP_MS);
            let mut time = (oldest + STEP_MS - 1) / STEP_MS * STEP_MS;
            while time <= to.min(first) {
                let is_excused = maybe.iter().any(|deletion| deletion.times.contains(&time));
                if !is_excused && times.binary_search(&time).is_err() {
                    return Err(format!("{time} is not there: {}", story()));
                }
                time += STEP_MS;
            }
        }
        let mut day = self.day.lock();
        day.queries += 1;
        day.samples_found += n_found;
        Ok(())
    }

    /// The times of the samples of each series; all are true.
    fn select(&self, wanted: &[u32], from: i64, to: i64) -> Result<Vec<Vec<i64>>, String> {
        let range = TimeRange::from_millis(from, to);
        let querier = self.database.querier(range).map_err(|error| format!("query: {error}"))?;
        let numbers: Vec<String> = wanted.iter().map(u32::to_string).collect();
        let matcher = Matcher::new(MatchKind::Regex, "series", numbers.join("|"));
        let matcher = matcher.map_err(|error| error.to_string())?;
        let set = querier.select(true, &SelectHints::new(range), &[matcher]);
        let set = set.map_err(|error| format!("select: {error}"))?;
        if let Some(warning) = set.warnings.first() {
            return Err(format!("select: {warning}"));
        }
        let mut found = vec![Vec::new(); wanted.len()];
        let mut columns = Columns::default();
        for series in &set.series {
            let labels = series.labels();
            let number: u32 = labels
                .get("series")
                .unwrap_or_default()
                .parse()
                .map_err(|_| format!("{labels}"))?;
            let place = wanted.binary_search(&number).map_err(|_| format!("unasked {labels}"))?;
            columns.clear();
            series.read(range, &mut columns).map_err(|error| format!("{labels}: {error}"))?;
            for (time, read) in columns.times.iter().zip(&columns.values) {
                if *read != value(number, *time) || !(from..=to).contains(time) {
                    return Err(format!("{labels} is {read} at {time}, from {from} to {to}"));
                }
            }
            if !found[place].is_empty() || !columns.times.is_sorted_by(|a, b| a < b) {
                return Err(format!("{labels} is there twice: {:?}", columns.times));
            }
            found[place] = columns.times.clone();
        }
        Ok(found)
    }
}

fn labels(series: u32) -> Labels {
    let (job, series) = (format!("job_{}", series % 7), series.to_string());
    Labels::from_pairs([("__name__", "load"), ("job", &job), ("series", &series)])
}

/// The true value.
fn value(series: u32, time: i64) -> f64 {
    (hash(&[u64::from(series), time.unsigned_abs()]) % 1000) as f64
}
