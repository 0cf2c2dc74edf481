//! A history is lived through, and crashed at every operation on the way.

use std::{
    collections::{BTreeSet, VecDeque},
    fmt,
    ops::AddAssign,
    sync::Arc,
    time::Duration,
};

use model::{MatchKind, Matcher, TimeRange, Timestamp};
use parking_lot::Mutex;
use runtime::{Clock as _, Runtime, Simulation, disk::SimulatedDisk};
use storage::{AppendError, Appendable as _, Appender, Querier, Queryable as _, SeriesRef};
use tsdb::Database;

use super::{
    Event, History, Model, Setup,
    disk::{Operation, WatchedDisk},
    image::{self, Crash},
    model::Window,
    truth::{self, Sample, SeriesIdx, Value},
};
use crate::dice::hash;

/// How many of the last operations are told with a violation.
const N_TOLD: usize = 12;

/// One crash in so many goes on to live.
const GOES_ON: u64 = 16;

/// What was done.
#[derive(Debug, Clone, Copy, Default)]
pub struct Totals {
    pub seeds: u64,
    pub events: u64,
    pub operations: u64,
    pub kills: u64,
    pub torn_writes: u64,
    pub power_losses: u64,
    /// Crashes with which a history went on.
    pub crashes_survived: u64,
}

impl Totals {
    pub fn crash_points(&self) -> u64 {
        self.kills + self.torn_writes + self.power_losses
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Totals) {
        self.seeds += other.seeds;
        self.events += other.events;
        self.operations += other.operations;
        self.kills += other.kills;
        self.torn_writes += other.torn_writes;
        self.power_losses += other.power_losses;
        self.crashes_survived += other.crashes_survived;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals { seeds, events, operations, kills, torn_writes, power_losses, .. } = self;
        write!(
            f,
            "{seeds} seeds, {events} events, {operations} operations on disks, {} crash points \
             ({kills} kills, {torn_writes} in a write, {power_losses} losses of power), {} of them \
             lived on with",
            self.crash_points(),
            self.crashes_survived,
        )
    }
}

/// Something that must not happen.
#[derive(Debug, Clone)]
pub struct Violation {
    pub what: String,
    /// The last operations, the one before which it happened last.
    pub operations: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

/// What the disk's watcher and the history share.
struct Witness {
    seed: u64,
    setup: Setup,
    simulation: Simulation,
    state: Mutex<State>,
}

struct State {
    disk: SimulatedDisk,
    model: Model,
    totals: Totals,
    recent: VecDeque<Operation>,
    violation: Option<Violation>,
    /// The number of the operation before which the next crash comes true.
    due: Option<(u64, Crash)>,
    /// What that has left, and what is to be expected of it.
    wreck: Option<(SimulatedDisk, Crash, Model)>,
}

/// Lives through a history; gives what was done, and what was violated first.
pub(super) fn live(seed: u64, history: &History) -> (Totals, Option<Violation>) {
    let simulation = Simulation::new(seed);
    let setup = history.setup.clone();
    let state = State {
        disk: simulation.disk.clone(),
        model: Model::new(setup.retention_ms, setup.chunk_range_ms),
        totals: Totals { seeds: 1, ..Totals::default() },
        recent: VecDeque::new(),
        violation: None,
        due: None,
        wreck: None,
    };
    let state = Mutex::new(state);
    let witness = Arc::new(Witness { seed, setup, simulation, state });
    if let Err(what) = Life::begin(witness.clone()).and_then(|life| life.go_through(history)) {
        witness.state.lock().violate(what);
    }
    let state = witness.state.lock();
    (state.totals, state.violation.clone())
}

impl State {
    fn violate(&mut self, what: String) {
        if self.violation.is_none() {
            let operations = self.recent.iter().map(Operation::to_string).collect();
            self.violation = Some(Violation { what, operations });
        }
    }
}

impl Witness {
    /// Crashes before an operation, and looks at what is left.
    fn watch(&self, operation: Operation, bytes: &[u8]) {
        let mut state = self.state.lock();
        if state.violation.is_some() || state.wreck.is_some() {
            return;
        }
        state.totals.operations += 1;
        let number = state.totals.operations;
        if state.recent.len() == N_TOLD {
            state.recent.pop_front();
        }
        state.recent.push_back(operation.clone());
        let dice = hash(&[self.seed, number]);
        let crash = match (&operation, dice % 4) {
            (Operation::Write(..), 0) => Crash::TornWrite(dice >> 8),
            (Operation::Sync(_) | Operation::SyncDirectory(_), _) | (_, 1 | 2) => {
                Crash::PowerLoss(dice >> 8)
            }
            _ => Crash::Kill,
        };
        match crash {
            Crash::Kill => state.totals.kills += 1,
            Crash::TornWrite(_) => state.totals.torn_writes += 1,
            Crash::PowerLoss(_) => state.totals.power_losses += 1,
        }
        let image = image::after(crash, &state.disk, &operation, bytes);
        let goes_on = dice >> 4 & (GOES_ON - 1) == 0;
        let found = image::inspect(&self.simulation, &image, &self.setup, goes_on);
        let checked = found.and_then(|found| check(&state.model, crash, &found));
        if let Err(what) = checked {
            let what = format!("{crash} before operation {number}, {operation:#}: {what}");
            state.violate(what);
            return;
        }
        if let Some((due, crash)) = state.due
            && due <= number
        {
            let image = image::after(crash, &state.disk, &operation, bytes);
            state.wreck = Some((image, crash, state.model.clone()));
        }
    }
}

fn check(model: &Model, crash: Crash, found: &BTreeSet<Sample>) -> Result<(), String> {
    match crash {
        Crash::Kill | Crash::TornWrite(_) => {
            model.check(&model.kill, found)?;
            model.check_commit(found)
        }
        Crash::PowerLoss(_) => model.check(&model.power, found),
    }
}

/// A process, and the next one after it has ended.
struct Life {
    witness: Arc<Witness>,
    database: Database,
    /// Who still reads, and what there was when they began.
    reader: Option<(Box<dyn Querier>, Window)>,
}

impl Life {
    fn begin(witness: Arc<Witness>) -> Result<Life, String> {
        let database = start(&witness)?;
        Ok(Life { witness, database, reader: None })
    }

