//! `file_sd_configs`: target groups in JSON and YAML files that others write.

mod parse;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use model::{LabelsBuilder, TargetGroup};
pub use parse::parse;
use runtime::{BoxFuture, Disk, Runtime};
use tracing::error;

use crate::{Discoverer, Updates, metrics::FileMetrics};

/// How often to look whether a file has changed. A look at names, sizes and times is cheap, and
/// unlike a watch it also sees network file systems and the links of mounted configuration maps.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Which files to read and how often to read all of them again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Paths; the last part of each may hold `*`.
    pub files: Vec<PathBuf>,
    pub refresh_interval: Duration,
}

pub(crate) struct Files {
    config: Config,
    runtime: Runtime,
    metrics: FileMetrics,
    /// The files that were there at the last look.
    known: BTreeMap<PathBuf, Known>,
}

/// What is known of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Known {
    stamp: Stamp,
    /// Groups of the last version that could be read.
    n_groups: usize,
}

/// Changes when the file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Stamp {
    len: u64,
    modified_ms: i64,
}

impl Discoverer for Files {
    fn run(mut self: Box<Self>, updates: Updates) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let clock = self.runtime.clock.clone();
            let mut next_refresh = Duration::ZERO;
            let mut is_first = true;
            loop {
                let now = clock.monotonic();
                let reads_all = now >= next_refresh;
                if reads_all {
                    next_refresh = now + self.config.refresh_interval;
                }
                let groups = runtime::blocking(|| self.look(reads_all));
                // That there is nothing is also worth saying, once.
                if !groups.is_empty() || is_first {
                    updates.send(groups);
                }
                is_first = false;
                clock.sleep(LOOK_INTERVAL.min(self.config.refresh_interval)).await;
            }
        })
    }
}

impl Files {
    pub(crate) fn new(config: Config, runtime: Runtime, metrics: FileMetrics) -> Files {
        Files { config, runtime, metrics, known: BTreeMap::new() }
    }

    /// Reads what has changed, or everything, and says which groups to replace. Of a file that
    /// cannot be read the last groups stay.
    fn look(&mut self, reads_all: bool) -> Vec<TargetGroup> {
        let began = self.runtime.clock.monotonic();
        let mut found = BTreeMap::new();
        let mut groups = Vec::new();
        for (path, stamp) in self.list() {
            let before = self.known.get(&path).copied();
            if !reads_all && before.is_some_and(|before| before.stamp == stamp) {
                found.extend(before.map(|before| (path, before)));
                continue;
            }
            let mut n_groups = before.unwrap_or_default().n_groups;
            match self.read(&path) {
                Ok(read) => {
                    let n_read = read.len();
                    groups.extend(read);
                    groups.extend((n_read..n_groups).map(|idx| empty(&path, idx)));
                    n_groups = n_read;
                }
                Err(error) => {
                    self.metrics.read_errors.increment();
                    error!(path = %path.display(), error, "Error reading file");
                }
            }
            self.metrics.modified.with([&path.display().to_string()]).set(stamp.seconds());
            found.insert(path, Known { stamp, n_groups });
        }
        for (path, known) in &self.known {
            if !found.contains_key(path) {
                self.metrics.modified.remove([&path.display().to_string()]);
                groups.extend((0..known.n_groups).map(|idx| empty(path, idx)));
            }
        }
        self.known = found;
        if reads_all {
            self.metrics.scan_duration.observe_duration(self.runtime.clock.monotonic() - began);
        }
        groups
    }

    /// The files that match, each once.
    fn list(&self) -> BTreeMap<PathBuf, Stamp> {
        let disk = &*self.runtime.disk;
        let mut found = BTreeMap::new();
        for pattern in &self.config.files {
            for path in glob(disk, pattern) {
                if let Ok(metadata) = disk.metadata(&path)
                    && !metadata.is_directory
                {
                    let (len, modified_ms) = (metadata.len, metadata.modified_ms);
                    found.insert(path, Stamp { len, modified_ms });
                }
            }
        }
        found
    }

    fn read(&self, path: &Path) -> Result<Vec<TargetGroup>, String> {
        let bytes = self.runtime.disk.read(path).map_err(|error| error.to_string())?;
        let mut groups = parse(path, &bytes)?;
        let text = path.display().to_string();
        for (idx, group) in groups.iter_mut().enumerate() {
            let mut labels = LabelsBuilder::new(&group.labels);
            group.labels = labels.set("__meta_filepath", &text).build();
            group.source = source(path, idx);
        }
        Ok(groups)
    }
}

impl Stamp {
    fn seconds(self) -> f64 {
        self.modified_ms as f64 / 1000.0
    }
}

fn source(path: &Path, idx: usize) -> String {
    format!("{}:{idx}", path.display())
}

/// Removes the group at `idx`.
fn empty(path: &Path, idx: usize) -> TargetGroup {
    TargetGroup { source: source(path, idx), ..TargetGroup::default() }
}

fn glob(disk: &dyn Disk, pattern: &Path) -> Vec<PathBuf> {
    let Some(name) = pattern.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    if !name.contains(['*', '?']) {
        return vec![pattern.to_owned()];
    }
    let parent = pattern.parent().unwrap_or(Path::new(""));
    let folder = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let listed: io::Result<Vec<_>> = disk.list(folder);
    let entries = listed.unwrap_or_default().into_iter();
    entries
        .filter(|entry| matches(name.as_bytes(), entry.name.as_bytes()))
        .map(|entry| parent.join(entry.name))
        .collect()
}

/// Whether `name` matches a pattern of `*` and `?`. Linear in memory, and fast enough for names.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=name.len()).any(|skipped| matches(rest, &name[skipped..])),
        (Some((b'?', pattern)), Some((_, name))) => matches(pattern, name),
        (Some((a, pattern)), Some((b, name))) => a == b && matches(pattern, name),
        _ => false,
    }
}
