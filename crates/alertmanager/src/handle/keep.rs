//! Alerts over a restart.
//!
//! They are written a few seconds after something has begun or ended, and now and then while all
//! goes on. What comes back from the file is doubtful until somebody repeats it, see
//! [`crate::pipeline`].

use std::{path::Path, sync::Arc, time::Duration};

use runtime::Disk;
use tokio_util::sync::CancellationToken;

use super::maintain::{replace, tick};
use crate::{
    alert::{Alert, Change, file},
    config::Options,
    shared::{RESTORED_GRACE, Shared},
    state::State,
    time::Time,
};

const FILE: &str = "alerts";
const INTERVAL: Duration = Duration::from_secs(5);
/// That alerts go on is written as often.
const REFRESH_INTERVAL: Duration = Duration::from_secs(60);
/// What has ended before is not worth a word any more.
const ENDED_SINCE_MAX: Duration = Duration::from_secs(24 * 3600);

/// Reads the file. A file that is missing or broken is no reason not to start: senders repeat what
/// goes on.
pub(super) fn load(options: &Options, disk: &dyn Disk, state: &mut State, now: Time) {
    let path = options.directory.join(FILE);
    let (written_at, alerts) = match read(disk, &path) {
        Ok(Some(read)) => read,
        Ok(None) => return,
        Err(error) => {
            let file = path.display();
            tracing::warn!(%file, err = error, "Kept alerts cannot be read, starting without");
            return;
        }
    };
    for mut alert in alerts {
        let heard_at = alert.updated_at;
        if alert.ends_at.is_some_and(|end| end + ENDED_SINCE_MAX < now) {
            continue;
        }
        // While we were down nobody could say that it goes on.
        if !alert.is_resolved_at(written_at) {
            alert.ends_at = alert.ends_at.max(Some(now + RESTORED_GRACE));
        }
        if let Some((id, _)) = state.alerts.put(alert, now) {
            state.restored.insert(id, heard_at);
        }
    }
    tracing::info!(alerts = state.restored.len(), "Alerts kept over the restart");
}

fn read(disk: &dyn Disk, path: &Path) -> Result<Option<(Time, Vec<Alert>)>, String> {
    match disk.metadata(path) {
        Ok(file) if file.len > file::FILE_BYTES_MAX as u64 => {
            return Err(format!("{} bytes are too many", file.len));
        }
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    }
    let bytes = disk.read(path).map_err(|error| error.to_string())?;
    file::decode(&bytes).map(Some).map_err(|error| error.to_string())
}

/// Writes the file when there is something to write.
pub(super) async fn keep_alerts(shared: Arc<Shared>, stop: CancellationToken) {
    let mut next_refresh = shared.runtime.clock.monotonic() + REFRESH_INTERVAL;
    while tick(&shared, &stop, INTERVAL).await {
        let now = shared.runtime.clock.monotonic();
        let change = shared.state.lock().alerts.change();
        let is_due = match change {
            Change::None => false,
            Change::Refreshed => now >= next_refresh,
            Change::New => true,
        };
        if is_due {
            next_refresh = now + REFRESH_INTERVAL;
            write(&shared);
        }
    }
}

pub(super) fn write(shared: &Shared) {
    let now = shared.now().time;
    let alerts: Vec<Arc<Alert>> = {
        let mut state = shared.state.lock();
        state.alerts.note_copied();
        state.alerts.iter().map(|(_, alert)| alert.clone()).collect()
    };
    let path = shared.options.directory.join(FILE);
    let written = runtime::blocking(|| {
        let (bytes, n_left_out) = file::encode(&alerts, now);
        if n_left_out > 0 {
            tracing::warn!(alerts = n_left_out, "Too many alerts to keep all over a restart");
        }
        replace(shared, &path, &bytes)
    });
    if let Err(error) = written {
        tracing::error!(file = %path.display(), err = %error, "Keeping alerts failed");
    }
}
