//! `check …`: is this valid?

pub(crate) mod config;
pub(crate) mod metrics;
pub(crate) mod rules;
pub(crate) mod server;
pub(crate) mod service_discovery;
pub(crate) mod target_files;
pub(crate) mod web_config;

use std::path::Path;

use anyhow::Context as _;
use runtime::Disk;

/// Refuses a path where nothing is, in Go's words; an empty one is fine.
fn check_exists(disk: &dyn Disk, path: &str, what: &str) -> anyhow::Result<()> {
    if path.is_empty() {
        return Ok(());
    }
    disk.metadata(Path::new(path))
        .map(drop)
        .map_err(|error| anyhow::anyhow!("stat {path}: {}", describe(&error)))
        .with_context(|| format!("error checking {what} {}", model::labels::quote(path)))
}

/// The system's words, as Go prints them.
pub(crate) fn describe(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "no such file or directory".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::IsADirectory => "is a directory".to_owned(),
        _ => error.to_string(),
    }
}