    fn go_through(mut self, history: &History) -> Result<(), String> {
        for (idx, event) in history.events.iter().enumerate() {
            self.witness.state.lock().totals.events += 1;
            let outcome = self.happen(event).map_err(|error| format!("event {idx}: {error}"));
            if self.witness.state.lock().violation.is_some() {
                return Ok(());
            }
            let wreck = self.witness.state.lock().wreck.take();
            match wreck {
                // What has become of the event after the crash nobody knows.
                Some((disk, crash, model)) => self = self.survive(disk, crash, model)?,
                None => outcome?,
            }
        }
        self.release()?;
        self.query()
    }

    fn happen(&mut self, event: &Event) -> Result<(), String> {
        let failed = |error: tsdb::Error| error.to_string();
        match event {
            Event::Commit { advance_ms, in_order, late } => {
                let advance = Duration::from_millis(advance_ms.unsigned_abs());
                self.witness.simulation.clock.advance(advance);
                self.commit(in_order, late)
            }
            Event::Delete { series, from_ms, to_ms } => self.delete(series, *from_ms, *to_ms),
            Event::Maintain => self.database.maintain().map(drop).map_err(failed),
            Event::CleanTombstones => self.database.clean_tombstones().map_err(failed),
            Event::Sync => {
                self.database.sync().map_err(failed)?;
                self.witness.state.lock().model.synced();
                Ok(())
            }
            Event::Hold => {
                let querier = self.database.querier(TimeRange::ALL);
                let querier = querier.map_err(|error| format!("query: {error}"))?;
                self.reader = Some((querier, self.witness.state.lock().model.kill.clone()));
                Ok(())
            }
            Event::Release => self.release(),
            Event::Query => self.query(),
            Event::Restart => self.restart(),
            Event::Crash { after, crash } => {
                let mut state = self.witness.state.lock();
                let due = state.totals.operations + after + 1;
                state.due.get_or_insert((due, *crash));
                Ok(())
            }
        }
    }

    fn commit(&mut self, in_order: &[SeriesIdx], late: &[(SeriesIdx, i64)]) -> Result<(), String> {
        let now = self.witness.simulation.clock.now_millis();
        let mut appender = self.database.appender();
        let mut taken = Vec::new();
        for sample in in_order.iter().map(|series| (*series, now)) {
            if append(&mut *appender, sample, &self.witness.setup)? {
                taken.push(sample);
            }
        }
        let is_float = |sample: &Sample| matches!(truth::value(*sample), Value::Float(_));
        let batch = taken.iter().copied().filter(is_float).collect();
        for sample in late.iter().map(|(series, late_ms)| (*series, now - late_ms)) {
            if append(&mut *appender, sample, &self.witness.setup)? {
                taken.push(sample);
            }
        }
        self.witness.state.lock().model.begin_commit(&taken, batch);
        appender.commit().map_err(|error| format!("commit: {error}"))?;
        self.witness.state.lock().model.end_commit(&taken);
        Ok(())
    }

