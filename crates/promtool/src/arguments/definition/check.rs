//! `check …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use receivers::values::GoDuration;
use url::Url;

use super::{Command, query::parse_server};
use crate::lint::Lint;

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The server's lookback: a scrape interval at least as long makes gaps
    #[arg(long = "query.lookback-delta", global = true, default_value = "5m", value_parser = model::duration::parse)]
    lookback: std::time::Duration,
    #[command(subcommand)]
    command: CheckCommand,
}

#[derive(Debug, Subcommand)]
enum CheckCommand {
    /// Check if the config files are valid or not
    Config(ConfigFlags),
    /// Check if the rule files are valid or not
    Rules(RulesFlags),
    /// Check Prometheus metrics on standard input for consistency and correctness
    #[command(after_help = "For example:\n  cat metrics.prom | promtool check metrics\n  \
        curl -s http://localhost:9090/metrics | promtool check metrics")]
    Metrics(MetricsFlags),
    /// Check if the web config files are valid or not
    WebConfig(CheckWebConfig),
    /// Check if the Prometheus server is healthy
    Healthy(CheckServer),
    /// Check if the Prometheus server is ready
    Ready(CheckServer),
    /// Perform service discovery for the given job name and report the results, including
    /// relabeling
    ServiceDiscovery(CheckDiscovery),
}

#[derive(Debug, Args)]
struct ConfigFlags {
    /// Only check the config file syntax, ignoring files and content that it refers to
    #[arg(long)]
    syntax_only: bool,
    /// Linting to apply, with commas between: all, duplicate-rules, none,
    /// too-long-scrape-interval
    #[arg(long, default_value = "duplicate-rules")]
    lint: String,
    /// Make lint errors exit with exit code 3
    #[arg(long)]
    lint_fatal: bool,
    /// Ignore unknown fields in the rule groups
    #[arg(long)]
    ignore_unknown_fields: bool,
    /// Check config file for Prometheus in agent mode
    #[arg(long)]
    agent: bool,
    /// The config files to check
    #[arg(required = true, value_name = "CONFIG_FILES")]
    files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
struct RulesFlags {
    /// Linting to apply, with commas between: all, duplicate-rules, none
    #[arg(long, default_value = "duplicate-rules")]
    lint: String,
    /// Make lint errors exit with exit code 3
    #[arg(long)]
    lint_fatal: bool,
    /// Ignore unknown fields in the rule files
    #[arg(long)]
    ignore_unknown_fields: bool,
    /// The rule files to check, default is read from standard input
    #[arg(value_name = "RULE_FILES")]
    files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
struct MetricsFlags {
    /// Print cardinality of each metric
    #[arg(long)]
    extended: bool,
    /// Linting to apply: all or none
    #[arg(long, default_value = "all", value_parser = ["all", "none"])]
    lint: String,
}

#[derive(Debug)]
pub(crate) struct CheckMetrics {
    pub(crate) extended: bool,
    pub(crate) lint: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckWebConfig {
    /// The config files to check
    #[arg(required = true, value_name = "WEB_CONFIG_FILES")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckServer {
    /// The URL for the Prometheus server
    #[arg(long, default_value = "http://localhost:9090", value_parser = parse_server)]
    pub(crate) url: Url,
}

#[derive(Debug, Args)]
pub(crate) struct CheckDiscovery {
    /// The time to wait for discovery results
    #[arg(long, default_value = "30s", value_parser = GoDuration::parse)]
    pub(crate) timeout: GoDuration,
    /// The prometheus config file
    #[arg(value_name = "CONFIG_FILE")]
    pub(crate) file: PathBuf,
    /// The job to run service discovery for
    pub(crate) job: String,
}

#[derive(Debug)]
pub(crate) struct CheckConfig {
    pub(crate) syntax_only: bool,
    pub(crate) agent: bool,
    pub(crate) rules: CheckRules,
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug)]
pub(crate) struct CheckRules {
    pub(crate) lint: Lint,
    pub(crate) ignore_unknown_fields: bool,
    /// Standard input if empty.
    pub(crate) files: Vec<PathBuf>,
}

impl Check {
    pub(super) fn meaning(self) -> Command {
        match self.command {
            CheckCommand::Config(flags) => Command::CheckConfig(CheckConfig {
                syntax_only: flags.syntax_only,
                agent: flags.agent,
                rules: CheckRules {
                    lint: Lint::of_config(&flags.lint, flags.lint_fatal, self.lookback),
                    ignore_unknown_fields: flags.ignore_unknown_fields,
                    files: Vec::new(),
                },
                files: flags.files,
            }),
            CheckCommand::Rules(flags) => Command::CheckRules(CheckRules {
                lint: Lint::of_rules(&flags.lint, flags.lint_fatal),
                ignore_unknown_fields: flags.ignore_unknown_fields,
                files: flags.files,
            }),
            CheckCommand::Metrics(flags) => Command::CheckMetrics(CheckMetrics {
                extended: flags.extended,
                lint: flags.lint == "all",
            }),
            CheckCommand::WebConfig(check) => Command::CheckWebConfig(check),
            CheckCommand::Healthy(check) => Command::CheckHealthy(check),
            CheckCommand::Ready(check) => Command::CheckReady(check),
            CheckCommand::ServiceDiscovery(check) => Command::CheckDiscovery(check),
        }
    }
}
