//! From a path to a configuration that can be applied.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
};

use runtime::Disk;

use super::{File, Scrape, ScrapeFile, agent, expand::expand};
use crate::{
    decode::{self, Broken, Setting as _, Style},
    glob::glob,
};

/// How to read a file.
#[derive(Clone, Copy)]
pub struct Options {
    /// Refuse what an agent has no use for.
    pub agent: bool,
    /// Where environment variables come from.
    pub environment: fn(&str) -> Option<String>,
}

impl Default for Options {
    fn default() -> Options {
        Options { agent: false, environment: |name| std::env::var(name).ok() }
    }
}

/// Why a configuration cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("open {}: {}", path.display(), describe(source))]
    Read { path: PathBuf, source: io::Error },
    #[error("parsing YAML file {}: {source}", path.display())]
    Parse { path: PathBuf, source: decode::Error },
    #[error("field {0} is not allowed in agent mode")]
    NotForAgents(&'static str),
    /// One of the files in `scrape_config_files`.
    #[error("{:?}: {source}", path.display().to_string())]
    ScrapeFile { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("error retrieving scrape config files for {pattern:?}: {source}")]
    ScrapeFiles { pattern: String, source: io::Error },
}

/// The system's words without Rust's "(os error 2)"; not found is the usual case.
pub(crate) fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// A configuration that can be applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The main file: defaults filled in, paths relative to where the server runs.
    pub file: File,
    /// The jobs of the main file and of `scrape_config_files`.
    pub scrapes: Vec<Scrape>,
    /// What an operator should hear: settings that are accepted but have no effect.
    pub warnings: Vec<String>,
}

impl Config {
    /// The effective configuration with secrets hidden, as `/api/v1/status/config` shows it.
    pub fn to_yaml(&self) -> String {
        self.file.to_yaml(Style::Shown)
    }

    /// The paths of the rule files, patterns expanded; a name without wildcards is there even if
    /// the file is not, so that its absence is noticed.
    pub fn rule_paths(&self, disk: &dyn Disk) -> io::Result<Vec<String>> {
        let mut paths = Vec::new();
        for pattern in &self.file.rule_files {
            if pattern.0.contains('*') {
                paths.extend(glob(disk, &pattern.0)?);
            } else {
                paths.push(pattern.0.clone());
            }
        }
        Ok(paths)
    }
}

/// Reads the file at `path` and the files that it names in `scrape_config_files`.
pub fn load(disk: &dyn Disk, path: &Path, options: &Options) -> Result<Config, Error> {
    let bytes = disk.read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let broken = |source| Error::Parse { path: path.to_owned(), source };
    let text = utf8(&bytes).map_err(|broken_text| broken(decode::Error::Broken(broken_text)))?;
    let (mut file, warnings) = parse(text, options).map_err(broken)?;
    if let Some(section) = options.agent.then(|| agent::refused_section(&file)).flatten() {
        return Err(Error::NotForAgents(section));
    }
    file.set_directory(&directory_of(path));
    let scrapes = resolve_scrapes(disk, &file)?;
    Ok(Config { file, scrapes, warnings })
}

/// Reads a text; gives the file, its paths as written, and warnings.
pub fn parse(text: &str, options: &Options) -> Result<(File, Vec<String>), decode::Error> {
    let mut file: File = decode::from_str(text)?;
    let mut warnings = Vec::new();
    for value in file.global.external_labels.0.values_mut() {
        let (expanded, missing) = expand(value, &options.environment);
        *value = expanded;
        warnings
            .extend(missing.into_iter().map(|name| format!("Empty environment variable: {name}")));
    }
    let utf8_names = file.global.scheme() == model::names::ValidationScheme::Utf8;
    file.otlp.check_strategy(utf8_names).map_err(decode::Error::Broken)?;
    Ok((file, warnings))
}

pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, Broken> {
    std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes.iter().take(error.valid_up_to()).filter(|b| **b == b'\n').count();
        Broken::at(line, "yaml: invalid UTF-8")
    })
}

pub(crate) fn directory_of(path: &Path) -> String {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.display().to_string(),
        _ => ".".to_owned(),
    }
}

fn resolve_scrapes(disk: &dyn Disk, file: &File) -> Result<Vec<Scrape>, Error> {
    let mut scrapes = file.scrape_configs.to_vec();
    let mut seen: HashMap<String, String> = scrapes
        .iter()
        .map(|scrape| (scrape.job_name.clone(), "main config file".to_owned()))
        .collect();
    for pattern in &file.scrape_config_files {
        let paths = glob(disk, &pattern.0)
            .map_err(|source| Error::ScrapeFiles { pattern: pattern.0.clone(), source })?;
        for path in paths {
            // Messages name the file so that it can be found from anywhere.
            let shown = std::path::absolute(&path).unwrap_or_else(|_| PathBuf::from(&path));
            let added = read_scrape_file(disk, Path::new(&path), file, &mut seen, &shown)
                .map_err(|source| Error::ScrapeFile { path: shown, source })?;
            scrapes.extend(added);
        }
    }
    Ok(scrapes)
}

fn read_scrape_file(
    disk: &dyn Disk,
    path: &Path,
    file: &File,
    seen: &mut HashMap<String, String>,
    shown: &Path,
) -> Result<Vec<Scrape>, Box<dyn std::error::Error + Send + Sync>> {
    let bytes = disk.read(path)?;
    let text = utf8(&bytes).map_err(decode::Error::Broken)?;
    let mut added: ScrapeFile = decode::from_str(text)?;
    added
        .scrape_configs
        .refuse_null("empty or null scrape config section")
        .map_err(decode::Error::Broken)?;
    for (line, scrape) in added.scrape_configs.with_lines() {
        let broken = |broken: Broken| decode::Error::Broken(broken.or_at(line));
        scrape.inherit(&file.global).map_err(broken)?;
        let name = scrape.job_name.clone();
        if let Some(first) = seen.get(&name) {
            let message = format!(
                "found multiple scrape configs with job name {name:?}, first found in {first}"
            );
            return Err(broken(message.into()).into());
        }
        seen.insert(name, format!("{:?}", shown.display().to_string()));
        scrape.set_directory(&directory_of(path));
    }
    Ok(added.scrape_configs.into_items())
}
