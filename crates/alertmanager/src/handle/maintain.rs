use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use runtime::Disk;
use tokio_util::sync::CancellationToken;

use crate::{
    config::Options,
    error::{Error, Result},
    metrics::StateMetrics,
    shared::Shared,
    state::State,
    time::Time,
};

const LOG_FILE: &str = "nflog";
const SILENCES_FILE: &str = "silences";

/// Reads the snapshots; a missing one is empty.
pub(super) fn load(options: &Options, disk: &dyn Disk, state: &mut State, now: Time) -> Result<()> {
    let directory = &options.directory;
    disk.create_directories(directory)
        .map_err(|source| Error::CreateDirectory { path: directory.clone(), source })?;
    let path = directory.join(LOG_FILE);
    if let Some(bytes) = read(disk, &path)? {
        state.log.load(&bytes).map_err(|source| Error::LoadSnapshot { path, source })?;
    }
    let path = directory.join(SILENCES_FILE);
    if let Some(bytes) = read(disk, &path)? {
        state.silences.load(&bytes, now).map_err(|source| Error::LoadSnapshot { path, source })?;
    }
    Ok(())
}

fn read(disk: &dyn Disk, path: &Path) -> Result<Option<Vec<u8>>> {
    match disk.read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::ReadSnapshot { path: path.to_owned(), source }),
    }
}

/// Forgets alerts that are over, from time to time.
pub(super) async fn collect_alerts(shared: Arc<Shared>, stop: CancellationToken) {
    while tick(&shared, &stop, shared.options.alerts_gc_interval).await {
        let now = shared.now().time;
        let n_gone = shared.state.lock().collect_garbage(now);
        tracing::debug!(alerts = n_gone, "resolved alerts forgotten");
    }
}

/// Forgets silences and log entries that are over and writes the snapshots, from time to time.
pub(super) async fn keep_snapshots(shared: Arc<Shared>, stop: CancellationToken) {
    while tick(&shared, &stop, shared.options.maintenance_interval).await {
        maintain(&shared);
    }
}

/// `false` once it is time to stop.
pub(super) async fn tick(shared: &Shared, stop: &CancellationToken, interval: Duration) -> bool {
    tokio::select! {
        biased;
        () = stop.cancelled() => false,
        () = shared.runtime.clock.sleep(interval) => true,
    }
}

/// Collects garbage and writes both snapshots. Blocks on the disk.
pub(super) fn maintain(shared: &Shared) {
    runtime::blocking(|| {
        maintain_log(shared);
        maintain_silences(shared);
    });
}

fn maintain_log(shared: &Shared) {
    let metrics = &shared.metrics.log;
    metrics.maintenance.increment();
    let start = shared.runtime.clock.monotonic();
    let (collected, bytes) = {
        let mut state = shared.state.lock();
        (state.log.collect_garbage(shared.now().time), state.log.encode())
    };
    metrics.gc_duration.observe_duration(shared.runtime.clock.monotonic() - start);
    if let Err(error) = collected {
        metrics.maintenance_errors.increment();
        tracing::error!(component = "nflog", err = %error, "Running maintenance failed");
    }
    write(shared, LOG_FILE, &bytes, metrics);
}

fn maintain_silences(shared: &Shared) {
    let metrics = &shared.metrics.silences;
    metrics.maintenance.increment();
    let start = shared.runtime.clock.monotonic();
    let ((_, complaints), bytes) = {
        let mut state = shared.state.lock();
        (state.silences.collect_garbage(shared.now().time), state.silences.encode())
    };
    metrics.gc_duration.observe_duration(shared.runtime.clock.monotonic() - start);
    for complaint in complaints {
        shared.metrics.silences_gc_errors.increment();
        tracing::error!(component = "silences", err = complaint, "Running maintenance failed");
    }
    write(shared, SILENCES_FILE, &bytes, metrics);
}

/// Replaces a file: afterwards, also after a crash, it is the old or the new one. Several nodes may
/// do so in one directory, as where all are started with the same flags.
pub(super) fn replace(shared: &Shared, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let disk = &*shared.runtime.disk;
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{:016x}", shared.runtime.random.u64()));
    let temporary = PathBuf::from(temporary);
    let written = (|| {
        let mut file = disk.create(&temporary)?;
        file.write_all(bytes)?;
        file.sync()?;
        disk.rename(&temporary, path)?;
        disk.sync_directory(&shared.options.directory)
    })();
    if written.is_err() {
        // Most likely the disk is full, and it may never have been there.
        disk.remove_file(&temporary).unwrap_or_default();
    }
    written
}

fn write(shared: &Shared, name: &str, bytes: &[u8], metrics: &StateMetrics) {
    let start = shared.runtime.clock.monotonic();
    let path = shared.options.directory.join(name);
    match replace(shared, &path, bytes) {
        Ok(()) => metrics.snapshot_bytes.set(bytes.len() as f64),
        Err(error) => {
            metrics.maintenance_errors.increment();
            tracing::error!(component = name, err = %error, "Creating snapshot failed");
        }
    }
    metrics.snapshot_duration.observe_duration(shared.runtime.clock.monotonic() - start);
}
