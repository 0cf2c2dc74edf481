//! From the files on the disk to everything that a server needs, or to what is wrong with them.

use std::{
    hash::{DefaultHasher, Hasher as _},
    path::{Path, PathBuf},
};

use config::{
    decode::{Setting as _, Style},
    prometheus::{self as file, Config},
    yaml,
};
use runtime::Disk;
use tracing::warn;

use super::language;
use crate::{build, settings};

/// A configuration with nothing left that could be wrong in itself.
pub(super) struct Loaded {
    pub(super) config: Config,
    pub(super) jobs: Vec<Job>,
    pub(super) notifier: notifier::Config,
    /// For each set of Alertmanagers, how to find them.
    pub(super) alertmanagers: Vec<Vec<discovery::Config>>,
    pub(super) remote_write: Vec<remote::send::Config>,
    pub(super) remote_read: Vec<remote::read::Config>,
    /// Rule files by path.
    pub(super) rules: Vec<(String, Vec<rules::file::Group>)>,
}

/// What to scrape, where it is found, and how people see it.
pub(super) struct Job {
    pub(super) scrape: scrape::Config,
    pub(super) discovery: Vec<discovery::Config>,
    pub(super) yaml: String,
}

/// Reads the file at `path` and all files that it names; the error names file, line and key.
pub(super) fn load(
    disk: &dyn Disk,
    path: &Path,
    syntax: &promql_syntax::Options,
    is_agent: bool,
) -> Result<Loaded, String> {
    let options = file::Options { agent: is_agent, ..file::Options::default() };
    let config = file::load(disk, path, &options).map_err(|error| error.to_string())?;
    let jobs = config.scrapes.iter().map(to_job).collect::<Result<_, _>>()?;
    let notifier = settings::alerting::notifier(&config.file).map_err(|error| error.to_string())?;
    let sections = config.file.alerting.alertmanagers.iter();
    let alertmanagers = sections
        .map(|section| file::sd::mechanisms(&section.discovery))
        .collect::<Result<_, _>>()
        .map_err(|error| format!("alertmanagers: {error}"))?;
    let remote_write = settings::remote::write(&config.file)?;
    let remote_read = settings::remote::read(&config.file, &build::user_agent())?;
    let rules = load_rules(disk, &config, syntax)?;
    Ok(Loaded { config, jobs, notifier, alertmanagers, remote_write, remote_read, rules })
}

fn to_job(section: &file::Scrape) -> Result<Job, String> {
    let name = &section.job_name;
    let within = |error: settings::Error| format!("job {name:?}: {error}");
    Ok(Job {
        scrape: settings::scrape::job(section).map_err(within)?,
        discovery: file::sd::mechanisms(&section.discovery)
            .map_err(|error| within(error.into()))?,
        yaml: yaml::print(&section.encode(Style::Shown)),
    })
}

fn load_rules(
    disk: &dyn Disk,
    config: &Config,
    syntax: &promql_syntax::Options,
) -> Result<Vec<(String, Vec<rules::file::Group>)>, String> {
    let options = rules::file::Options {
        names: config.file.global.scheme(),
        ignore_unknown_fields: false,
        check_expr: &|expr| language::print(expr, syntax),
    };
    let paths = config.rule_paths(disk).map_err(|error| format!("find rule files: {error}"))?;
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for path in paths {
        match load_rule_file(disk, &path, &options) {
            Ok(groups) => files.push((path, groups)),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(files) } else { Err(problems.join("\n")) }
}

fn load_rule_file(
    disk: &dyn Disk,
    path: &str,
    options: &rules::file::Options<'_>,
) -> Result<Vec<rules::file::Group>, Vec<String>> {
    let text =
        disk.read_to_string(Path::new(path)).map_err(|error| vec![format!("{path}: {error}")])?;
    let parsed = rules::file::parse(&text, options).map_err(|found| {
        found.iter().map(|problem| format!("{path}: {problem}")).collect::<Vec<_>>()
    })?;
    if parsed.has_more_documents {
        warn!(file = path, "only the first YAML document of a rule file is read");
    }
    Ok(parsed.groups)
}

/// Whether a file that is the same in another place counts as another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paths {
    Count,
    DoNotCount,
}

/// Changes whenever the file at `path` or one that `config` names changes.
pub(super) fn fingerprint(disk: &dyn Disk, path: &Path, config: &Config, counted: Paths) -> u64 {
    let scrape_files = config.file.scrape_config_files.iter();
    let mut paths = vec![path.to_owned()];
    paths.extend(config.rule_paths(disk).unwrap_or_default().into_iter().map(PathBuf::from));
    for pattern in scrape_files {
        let found = config::glob::glob(disk, &pattern.0).unwrap_or_default();
        paths.extend(found.into_iter().map(PathBuf::from));
    }
    let mut hasher = DefaultHasher::new();
    for path in paths {
        if counted == Paths::Count {
            hasher.write(path.as_os_str().as_encoded_bytes());
        }
        // A file that is gone is a change, too.
        match disk.read(&path) {
            Ok(bytes) => {
                hasher.write_usize(bytes.len());
                hasher.write(&bytes);
            }
            Err(_) => hasher.write_u8(0),
        }
    }
    hasher.finish()
}
