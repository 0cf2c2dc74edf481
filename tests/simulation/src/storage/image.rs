//! A disk as a crash leaves it, and what a database that is opened on it holds.

use std::{
    collections::BTreeSet,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

use model::{MatchKind, Matcher, TimeRange, Timestamp};
use runtime::{Disk as _, Runtime, Simulation, disk::SimulatedDisk};
use storage::{Appendable as _, Columns, Querier, Queryable as _, SelectHints, SeriesRef};
use tsdb::Database;

use super::{
    disk::Operation,
    history::Setup,
    truth::{self, Sample, Value},
};

pub(super) const DIRECTORY: &str = "data";

/// How a process ends; numbers are dice.
#[derive(Debug, Clone, Copy)]
pub enum Crash {
    /// Between two operations.
    Kill,
    /// In the midst of a write; as [`Crash::Kill`] where none is about to happen.
    TornWrite(u64),
    PowerLoss(u64),
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Crash::Kill => "kill",
            Crash::TornWrite(_) => "kill in a write",
            Crash::PowerLoss(_) => "loss of power",
        })
    }
}

/// The disk as it is found if the crash comes instead of an operation that writes `bytes`.
pub(super) fn after(
    crash: Crash,
    disk: &SimulatedDisk,
    operation: &Operation,
    bytes: &[u8],
) -> SimulatedDisk {
    let (image, is_power_loss) = match crash {
        Crash::Kill | Crash::TornWrite(_) => (disk.after_kill(), false),
        Crash::PowerLoss(seed) => (disk.after_power_loss(seed), true),
    };
    if let (Crash::TornWrite(dice), Operation::Write(path, len), false) =
        (crash, operation, is_power_loss)
    {
        let n_bytes = (dice % (*len as u64 + 1)) as usize;
        let written = image.append(path).and_then(|mut file| file.write_all(&bytes[..n_bytes]));
        written.expect("the file is being written");
    }
    image
}

pub(super) fn runtime(simulation: &Simulation, disk: &SimulatedDisk) -> Runtime {
    Runtime { disk: Arc::new(disk.clone()), ..simulation.runtime() }
}

/// What a database holds that is opened on `disk`. An error if it does not open, says anything that
/// is not true, or does not go on.
pub(super) fn inspect(
    simulation: &Simulation,
    disk: &SimulatedDisk,
    setup: &Setup,
    goes_on: bool,
) -> Result<BTreeSet<Sample>, String> {
    let work = || {
        let runtime = runtime(simulation, disk);
        let database = open(&runtime, setup)?;
        let found = read_all(&database, setup)?;
        if goes_on {
            go_on(&runtime, database, setup, &found)?;
        }
        Ok(found)
    };
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or(panic.downcast_ref::<&str>().copied());
        Err(format!("panic: {}", text.unwrap_or("of something else")))
    })
}

pub(super) fn open(runtime: &Runtime, setup: &Setup) -> Result<Database, String> {
    Database::open(runtime, Path::new(DIRECTORY), setup.options())
        .map_err(|error| format!("it does not start: {error}"))
}

/// All samples, which must be true, in series that are there once.
pub(super) fn read_all(database: &Database, setup: &Setup) -> Result<BTreeSet<Sample>, String> {
    let querier = database.querier(TimeRange::ALL).map_err(|error| format!("query: {error}"))?;
    read(&*querier, setup)
}

pub(super) fn read(querier: &dyn Querier, setup: &Setup) -> Result<BTreeSet<Sample>, String> {
    let all = Matcher::new(MatchKind::Regex, "__name__", ".+").expect("it is a good pattern");
    let set = querier.select(true, &SelectHints::new(TimeRange::ALL), &[all]);
    let set = set.map_err(|error| format!("select: {error}"))?;
    if let Some(warning) = set.warnings.first() {
        return Err(format!("select: {warning}"));
    }
    let mut seen = BTreeSet::new();
    let mut found = BTreeSet::new();
    let mut columns = Columns::default();
    for series in &set.series {
        let labels = series.labels();
        let number = truth::series_of(&labels, setup.padding);
        let number = number.ok_or_else(|| format!("nobody has written the series {labels}"))?;
        if !seen.insert(number) {
            return Err(format!("series {labels} is there twice"));
        }
        columns.clear();
        series.read(TimeRange::ALL, &mut columns).map_err(|error| format!("{labels}: {error}"))?;
        found.extend(truth::check(number, &columns)?.into_iter().map(|time| (number, time)));
    }
    Ok(found)
}

/// Life goes on: a new sample is taken, upkeep works, and after another start all is there.
fn go_on(
    runtime: &Runtime,
    database: Database,
    setup: &Setup,
    found: &BTreeSet<Sample>,
) -> Result<(), String> {
    // Newer than anything that was ever there: what was deleted is not meant to come back.
    let time = runtime.clock.now_millis() + 1000;
    let mut appender = database.appender();
    let labels = truth::labels(0, setup.padding);
    let Value::Float(value) = truth::value((0, time)) else { return Ok(()) };
    let timestamp = Timestamp::from_millis(time);
    appender
        .append(SeriesRef::UNKNOWN, &labels, timestamp, value)
        .map_err(|error| format!("append after the crash: {error}"))?;
    appender.commit().map_err(|error| format!("commit after the crash: {error}"))?;
    let mut expected = found.clone();
    expected.insert((0, time));
    let horizon = time + setup.chunk_range_ms - setup.retention_ms;
    database.maintain().map_err(|error| format!("maintain after the crash: {error}"))?;
    same(&read_all(&database, setup)?, &expected, horizon, "with upkeep after the crash")?;
    drop(database);
    let again = read_all(&open(runtime, setup)?, setup)?;
    same(&again, &expected, horizon, "with the start after upkeep")
}

fn same(
    found: &BTreeSet<Sample>,
    expected: &BTreeSet<Sample>,
    horizon: i64,
    when: &str,
) -> Result<(), String> {
    let is_wanted = |sample: &&Sample| sample.1 >= horizon;
    match expected.iter().filter(is_wanted).find(|sample| !found.contains(sample)) {
        Some((series, time)) => Err(format!("series {series} at {time} is lost {when}")),
        None => match found.iter().find(|sample| !expected.contains(sample)) {
            Some((series, time)) => Err(format!("series {series} at {time} comes back {when}")),
            None => Ok(()),
        },
    }
}
