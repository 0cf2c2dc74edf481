//! From a path to a configuration that can be applied.

use std::{
    io,
    path::{Path, PathBuf},
};

use alertmanager::{
    inhibit::InhibitRule, interval::TimeIntervals, matcher::Mode, route::RouteConfig,
};
use receivers::{Global, Receiver};
use runtime::Disk;

use super::File;
use crate::{
    decode::{self, Broken, Style},
    glob::glob,
};

/// Why a configuration cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("open {}: {}", path.display(), crate::prometheus::describe(source))]
    Read { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Parse(#[from] decode::Error),
}

/// A configuration that can be applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Defaults filled in, and paths relative to where the server runs.
    pub file: File,
    /// What an operator should hear: settings that are accepted but have no effect.
    pub warnings: Vec<String>,
    /// The file to the byte, whose hash is a metric.
    pub text: String,
}

impl Config {
    /// The effective configuration with secrets hidden, as the API shows it.
    pub fn to_yaml(&self) -> String {
        self.file.to_yaml(Style::Shown)
    }

    pub fn global(&self) -> &Global {
        self.file.global()
    }

    pub fn route(&self) -> RouteConfig {
        self.file.root().meaning()
    }

    pub fn receivers(&self) -> &[Receiver] {
        &self.file.receivers
    }

    pub fn inhibit_rules(&self) -> Vec<InhibitRule> {
        self.file.inhibit_rules.iter().map(super::InhibitRule::meaning).collect()
    }

    pub fn time_intervals(&self) -> TimeIntervals {
        self.file.intervals()
    }

    /// The files of templates, patterns expanded; a pattern that matches none is fine.
    pub fn template_paths(&self, disk: &dyn Disk) -> io::Result<Vec<String>> {
        let mut paths = Vec::new();
        for pattern in &self.file.templates {
            paths.extend(glob(disk, &pattern.0)?);
        }
        Ok(paths)
    }
}

/// Reads the file at `path`.
pub fn load(disk: &dyn Disk, path: &Path, mode: Mode) -> Result<Config, Error> {
    let bytes = disk.read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let text = crate::prometheus::utf8(&bytes).map_err(decode::Error::Broken)?;
    let mut config = parse(text, mode)?;
    config.file.resolve_paths(&crate::prometheus::directory_of(path));
    Ok(config)
}

/// Reads a text, and leaves paths as they are written.
pub fn parse(text: &str, mode: Mode) -> Result<Config, decode::Error> {
    let is_empty = crate::yaml::parse(text)?.is_none_or(|node| node.is_null());
    if is_empty {
        return Err(decode::Error::Broken(Broken::from("no route provided in config")));
    }
    let mut file: File = decode::from_str(text)?;
    file.resolve(mode).map_err(decode::Error::Broken)?;
    let warnings = unsupported(&file);
    Ok(Config { file, warnings, text: text.to_owned() })
}

/// What is accepted for upstream's sake but does nothing here yet.
fn unsupported(file: &File) -> Vec<String> {
    let mut warnings = Vec::new();
    let recorder = &file.event_recorder;
    for (name, outputs) in
        [("kafka", &recorder.kafka_outputs), ("stdout", &recorder.stdout_outputs)]
    {
        if !outputs.is_empty() {
            warnings.push(format!("event_recorder: {name}_outputs are not supported"));
        }
    }
    warnings
}
