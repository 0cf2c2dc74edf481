//! The command line: flags and commands as upstream spells them.

mod definition;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::{
    CommandFactory as _, FromArgMatches as _,
    error::{ContextKind, ContextValue, ErrorKind},
};
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

/// Why there is nothing to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Help or the version, for standard output.
    Print(String),
    /// A mistake, in kingpin's words.
    Error(String),
}

/// Reads `args`. Files that must exist are looked for on `disk`, as kingpin does it.
pub(crate) fn parse(args: &[String], disk: &dyn Disk) -> Result<Parsed, Stop> {
    let mut command = definition::Cli::command();
    if args.is_empty() || args == ["help"] {
        return Err(Stop::Print(format!("{}\n", command.render_help())));
    }
    let words = args.iter().map(|arg| positive(arg));
    let matches = command.try_get_matches_from_mut(words).map_err(|error| to_stop(&error, args))?;
    let cli = definition::Cli::from_arg_matches(&matches).map_err(|error| to_stop(&error, args))?;
    if cli.global.version {
        return Err(Stop::Print(version()));
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

/// Kingpin takes `--no-x` for `--x=false`.
fn positive(arg: &str) -> String {
    match arg.strip_prefix("--no-") {
        Some(name) if definition::SWITCHES.contains(&name) => format!("--{name}=false"),
        _ => arg.to_owned(),
    }
}

fn version() -> String {
    format!(
        "promtool, version {VERSION} (branch: vesta, revision: {})\n  platform:         {}/{}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

/// Says in kingpin's words what clap found.
fn to_stop(error: &clap::Error, args: &[String]) -> Stop {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        _ => String::new(),
    };
    let argument = context(ContextKind::InvalidArg);
    let flag = argument.split([' ', '=', '[']).next().unwrap_or_default();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            Stop::Print(error.render().to_string())
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            let words = args.iter().map(String::as_str).filter(|arg| !arg.starts_with('-'));
            let path = words.collect::<Vec<_>>().join(" ");
            Stop::Error(format!("must select a subcommand of '{path}'"))
        }
        ErrorKind::UnknownArgument if argument.starts_with("--") => {
            Stop::Error(format!("unknown long flag '{flag}'"))
        }
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            Stop::Error(format!("unknown short flag '{flag}'"))
        }
        ErrorKind::UnknownArgument => Stop::Error(format!("unexpected {argument}")),
        ErrorKind::InvalidSubcommand => {
            let word = context(ContextKind::InvalidSubcommand);
            Stop::Error(format!("expected command but got \"{word}\""))
        }
        ErrorKind::MissingRequiredArgument => Stop::Error(missing(&argument)),
        ErrorKind::ValueValidation => match std::error::Error::source(error) {
            Some(reason) => Stop::Error(reason.to_string()),
            None => Stop::Error(format!("{flag}: {}", context(ContextKind::InvalidValue))),
        },
        ErrorKind::InvalidValue => {
            let value = context(ContextKind::InvalidValue);
            if value.is_empty() {
                return Stop::Error(format!("expected argument for flag '{flag}'"));
            }
            let valid = context(ContextKind::ValidValue).replace(", ", ",");
            Stop::Error(format!("enum value must be one of {valid}, got '{value}'"))
        }
        ErrorKind::ArgumentConflict => Stop::Error(format!("flag '{flag}' cannot be repeated")),
        _ => Stop::Error(error.render().to_string().trim_end().to_owned()),
    }
}

/// The first of what is missing: a flag, or an argument such as `<SERVER>`.
fn missing(arguments: &str) -> String {
    let first = arguments.split(", ").next().unwrap_or_default();
    match first.strip_prefix('<') {
        Some(name) => {
            let name = name.trim_end_matches(['.', '>']).to_lowercase().replace('_', "-");
            format!("required argument '{name}' not provided")
        }
        None => {
            let flag = first.split([' ', '=']).next().unwrap_or_default();
            format!("required flag {flag} not provided")
        }
    }
}
