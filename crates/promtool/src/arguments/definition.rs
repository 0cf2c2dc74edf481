//! Flags and commands, for clap.

pub(crate) mod check;
pub(crate) mod promql;
pub(crate) mod query;
pub(crate) mod send;
pub(crate) mod test;
pub(crate) mod tsdb;

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};

use super::Global;

#[derive(Debug, Parser)]
#[command(
    name = "promtool",
    about = "Tooling for the Prometheus monitoring system.",
    after_help = "Exit codes: 0 all is well, 1 something failed, 3 the linter complains and \
        --lint-fatal is given.\nEach command has its own help: promtool check config --help"
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: GlobalFlags,
    #[command(subcommand)]
    pub(super) command: Option<Top>,
}

#[derive(Debug, Args)]
pub(super) struct GlobalFlags {
    /// Enable experimental commands
    #[arg(long, global = true)]
    experimental: bool,
    /// Features of the query language to enable, with commas between:
    /// promql-experimental-functions, promql-delayed-name-removal,
    /// promql-extended-range-selectors, promql-binop-fill-modifiers
    #[arg(long, global = true, value_name = "FEATURES")]
    enable_feature: Vec<String>,
    /// HTTP client configuration file, for commands that talk to a server
    #[arg(long = "http.config.file", global = true, value_name = "FILENAME")]
    http_config_file: Option<PathBuf>,
    /// Show application version
    #[arg(long, global = true)]
    pub(super) version: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Top {
    /// Check the resources for validity
    Check(check::Check),
    /// Run query against a Prometheus server
    Query(query::Query),
    /// Fetch debug information
    Debug {
        #[command(subcommand)]
        command: send::DebugCommand,
    },
    /// Push to a Prometheus server
    Push {
        #[command(subcommand)]
        command: send::PushCommand,
    },
    /// Unit testing
    Test(test::Test),
    /// Run tsdb commands
    Tsdb {
        #[command(subcommand)]
        command: tsdb::TsdbCommand,
    },
    /// PromQL formatting and editing; requires the --experimental flag
    Promql {
        #[command(subcommand)]
        command: promql::Promql,
    },
}

/// What to do.
#[derive(Debug)]
pub(crate) enum Command {
    CheckConfig(check::CheckConfig),
    CheckRules(check::CheckRules),
    CheckMetrics(check::CheckMetrics),
    CheckWebConfig(check::CheckWebConfig),
    CheckHealthy(check::CheckServer),
    CheckReady(check::CheckServer),
    CheckDiscovery(check::CheckDiscovery),
    Query(query::Query),
    TestRules(test::TestRules),
    Tsdb(tsdb::Tsdb),
    Push(send::Push),
    Debug(send::Debug),
    PromqlFormat(promql::Format),
    LabelMatchersSet(promql::SetMatchers),
    LabelMatchersDelete(promql::DeleteMatchers),
}

impl Top {
    pub(super) fn meaning(self) -> Command {
        match self {
            Top::Check(check) => check.meaning(),
            Top::Test(test) => test.meaning(),
            Top::Query(query) => Command::Query(query),
            Top::Tsdb { command } => command.meaning(),
            Top::Debug { command } => command.meaning(),
            Top::Push { command } => command.meaning(),
            Top::Promql { command } => command.meaning(),
        }
    }
}

impl Command {
    /// Files without which there is nothing to do.
    pub(super) fn required_files(&self) -> Vec<&Path> {
        let files: &[PathBuf] = match self {
            Command::CheckConfig(check) => &check.files,
            Command::CheckRules(check) => &check.files,
            Command::CheckWebConfig(check) => &check.files,
            Command::TestRules(test) => &test.files,
            Command::Push(push) => &push.files,
            Command::CheckDiscovery(check) => std::slice::from_ref(&check.file),
            _ => &[],
        };
        files.iter().map(PathBuf::as_path).collect()
    }
}

/// `name=value`.
fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err(format!("expected KEY=VALUE got '{text}'")),
    }
}

/// Features that have become part of the language.
const STABLE: [&str; 2] = ["promql-at-modifier", "promql-negative-offset"];

impl GlobalFlags {
    pub(super) fn meaning(&self) -> Global {
        let mut global = Global {
            experimental: self.experimental,
            http_config_file: self.http_config_file.clone(),
            syntax: promql_syntax::Options::default(),
            delayed_name_removal: false,
            warnings: Vec::new(),
        };
        for feature in self.enable_feature.iter().flat_map(|list| list.split(',')) {
            match feature {
                "" => {}
                "promql-experimental-functions" => global.syntax.experimental_functions = true,
                "promql-delayed-name-removal" => global.delayed_name_removal = true,
                "promql-duration-expr" => global.syntax.duration_expressions = true,
                "promql-extended-range-selectors" => global.syntax.extended_range_selectors = true,
                "promql-binop-fill-modifiers" => global.syntax.fill_modifiers = true,
                _ if STABLE.contains(&feature) => global.warnings.push(format!("  WARNING: Option for --enable-feature is a no-op after promotion to a stable feature: {feature:?}")),
                _ => global.warnings.push(format!(
                    "  WARNING: Unknown option for --enable-feature: {feature:?}"
                )),
            }
        }
        global
    }
}
