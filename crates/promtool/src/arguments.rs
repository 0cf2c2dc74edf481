//! The command line: flags and commands as upstream spells them.

mod definition;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::CommandFactory as _;
use kingpin::Stop;
use runtime::Disk;

use crate::VERSION;

pub(crate) use definition::{
    Command,
    check::{CheckConfig, CheckDiscovery, CheckMetrics, CheckRules, CheckServer, CheckWebConfig},
    promql::{DeleteMatchers, Format, SetMatchers},
    query::{
        AnalyzeQuery, Header, Instant, LabelValues, Output, Query, QueryCommand, Range, Series,
    },
    send::{Debug, DebugTarget, Protocol, Push},
    test::TestRules,
    tsdb::{
        Analyze, BackfillRules, BenchWrite, Dump, DumpFormat, DumpOpenmetrics, ImportOpenmetrics,
        ListBlocks, Tsdb,
    },
};

/// What to do, and how.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) global: Global,
    pub(crate) command: Command,
}

/// Flags that all commands share.
#[derive(Debug, Clone)]
pub(crate) struct Global {
    pub(crate) experimental: bool,
    pub(crate) http_config_file: Option<PathBuf>,
    /// What the query language allows.
    pub(crate) syntax: promql_syntax::Options,
    pub(crate) delayed_name_removal: bool,
    /// Features that nobody knows, in upstream's words.
    pub(crate) warnings: Vec<String>,
}

/// Reads `args`. Files that must exist are looked for on `disk`, as kingpin does it.
pub(crate) fn parse(args: &[String], disk: &dyn Disk) -> Result<Parsed, Stop> {
    let cli: definition::Cli = kingpin::parse(definition::Cli::command(), args)?;
    if cli.global.version {
        return Err(Stop::Print(kingpin::version("promtool", VERSION)));
    }
    let global = cli.global.meaning();
    let Some(top) = cli.command else {
        return Err(Stop::Error("command not specified".to_owned()));
    };
    let command = top.meaning();
    let missing = command.required_files().into_iter().find(|file| !disk.exists(file));
    if let Some(missing) = missing {
        return Err(Stop::Error(format!("path '{}' does not exist", missing.display())));
    }
    Ok(Parsed { global, command })
}
