//! `tsdb …`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use model::Timestamp;
use receivers::values::GoDuration;
use url::Url;

use super::{Command, query::parse_server};

/// What to do with a data directory.
#[derive(Debug)]
pub(crate) enum Tsdb {
    List(ListBlocks),
    Dump(Dump),
    DumpOpenmetrics(DumpOpenmetrics),
    Analyze(Analyze),
    Openmetrics(ImportOpenmetrics),
    Rules(BackfillRules),
    BenchWrite(BenchWrite),
}

#[derive(Debug, Subcommand)]
pub(crate) enum TsdbCommand {
    /// Run benchmarks
    Bench {
        #[command(subcommand)]
        command: Bench,
    },
    /// Analyze churn, label pair cardinality and compaction efficiency
    Analyze(Analyze),
    /// List tsdb blocks
    List(ListBlocks),
    /// Dump data (series+samples or optionally just series) from a TSDB
    Dump(Dump),
    /// Dump samples from a TSDB into OpenMetrics text format, excluding native histograms and
    /// staleness markers, which are not representable in OpenMetrics
    DumpOpenmetrics(DumpOpenmetrics),
    /// Create blocks from other data
    CreateBlocksFrom(CreateBlocksFrom),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Run a write performance benchmark
    Write(BenchWrite),
}

