//! What has to be done before the first sample is taken: no more than that.

use std::{
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI64, AtomicU64},
    },
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
use runtime::{Disk, Runtime};
use wal::Layout;

use crate::{
    Error, FloatEncoding, Options, Result,
    catalog::{self, Catalog},
    database::Store,
    exemplars::Exemplars,
    head::{Head, Limits},
    metadata::KnownMetadata,
    numbers::Numbers,
    replay::{Gate, Plan, note_corruption},
    retention::Classes,
    spill,
    stats::AtomicCounters,
};

/// Opens the blocks, makes the end of the log whole, and begins a segment of its own.
pub(crate) fn begin(
    runtime: &Runtime,
    directory: &Path,
    options: Options,
) -> Result<(Store, Plan)> {
    let disk = &runtime.disk;
    create(&**disk, directory)?;
    let lock = match options.no_lockfile {
        true => None,
        false => Some(disk.lock(&directory.join("lock")).map_err(Error::Locked)?),
    };
    catalog::remove_temporary(&**disk, directory)?;
    spill::remove_leftovers(&**disk, directory)?;
    let catalog = Catalog::default();
    catalog.reload(&**disk, directory)?;
    let head = Head::new(Limits {
        chunk_range_ms: options.chunk_range.as_millis() as i64,
        samples_per_chunk: options.samples_per_chunk,
    });
    let in_order = |block: &&blocks::Block| !block.meta().is_from_out_of_order();
    if let Some(newest) =
        catalog.blocks().iter().filter(in_order).map(|block| block.meta().max_time).max()
    {
        head.raise_min_valid_time(newest);
    }
    let counters = AtomicCounters::default();
    let (log_directory, late_log_directory) = (directory.join("wal"), directory.join("wbl"));
    let log = look_at_log(&**disk, &log_directory, &counters)?;
    let late_log = match log {
        // Nobody knows whose the late samples are.
        None => Layout::default(),
        Some(_) => look_at_log(&**disk, &late_log_directory, &counters)?.unwrap_or_default(),
    };
    let plan = Plan { log: log.unwrap_or_default(), late_log };
    let (numbers, last_number) = Numbers::open(disk, directory, &plan.log)?;
    head.note_log_ref(last_number);
    let mut writer = wal::Writer::open(disk.clone(), &log_directory, options.log.clone())?;
    numbers.begin(writer.segment());
    let earlier = writer.take_finished();
    let synced = disk.sync_directory(directory);
    synced.map_err(io("sync", directory))?;
    let window_ms = options.out_of_order_window.as_millis() as i64;
    let store = Store {
        runtime: runtime.clone(),
        directory: directory.to_owned(),
        log_directory,
        catalog,
        head,
        log: Mutex::new(writer),
        late_log_directory,
        late_log: Mutex::default(),
        out_of_order_window_ms: AtomicI64::new(window_ms),
        named_until: Mutex::default(),
        second_numbers: Mutex::default(),
        unnamed_until: AtomicI64::new(-1),
        writes_xor2: AtomicBool::new(options.float_encoding == FloatEncoding::Xor2),
        compaction_delay: dice(runtime, options.compaction_delay_max),
        tombstones: Default::default(),
        exemplars: Mutex::new(Exemplars::new(options.max_exemplars, window_ms)),
        metadata: KnownMetadata::default(),
        counters,
        spilled_at: AtomicU64::new(0),
        numbers,
        replayed: Gate::default(),
        classes: RwLock::new(Classes::new(options.retention())),
        poison: OnceLock::new(),
        failure: Mutex::default(),
        is_failing: AtomicBool::new(false),
        earlier: Mutex::new(earlier),
        upkeep: Mutex::default(),
        epoch: RwLock::new(Arc::default()),
        appenders: Mutex::default(),
        options,
        _lock: lock,
    };
    Ok((store, plan))
}

/// Any time up to `max`.
fn dice(runtime: &Runtime, max: Duration) -> Duration {
    if max.is_zero() {
        return Duration::ZERO;
    }
    let max_ms = u64::try_from(max.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(runtime.random.u64() % max_ms.saturating_add(1).max(1))
}

fn create(disk: &dyn Disk, directory: &Path) -> Result<()> {
    if disk.exists(directory) {
        return Ok(());
    }
    disk.create_directories(directory).map_err(io("create", directory))?;
    let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    disk.sync_directory(parent).map_err(io("sync", parent))
}

/// What there is of a log, once what a crash has torn from its end is off; `None` if there is no
/// such directory.
///
/// This cannot wait for the replay: behind the torn end come the segments of this process, and
/// whoever cuts a log cuts off what follows.
fn look_at_log(
    disk: &dyn Disk,
    directory: &Path,
    counters: &AtomicCounters,
) -> Result<Option<Layout>> {
    if !disk.exists(directory) {
        return Ok(None);
    }
    wal::checkpoint::remove_temporary(disk, directory)?;
    let layout = Layout::read(disk, directory)?;
    let Some((segment, corruption)) = wal::find_torn_end(disk, &layout)? else {
        return Ok(Some(layout));
    };
    note_corruption(counters, segment, &corruption);
    wal::repair(disk, directory, segment, &corruption)?;
    Ok(Some(Layout::read(disk, directory)?))
}

fn io(action: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let action = format!("{action} {}", path.display());
    move |source| Error::Io { action, source }
}
