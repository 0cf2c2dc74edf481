//! `scrape_failure_log_file`: a line of JSON for each scrape that failed.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use parking_lot::Mutex;
use runtime::{Disk, disk::File};
use tracing::error;

use crate::{Config, Error, Result};

/// A file that several jobs may share.
pub(crate) struct FailureLog {
    path: PathBuf,
    /// Held for a line.
    file: Mutex<Box<dyn File>>,
}

/// Opens the files that the jobs name, each once; a reload opens them anew, so that they can be
/// rotated.
pub(crate) fn open(
    disk: &dyn Disk,
    configs: &[Config],
) -> Result<BTreeMap<PathBuf, Arc<FailureLog>>> {
    let mut logs = BTreeMap::new();
    for path in configs.iter().filter_map(|config| config.scrape_failure_log_file.as_ref()) {
        if !logs.contains_key(path) {
            logs.insert(path.clone(), Arc::new(FailureLog::open(disk, path)?));
        }
    }
    Ok(logs)
}

impl FailureLog {
    fn open(disk: &dyn Disk, path: &Path) -> Result<FailureLog> {
        let file = disk
            .append(path)
            .map_err(|source| Error::FailureLog { path: path.to_owned(), source })?;
        Ok(FailureLog { path: path.to_owned(), file: Mutex::new(file) })
    }

    /// `now` is the time since the epoch.
    pub(crate) fn write(&self, now: Duration, job: &str, target: &str, reason: &str) {
        let now = Timestamp::from_nanosecond(now.as_nanos() as i128).unwrap_or_default();
        let line = format!(
            "{{\"time\":\"{}\",\"level\":\"ERROR\",\"msg\":{},\"job_name\":{},\"target\":{}}}\n",
            now.display_with_offset(TimeZone::UTC.to_offset(now)),
            json(reason),
            json(job),
            json(target),
        );
        if let Err(error) = self.file.lock().write_all(line.as_bytes()) {
            error!(path = %self.path.display(), %error, "write scrape failure log");
        }
    }
}

fn json(text: &str) -> serde_json::Value {
    serde_json::Value::String(text.to_owned())
}