#[derive(Debug, Args)]
pub(crate) struct BenchWrite {
    /// Set the output path
    #[arg(long, default_value = "benchout")]
    pub(crate) out: PathBuf,
    /// Number of metrics to read
    #[arg(long, default_value = "10000")]
    pub(crate) metrics: usize,
    /// Number of scrapes to simulate
    #[arg(long, default_value = "3000")]
    pub(crate) scrapes: usize,
    /// Input file with samples data, a JSON object of labels a line [default: made up]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Analyze {
    /// How many items to show in each list
    #[arg(long, default_value = "20")]
    pub(crate) limit: usize,
    /// Run extended analysis
    #[arg(long)]
    pub(crate) extended: bool,
    /// Series selector to analyze; only 1 set of matchers is supported now
    #[arg(long = "match")]
    pub(crate) matches: Option<String>,
    /// Database path
    #[arg(default_value = "data/", value_name = "DB_PATH")]
    pub(crate) path: PathBuf,
    /// Block to analyze [default: the last one]
    #[arg(value_name = "BLOCK_ID")]
    pub(crate) block: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ListBlocks {
    /// Print human readable values
    #[arg(short = 'r', long)]
    pub(crate) human_readable: bool,
    /// Database path
    #[arg(default_value = "data/", value_name = "DB_PATH")]
    pub(crate) path: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Dump {
    #[command(flatten)]
    pub(crate) what: DumpOpenmetrics,
    /// Output format of the dump: prom (a sample a line) or seriesjson (the labels only)
    #[arg(long, default_value = "prom")]
    pub(crate) format: DumpFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum DumpFormat {
    Prom,
    Seriesjson,
}

#[derive(Debug, Args)]
pub(crate) struct DumpOpenmetrics {
    /// Directory below which the log is copied before it is read; the copy is removed at the end
    /// [default: the database path]
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) sandbox_dir_root: Option<PathBuf>,
    /// Minimum timestamp to dump, in milliseconds since the Unix epoch
    #[arg(long, default_value = "-9223372036854775808", allow_hyphen_values = true)]
    pub(crate) min_time: i64,
    /// Maximum timestamp to dump, in milliseconds since the Unix epoch
    #[arg(long, default_value = "9223372036854775807", allow_hyphen_values = true)]
    pub(crate) max_time: i64,
    /// Series selector; can be specified multiple times
    #[arg(long = "match", default_value = "{__name__=~'(?s:.*)'}")]
    pub(crate) matches: Vec<String>,
    /// Database path
    #[arg(default_value = "data/", value_name = "DB_PATH")]
    pub(crate) path: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CreateBlocksFrom {
    /// Print human readable values
    #[arg(short = 'r', long, global = true)]
    human_readable: bool,
    /// Do not print created blocks
    #[arg(short, long, global = true)]
    quiet: bool,
    /// The largest block to make
    #[arg(long, global = true, hide = true, default_value = "2h", value_parser = model::duration::parse)]
    max_block_duration: Duration,
    #[command(subcommand)]
    command: CreateCommand,
}

#[derive(Debug, Subcommand)]
enum CreateCommand {
    /// Import samples from OpenMetrics input and produce TSDB blocks
    #[command(after_help = "Every sample needs a timestamp, and the text ends with \"# EOF\". \
        Blocks that lie in the past are found by the server when it looks at its directory again.")]
    Openmetrics(OpenmetricsFlags),
    /// Create blocks of data for new recording rules
    #[command(after_help = "The rules are evaluated by a server that has the data, over its API. \
        Alerting rules are left out, and rules that build on new rules do not see them.")]
    Rules(RulesFlags),
}

#[derive(Debug, Args)]
struct OpenmetricsFlags {
    /// Label to attach to metrics, as name=value; can be specified multiple times
    #[arg(long = "label", value_parser = super::parse_pair)]
    labels: Vec<(String, String)>,
    /// OpenMetrics file to read samples from
    #[arg(value_name = "INPUT_FILE")]
    file: PathBuf,
    /// Output directory for generated blocks
    #[arg(default_value = "data/", value_name = "OUTPUT_DIRECTORY")]
    output: PathBuf,
}

#[derive(Debug)]
pub(crate) struct ImportOpenmetrics {
    pub(crate) human_readable: bool,
    pub(crate) quiet: bool,
    pub(crate) max_block_duration: Duration,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) file: PathBuf,
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
struct RulesFlags {
    /// The URL for the Prometheus API with the data where the rule will be backfilled from
    #[arg(long, default_value = "http://localhost:9090", value_parser = parse_server)]
    url: Url,
    /// The time to start backfilling the new rule from (RFC3339 or Unix timestamp)
    #[arg(long, required = true, value_parser = crate::time::parse, allow_hyphen_values = true)]
    start: Timestamp,
    /// The end of backfilling (RFC3339 or Unix timestamp) [default: three hours ago]
    #[arg(long, value_parser = crate::time::parse, allow_hyphen_values = true)]
    end: Option<Timestamp>,
    /// Output directory for generated blocks
    #[arg(long, default_value = "data/")]
    output_dir: PathBuf,
    /// How frequently to evaluate rules that name no interval
    #[arg(long, default_value = "60s", value_parser = GoDuration::parse)]
    eval_interval: GoDuration,
    /// A list of one or more files containing recording rules to be backfilled
    #[arg(required = true, value_name = "RULE_FILES")]
    files: Vec<PathBuf>,
}

#[derive(Debug)]
pub(crate) struct BackfillRules {
    pub(crate) url: Url,
    pub(crate) start: Timestamp,
    pub(crate) end: Option<Timestamp>,
    pub(crate) output: PathBuf,
    pub(crate) eval_interval: Duration,
    pub(crate) max_block_duration: Duration,
    pub(crate) files: Vec<PathBuf>,
}

impl TsdbCommand {
    pub(super) fn meaning(self) -> Command {
        Command::Tsdb(match self {
            TsdbCommand::Bench { command: Bench::Write(bench) } => Tsdb::BenchWrite(bench),
            TsdbCommand::Analyze(analyze) => Tsdb::Analyze(analyze),
            TsdbCommand::List(list) => Tsdb::List(list),
            TsdbCommand::Dump(dump) => Tsdb::Dump(dump),
            TsdbCommand::DumpOpenmetrics(dump) => Tsdb::DumpOpenmetrics(dump),
            TsdbCommand::CreateBlocksFrom(create) => create.meaning(),
        })
    }
}

impl CreateBlocksFrom {
    fn meaning(self) -> Tsdb {
        let max_block_duration = self.max_block_duration;
        match self.command {
            CreateCommand::Openmetrics(flags) => Tsdb::Openmetrics(ImportOpenmetrics {
                human_readable: self.human_readable,
                quiet: self.quiet,
                max_block_duration,
                labels: flags.labels,
                file: flags.file,
                output: flags.output,
            }),
            CreateCommand::Rules(flags) => Tsdb::Rules(BackfillRules {
                url: flags.url,
                start: flags.start,
                end: flags.end,
                output: flags.output_dir,
                eval_interval: flags.eval_interval.0,
                max_block_duration,
                files: flags.files,
            }),
        }
    }
}
