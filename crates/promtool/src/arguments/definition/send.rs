//! `push …` and `debug …`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use receivers::values::GoDuration;
use url::Url;

use super::{
    Command,
    query::{Header, parse_header, parse_server},
};

#[derive(Debug, Subcommand)]
pub(crate) enum PushCommand {
    /// Push metrics to a prometheus remote write (for testing purpose only)
    Metrics(PushFlags),
}

#[derive(Debug, Args)]
pub(crate) struct PushFlags {
    /// Label to attach to metrics, as name=value; can be specified multiple times
    #[arg(long = "label", default_value = "job=promtool", value_parser = super::parse_pair)]
    labels: Vec<(String, String)>,
    /// The time to wait for pushing metrics
    #[arg(long, default_value = "30s", value_parser = GoDuration::parse)]
    timeout: GoDuration,
    /// Extra headers to send to the server, as name=value; may be repeated
    #[arg(long, value_parser = parse_header)]
    header: Vec<Header>,
    /// Protobuf message to use when writing metrics to the server
    #[arg(long = "protobuf_message", default_value = "prometheus.WriteRequest", value_parser = parse_protocol)]
    protocol: Protocol,
    /// Path of the endpoint, below that of the URL [default: /api/v1/write unless the URL has one]
    #[arg(long = "remote-write.path")]
    path: Option<String>,
    /// Prometheus remote write url to push metrics
    #[arg(value_name = "REMOTE_WRITE_URL", value_parser = parse_server)]
    url: Url,
    /// The metric files to push, default is read from standard input
    #[arg(value_name = "METRIC_FILES")]
    files: Vec<PathBuf>,
}

/// Which of remote write's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    V1,
    V2,
}

#[derive(Debug)]
pub(crate) struct Push {
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) timeout: Duration,
    pub(crate) header: Vec<Header>,
    pub(crate) protocol: Protocol,
    pub(crate) path: Option<String>,
    pub(crate) url: Url,
    pub(crate) files: Vec<PathBuf>,
}

fn parse_protocol(text: &str) -> Result<Protocol, String> {
    match text {
        "prometheus.WriteRequest" => Ok(Protocol::V1),
        "io.prometheus.write.v2.Request" => Ok(Protocol::V2),
        _ => Err(format!(
            "unknown remote write protobuf message {text}, supported: prometheus.WriteRequest, io.prometheus.write.v2.Request"
        )),
    }
}

impl PushCommand {
    pub(super) fn meaning(self) -> Command {
        let PushCommand::Metrics(flags) = self;
        Command::Push(Push {
            labels: flags.labels,
            timeout: flags.timeout.0,
            header: flags.header,
            protocol: flags.protocol,
            path: flags.path,
            url: flags.url,
            files: flags.files,
        })
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum DebugCommand {
    /// Fetch profiling debug information
    Pprof(DebugServer),
    /// Fetch metrics debug information
    Metrics(DebugServer),
    /// Fetch all debug information
    All(DebugServer),
}

#[derive(Debug, Args)]
pub(crate) struct DebugServer {
    /// Prometheus server to get debug files from
    #[arg(value_parser = parse_server)]
    server: Url,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DebugTarget {
    Pprof,
    Metrics,
    All,
}

#[derive(Debug)]
pub(crate) struct Debug {
    pub(crate) target: DebugTarget,
    pub(crate) server: Url,
}

impl DebugCommand {
    pub(super) fn meaning(self) -> Command {
        let (target, flags) = match self {
            DebugCommand::Pprof(flags) => (DebugTarget::Pprof, flags),
            DebugCommand::Metrics(flags) => (DebugTarget::Metrics, flags),
            DebugCommand::All(flags) => (DebugTarget::All, flags),
        };
        Command::Debug(Debug { target, server: flags.server })
    }
}
