//! Flags and commands, for clap.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use config::alertmanager::Features;
use receivers::values::GoDuration;
use url::Url;

use super::{Command, Global, Output};

#[derive(Debug, Parser)]
#[command(
    name = "amtool",
    about = "View and modify the current Alertmanager state.",
    long_about = "View and modify the current Alertmanager state.\n\n\
        Flags that are not given come from $HOME/.config/amtool/config.yml, then from\n\
        /etc/amtool/config.yml: a map of flags to values, such as\n\n  \
        alertmanager.url: http://localhost:9093\n  author: me@example.com\n  output: extended"
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: GlobalFlags,
    #[command(subcommand)]
    pub(super) command: Option<Top>,
}

#[derive(Debug, Args)]
pub(super) struct GlobalFlags {
    /// Format of date output, in Go's layout
    #[arg(long = "date.format", global = true, default_value = "2006-01-02 15:04:05 MST")]
    date_format: String,
    /// Verbose running information
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Alertmanager to talk to
    #[arg(long = "alertmanager.url", global = true, value_parser = parse_url)]
    url: Option<Url>,
    /// Output formatter
    #[arg(short, long, global = true, default_value = "simple", value_parser = ["simple", "extended", "json"])]
    output: String,
    /// Timeout for the executed command
    #[arg(long, global = true, default_value = "30s", value_parser = GoDuration::parse)]
    timeout: GoDuration,
    /// HTTP client configuration file for amtool to connect to Alertmanager
    #[arg(long = "http.config.file", global = true, value_name = "FILENAME")]
    http_config_file: Option<PathBuf>,
    /// Check the version of Alertmanager; --no-version-check does not
    #[arg(long, global = true, default_value = "true")]
    version_check: bool,
    /// Experimental features to enable, with commas between
    #[arg(long, global = true, default_value = "")]
    enable_feature: String,
    /// Show application version
    #[arg(long, global = true)]
    pub(super) version: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Top {
    /// Add and query alerts
    Alert(AlertCommands),
    /// Add, expire or view silences
    Silence(SilenceCommands),
    /// Validate Alertmanager config files and their templates
    CheckConfig {
        /// Files to be validated; standard input if none is given
        files: Vec<PathBuf>,
    },
    /// View cluster status and peers
    Cluster {
        #[command(subcommand)]
        command: Option<ShowOnly>,
    },
    /// View the latest notifications (of Vesta's Alertmanager only)
    History(History),
    /// View the running config, or its routes
    Config {
        #[command(subcommand)]
        command: Option<ConfigCommands>,
    },
    /// Render template files
    Template {
        #[command(subcommand)]
        command: TemplateCommands,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ShowOnly {
    /// The default
    Show,
}

#[derive(Debug, Args)]
#[command(subcommand_negates_reqs = true)]
pub(super) struct AlertCommands {
    #[command(subcommand)]
    command: Option<AlertCommand>,
    #[command(flatten)]
    query: AlertQuery,
}

#[derive(Debug, Subcommand)]
enum AlertCommand {
    /// View and search through current alerts (the default)
    Query(AlertQuery),
    /// Add a new alert
    Add(AlertAdd),
}

#[derive(Debug, Args)]
pub(crate) struct AlertQuery {
    /// Show inhibited alerts
    #[arg(short, long)]
    pub(crate) inhibited: bool,
    /// Show silenced alerts
    #[arg(short, long)]
    pub(crate) silenced: bool,
    /// Show active alerts
    #[arg(short, long)]
    pub(crate) active: bool,
    /// Show unprocessed alerts
    #[arg(short, long)]
    pub(crate) unprocessed: bool,
    /// Show alerts of the receivers that match this regular expression
    #[arg(short, long, default_value = "")]
    pub(crate) receiver: String,
    /// Conditions that alerts must meet; the first may be a bare alertname
    pub(crate) matchers: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct AlertAdd {
    /// URL of the source that generated the alert
    #[arg(long, default_value = "")]
    pub(crate) generator_url: String,
    /// When the alert starts, in RFC 3339
    #[arg(long, default_value = "")]
    pub(crate) start: String,
    /// When the alert ends, in RFC 3339
    #[arg(long, default_value = "")]
    pub(crate) end: String,
    /// Annotations of the alert
    #[arg(long)]
    pub(crate) annotation: Vec<String>,
    /// Labels of the alert; the first may be a bare alertname
    pub(crate) labels: Vec<String>,
}

#[derive(Debug, Args)]
#[command(subcommand_negates_reqs = true)]
pub(super) struct SilenceCommands {
    #[command(subcommand)]
    command: Option<SilenceCommand>,
    #[command(flatten)]
    query: SilenceQuery,
}

#[derive(Debug, Subcommand)]
enum SilenceCommand {
    /// Add a new silence
    Add(SilenceAdd),
    /// Expire silences
    Expire { ids: Vec<String> },
    /// Import silences from a JSON file or standard input
    Import(SilenceImport),
    /// Query silences (the default)
    Query(SilenceQuery),
    /// Extend or change silences
    Update(SilenceUpdate),
}

#[derive(Debug, Args)]
pub(crate) struct SilenceQuery {
    /// Show expired silences instead of active ones
    #[arg(long)]
    pub(crate) expired: bool,
    /// Only show ids
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Show silences of this creator
    #[arg(long, default_value = "")]
    pub(crate) created_by: String,
    /// Show the silence with this id
    #[arg(long, default_value = "")]
    pub(crate) id: String,
    /// Show silences that end, or have ended, within this time
    #[arg(long, default_value = "0s", value_parser = parse_within)]
    pub(crate) within: GoDuration,
    /// Conditions that silences must have; the first may be a bare alertname
    pub(crate) matchers: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SilenceAdd {
    /// Who creates the silence [default: the user's name]
    #[arg(short, long)]
    pub(crate) author: Option<String>,
    #[arg(long, hide = true, default_value = "true")]
    pub(crate) require_comment: bool,
    /// Duration of the silence
    #[arg(short, long, default_value = "1h")]
    pub(crate) duration: String,
    /// When the silence starts, in RFC 3339
    #[arg(long, default_value = "")]
    pub(crate) start: String,
    /// When the silence ends, in RFC 3339; overrides the duration
    #[arg(long, default_value = "")]
    pub(crate) end: String,
    /// Why there is a silence
    #[arg(short, long, default_value = "")]
    pub(crate) comment: String,
    /// Annotations of the silence
    #[arg(long)]
    pub(crate) annotation: Vec<String>,
    /// Conditions that silenced alerts meet; the first may be a bare alertname
    pub(crate) matchers: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SilenceUpdate {
    /// Only show ids
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Duration of the silence, from its start
    #[arg(short, long, default_value = "")]
    pub(crate) duration: String,
    /// When the silence starts, in RFC 3339
    #[arg(long, default_value = "")]
    pub(crate) start: String,
    /// When the silence ends, in RFC 3339; overrides the duration
    #[arg(long, default_value = "")]
    pub(crate) end: String,
    /// Why there is a silence
    #[arg(short, long, default_value = "")]
    pub(crate) comment: String,
    pub(crate) ids: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SilenceImport {
    /// Add new silences even where they exist already
    #[arg(short, long)]
    pub(crate) force: bool,
    /// How many to send at a time
    #[arg(short, long = "worker", default_value = "8")]
    pub(crate) workers: usize,
    /// What `amtool silence query -o json` printed
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    /// Show notifications of the receivers that match this regular expression
    #[arg(short, long, default_value = "")]
    pub(crate) receiver: String,
    /// Show at most so many, the latest first
    #[arg(short, long, default_value = "50")]
    pub(crate) limit: usize,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommands {
    /// The running config (the default)
    Show,
    /// The routes of a config
    Routes(RoutesCommands),
}

#[derive(Debug, Args)]
pub(super) struct RoutesCommands {
    /// Config file to read instead of asking an Alertmanager
    #[arg(long = "config.file", global = true)]
    file: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<RoutesCommand>,
}

#[derive(Debug, Subcommand)]
enum RoutesCommand {
    /// All routes, as a tree (the default)
    Show,
    /// The receivers that labels lead to
    Test {
        /// Fail unless these are the receivers, with commas between
        #[arg(long = "verify.receivers", default_value = "")]
        verify_receivers: String,
        /// Print the routes that match, as a tree
        #[arg(long)]
        tree: bool,
        /// Labels to follow through the routes
        labels: Vec<String>,
    },
}

#[derive(Debug)]
pub(crate) struct RoutesShow {
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug)]
pub(crate) struct RoutesTest {
    pub(crate) file: Option<PathBuf>,
    pub(crate) verify_receivers: String,
    pub(crate) tree: bool,
    pub(crate) labels: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum TemplateCommands {
    /// Render a text with the templates of files
    Render(TemplateRender),
}

#[derive(Debug, Args)]
pub(crate) struct TemplateRender {
    /// Pattern of files with templates
    #[arg(long = "template.glob", required = true)]
    pub(crate) globs: Vec<String>,
    /// The text to render
    #[arg(long = "template.text", required = true)]
    pub(crate) text: String,
    /// How to escape: text or html
    #[arg(long = "template.type", default_value = "text", value_parser = ["html", "text"])]
    pub(crate) kind: String,
    /// File with the data, as JSON [default: a sample]
    #[arg(long = "template.data")]
    pub(crate) data: Option<PathBuf>,
}

fn parse_url(text: &str) -> Result<Url, String> {
    Url::parse(text).map_err(|error| format!("parse {text:?}: {error}"))
}

/// Go's durations may be negative, which means here the same as zero.
fn parse_within(text: &str) -> Result<GoDuration, String> {
    match text.strip_prefix('-') {
        Some(rest) => GoDuration::parse(rest).map(|_| GoDuration::default()),
        None => GoDuration::parse(text),
    }
}

impl GlobalFlags {
    pub(super) fn meaning(&self) -> Result<Global, String> {
        let features = Features::parse(&self.enable_feature)
            .map_err(|reason| format!("error parsing the feature flag list: {reason}"))?;
        let GoDuration(timeout) = self.timeout;
        Ok(Global {
            url: self.url.clone(),
            output: match self.output.as_str() {
                "extended" => Output::Extended,
                "json" => Output::Json,
                _ => Output::Simple,
            },
            timeout,
            http_config_file: self.http_config_file.clone(),
            version_check: self.version_check,
            mode: features.mode,
            date_format: self.date_format.clone(),
        })
    }
}

impl Top {
    /// The command that is meant, defaults of groups filled in.
    pub(super) fn meaning(self) -> Command {
        match self {
            Top::Alert(AlertCommands { command, query }) => match command {
                None => Command::AlertQuery(query),
                Some(AlertCommand::Query(query)) => Command::AlertQuery(query),
                Some(AlertCommand::Add(add)) => Command::AlertAdd(add),
            },
            Top::Silence(SilenceCommands { command, query }) => match command {
                None => Command::SilenceQuery(query),
                Some(SilenceCommand::Query(query)) => Command::SilenceQuery(query),
                Some(SilenceCommand::Add(add)) => Command::SilenceAdd(add),
                Some(SilenceCommand::Expire { ids }) => Command::SilenceExpire(ids),
                Some(SilenceCommand::Import(import)) => Command::SilenceImport(import),
                Some(SilenceCommand::Update(update)) => Command::SilenceUpdate(update),
            },
            Top::CheckConfig { files } => Command::CheckConfig(files),
            Top::History(history) => Command::History(history),
            Top::Cluster { .. } => Command::ClusterShow,
            Top::Config { command: None | Some(ConfigCommands::Show) } => Command::ConfigShow,
            Top::Config { command: Some(ConfigCommands::Routes(routes)) } => {
                let file = routes.file;
                match routes.command {
                    Some(RoutesCommand::Test { verify_receivers, tree, labels }) => {
                        Command::RoutesTest(RoutesTest { file, verify_receivers, tree, labels })
                    }
                    _ => Command::RoutesShow(RoutesShow { file }),
                }
            }
            Top::Template { command: TemplateCommands::Render(render) } => {
                Command::TemplateRender(render)
            }
        }
    }
}
