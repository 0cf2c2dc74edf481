//! `query …`.

use clap::{Args, Subcommand};
use model::Timestamp;
use receivers::values::GoDuration;
use url::Url;

#[derive(Debug, Args)]
pub(crate) struct Query {
    /// Output format of the query: promql or json
    #[arg(short = 'o', long, global = true, default_value = "promql")]
    pub(crate) format: Output,
    /// Extra headers to send to the server, as name=value; may be repeated
    #[arg(long, global = true, value_parser = parse_header)]
    pub(crate) header: Vec<Header>,
    #[command(subcommand)]
    pub(crate) command: QueryCommand,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Output {
    /// As the expression browser of old showed it
    Promql,
    /// The data of the server's answer
    Json,
}

/// A header's name and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header(pub(crate) String, pub(crate) String);

#[derive(Debug, Subcommand)]
pub(crate) enum QueryCommand {
    /// Run instant query
    Instant(Instant),
    /// Run range query
    Range(Range),
    /// Run series query
    Series(Series),
    /// Run labels query
    Labels(LabelValues),
    /// Run queries against your Prometheus to analyze the usage pattern of certain metrics
    Analyze(AnalyzeQuery),
}

#[derive(Debug, Args)]
pub(crate) struct Instant {
    /// Query evaluation time (RFC3339 or Unix timestamp) [default: now]
    #[arg(long, value_parser = crate::time::parse, allow_hyphen_values = true)]
    pub(crate) time: Option<Timestamp>,
    /// Prometheus server to query
    #[arg(value_parser = parse_server)]
    pub(crate) server: Url,
    /// PromQL query expression
    pub(crate) expr: String,
}

#[derive(Debug, Args)]
pub(crate) struct Range {
    /// Query range start time (RFC3339 or Unix timestamp) [default: five minutes before the end]
    #[arg(long, value_parser = crate::time::parse, allow_hyphen_values = true)]
    pub(crate) start: Option<Timestamp>,
    /// Query range end time (RFC3339 or Unix timestamp) [default: now]
    #[arg(long, value_parser = crate::time::parse, allow_hyphen_values = true)]
    pub(crate) end: Option<Timestamp>,
    /// Query step size (duration) [default: a 250th of the range, at least a second]
    #[arg(long, value_parser = GoDuration::parse)]
    pub(crate) step: Option<GoDuration>,
    /// Prometheus server to query
    #[arg(value_parser = parse_server)]
    pub(crate) server: Url,
    /// PromQL query expression
    pub(crate) expr: String,
}

#[derive(Debug, Args)]
pub(crate) struct Series {
    /// Series selector; can be specified multiple times
    #[arg(long = "match", required = true)]
    pub(crate) matches: Vec<String>,
    /// Start time (RFC3339 or Unix timestamp)
    #[arg(long, value_parser = crate::time::parse, allow_hyphen_values = true)]
    pub(crate) start: Option<Timestamp>,
    /// End time (RFC3339 or Unix timestamp)
    #[arg(long, value_parser = crate::time::parse, allow_hyphen_values = true)]
    pub(crate) end: Option<Timestamp>,
    /// Prometheus server to query
    #[arg(value_parser = parse_server)]
    pub(crate) server: Url,
}

#[derive(Debug, Args)]
pub(crate) struct LabelValues {
    /// Start time (RFC3339 or Unix timestamp)
    #[arg(long, value_parser = crate::time::parse, allow_hyphen_values = true)]
    pub(crate) start: Option<Timestamp>,
    /// End time (RFC3339 or Unix timestamp)
    #[arg(long, value_parser = crate::time::parse, allow_hyphen_values = true)]
    pub(crate) end: Option<Timestamp>,
    /// Series selector; can be specified multiple times
    #[arg(long = "match")]
    pub(crate) matches: Vec<String>,
    /// Prometheus server to query
    #[arg(value_parser = parse_server)]
    pub(crate) server: Url,
    /// Label name to provide label values for
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct AnalyzeQuery {
    /// Prometheus server to query
    #[arg(long, required = true, value_parser = parse_server)]
    pub(crate) server: Url,
    /// Type of metric: histogram
    #[arg(long = "type", required = true)]
    pub(crate) kind: String,
    /// Time frame to analyze
    #[arg(long, default_value = "1h", value_parser = model::duration::parse)]
    pub(crate) duration: std::time::Duration,
    /// Query time (RFC3339 or Unix timestamp) [default: now]
    #[arg(long, value_parser = crate::time::parse, allow_hyphen_values = true)]
    pub(crate) time: Option<Timestamp>,
    /// Series selector; can be specified multiple times
    #[arg(long = "match", required = true)]
    pub(crate) matches: Vec<String>,
}

/// Reads a URL; one without a scheme is of HTTP.
pub(super) fn parse_server(text: &str) -> Result<Url, String> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&whole).map_err(|error| format!("parse {text:?}: {error}"))?;
    if url.cannot_be_a_base() || !url.has_host() {
        return Err(format!("parse {text:?}: no host"));
    }
    Ok(url)
}

pub(super) fn parse_header(text: &str) -> Result<Header, String> {
    match text.split_once(['=', ':']) {
        Some((name, value)) => Ok(Header(name.trim().to_owned(), value.trim().to_owned())),
        None => Err(format!("expected KEY=VALUE got '{text}'")),
    }
}