    fn delete(&mut self, series: &[SeriesIdx], from_ms: i64, to_ms: i64) -> Result<(), String> {
        let now = self.witness.simulation.clock.now_millis();
        let (from, to) = (now - from_ms, now - to_ms);
        let doomed = self.witness.state.lock().model.begin_delete(series, from, to);
        let numbers: Vec<String> = series.iter().map(SeriesIdx::to_string).collect();
        let pattern = format!("({})", numbers.join("|"));
        let matcher = Matcher::new(MatchKind::Regex, "series", &pattern).expect("it is a pattern");
        let outcome = self.database.delete(TimeRange::from_millis(from, to), &[matcher]);
        outcome.map_err(|error| format!("delete: {error}"))?;
        self.witness.state.lock().model.end_delete(&doomed);
        Ok(())
    }

    fn query(&self) -> Result<(), String> {
        let found = image::read_all(&self.database, &self.witness.setup)?;
        let state = self.witness.state.lock();
        state.model.check(&state.model.kill, &found).map_err(|what| format!("query: {what}"))
    }

    /// Whoever reads sees what there was, and maybe what has come since.
    fn release(&mut self) -> Result<(), String> {
        let Some((querier, before)) = self.reader.take() else { return Ok(()) };
        let found = image::read(&*querier, &self.witness.setup)?;
        let state = self.witness.state.lock();
        let now = &state.model.kill;
        let window = Window {
            must: before.must.intersection(&now.must).copied().collect(),
            may: before.may.union(&now.may).copied().collect(),
        };
        state.model.check(&window, &found).map_err(|what| format!("end reading: {what}"))
    }

    fn restart(&mut self) -> Result<(), String> {
        self.release()?;
        // The lock is let go before it is taken again.
        let empty = Simulation::new(0).runtime();
        self.database = image::open(&empty, &self.witness.setup)?;
        self.database = start(&self.witness)?;
        self.query()
    }

    /// Goes on with what a crash has left.
    fn survive(self, disk: SimulatedDisk, crash: Crash, model: Model) -> Result<Life, String> {
        let Life { witness, database, reader } = self;
        drop((reader, database));
        {
            let mut state = witness.state.lock();
            state.totals.crashes_survived += 1;
            state.due = None;
            state.disk = disk;
            state.model = model;
            if let Crash::PowerLoss(_) = crash {
                state.model.begin_after_power_loss();
            }
        }
        let life = Life::begin(witness)?;
        let found = image::read_all(&life.database, &life.witness.setup)?;
        let mut state = life.witness.state.lock();
        check(&state.model, crash, &found).map_err(|what| format!("after a {crash}: {what}"))?;
        match crash {
            Crash::PowerLoss(_) => state.model.go_on_after_power_loss(found),
            Crash::Kill | Crash::TornWrite(_) => state.model.go_on_after_kill(found),
        }
        drop(state);
        Ok(life)
    }
}

/// Opens the database on the disk that is there now.
fn start(witness: &Arc<Witness>) -> Result<Database, String> {
    let disk = witness.state.lock().disk.clone();
    let watching = witness.clone();
    let watcher = Arc::new(move |operation: Operation, bytes: &[u8]| {
        watching.watch(operation, bytes);
    });
    let disk = Arc::new(WatchedDisk { inner: disk, watcher });
    let runtime = Runtime { disk, ..witness.simulation.runtime() };
    image::open(&runtime, &witness.setup)
}

/// Says whether the sample was taken; those that come too late are not.
fn append(appender: &mut dyn Appender, sample: Sample, setup: &Setup) -> Result<bool, String> {
    let labels = truth::labels(sample.0, setup.padding);
    let time = Timestamp::from_millis(sample.1);
    let unknown = SeriesRef::UNKNOWN;
    let outcome = match truth::value(sample) {
        Value::Float(value) => appender.append(unknown, &labels, time, value),
        Value::Histogram(value) => appender.append_histogram(unknown, &labels, time, value),
    };
    match outcome {
        Ok(_) => Ok(true),
        Err(
            AppendError::OutOfOrder
            | AppendError::OutOfBounds
            | AppendError::TooOld
            | AppendError::DuplicateTimestamp,
        ) => Ok(false),
        Err(error) => Err(format!("append {sample:?}: {error}")),
    }
}
