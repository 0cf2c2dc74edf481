//! `vesta drill`: proves the high availability of a topology, by hurting it.

use std::{ops::RangeInclusive, path::PathBuf, process::ExitCode, time::Duration};

use ::drill::{Options, Remote, Topology};
use anyhow::bail;
use runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::{
    commands,
    flags::{Status, server::FLAGS},
};

/// Starts a topology on loopback, lets it scrape targets whose every value is known, does to it
/// what happens in the night (kill -9, pauses, restarts, hand-overs, cut links, a remote end that
/// stands still, slow targets), waits until all is quiet, and counts: samples lost, doubled or
/// different between members; notifications lost or doubled; seconds until the next writer wrote.
/// Succeeds only where every promise was kept.
#[derive(clap::Parser)]
#[command(name = "drill", after_help = EXAMPLES)]
struct Arguments {
    /// What to hurt: a pair that acts as one; two servers that know nothing of each other; three
    /// servers, each target on two of them; or the usual recipe of two Prometheus of which keepalived
    /// lets one run.
    #[arg(long, value_enum, default_value = "pair", value_name = "NAME")]
    topology: TopologyName,

    /// Where the one writer writes to: upstream's programs must be installed.
    #[arg(long, value_enum, default_value = "vesta", value_name = "NAME")]
    remote: RemoteName,

    /// How many Alertmanagers: 1, which is never hurt, or 3.
    #[arg(long, default_value_t = 1, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..=3))]
    alertmanagers: u8,

    /// Which history of faults.
    #[arg(long, default_value_t = 1, value_name = "N", conflicts_with = "seeds")]
    seed: u64,

    /// Many histories, each on a fresh topology.
    #[arg(long, value_name = "N..M", value_parser = parse_seeds)]
    seeds: Option<RangeInclusive<u64>>,

    /// How many of them at the same time.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    at_once: usize,

    /// How long there are faults; with --members, how far back to compare.
    #[arg(long, default_value = "90s", value_name = "DURATION", value_parser = parse_duration)]
    duration: Duration,

    /// How long a cluster may take to be whole again after the last fault.
    #[arg(long, default_value = "4m", value_name = "DURATION", value_parser = parse_duration)]
    settle: Duration,

    /// Members' disks are full at times, too: each is a small tmpfs, which needs root.
    #[arg(long)]
    fill_disks: bool,

    /// Hurts the usual recipe (two Prometheus, keepalived) as well, and shows both side by side.
    #[arg(long)]
    compare: bool,

    /// Writes a page with the table and a time line for each seed.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Leaves the folder with configuration, data and logs.
    #[arg(long)]
    keep: bool,

    /// Compares members that are running already, and hurts nobody.
    #[arg(long, value_name = "URL,…", value_delimiter = ',')]
    members: Vec<String>,

    /// With --members: what to compare.
    #[arg(long, default_value = "{__name__!=\"\"}", value_name = "SELECTOR")]
    query: String,
}

const EXAMPLES: &str = "\
Try it:
  vesta drill                                             # a pair, a minute and a half of faults
  vesta drill --topology three --seeds 1..5 --report drill.html
  vesta drill --remote victoria-metrics --alertmanagers 3
  vesta drill --compare                                   # beside two Prometheus and keepalived
  vesta drill --members http://a:9090,http://b:9090 --duration 10m

How to read the table: EXPECTED is what targets, rules and alerts owe for the time of the drill.
LOST has no sample in its slot, DOUBLED more than one, WRONG a value that no target said, DIFFERENT
is not the same on all members. SECONDS is the slowest: until another server wrote, at most 5 after
a crash and 1 after a planned stop. A second notification is counted, but breaks no promise.

A seed is a history: the same seed hurts in the same order. Everything runs on loopback, from a
folder of its own, and is gone afterwards.";

#[derive(Clone, Copy, clap::ValueEnum)]
enum TopologyName {
    Pair,
    PlainPair,
    Three,
    UpstreamKeepalived,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum RemoteName {
    Vesta,
    Prometheus,
    VictoriaMetrics,
    None,
}

pub(crate) fn main(args: &[String]) -> ExitCode {
    let arguments = match commands::parse::<Arguments>("vesta drill", args) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    commands::run(|runtime, stop| run(runtime, stop, arguments))
}

async fn run(
    runtime: Runtime,
    stop: CancellationToken,
    arguments: Arguments,
) -> anyhow::Result<()> {
    let say = |text: &str| commands::say(&format!("{text}\n"));
    let are_kept = match arguments.members.is_empty() {
        false => {
            let Arguments { members, query, duration, .. } = arguments;
            ::drill::compare_members(runtime, &members, &query, duration, say).await?
        }
        true => ::drill::run(runtime, stop, to_options(arguments), say).await?,
    };
    match are_kept {
        true => Ok(()),
        false => bail!("not every promise was kept"),
    }
}

fn to_options(arguments: Arguments) -> Options {
    let one = arguments.seed..=arguments.seed;
    Options {
        topology: match arguments.topology {
            TopologyName::Pair => Topology::Pair,
            TopologyName::PlainPair => Topology::PlainPair,
            TopologyName::Three => Topology::Three,
            TopologyName::UpstreamKeepalived => Topology::UpstreamKeepalived,
        },
        remote: match arguments.remote {
            RemoteName::Vesta => Remote::Vesta,
            RemoteName::Prometheus => Remote::Prometheus,
            RemoteName::VictoriaMetrics => Remote::VictoriaMetrics,
            RemoteName::None => Remote::None,
        },
        n_alertmanagers: arguments.alertmanagers.into(),
        seeds: arguments.seeds.unwrap_or(one),
        duration: arguments.duration,
        settle: arguments.settle,
        at_once: arguments.at_once,
        fill_disks: arguments.fill_disks,
        keep: arguments.keep,
        report: arguments.report,
        compare: arguments.compare,
        server_flags: FLAGS
            .iter()
            .filter(|flag| flag.status == Status::Works)
            .map(|flag| flag.name.to_owned())
            .collect(),
    }
}

fn parse_seeds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("it must look like 1..50")?;
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("{text:?} is no number"));
    let (from, to) = (number(from)?, number(to.trim_start_matches('='))?);
    match from <= to {
        true => Ok(from..=to),
        false => Err("it must not end before it begins".to_owned()),
    }
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    model::duration::parse(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::parse_seeds;

    #[test]
    fn seeds_are_a_range_with_its_end() {
        assert_eq!(parse_seeds("1..50"), Ok(1..=50));
        assert_eq!(parse_seeds("3..=3"), Ok(3..=3));
        assert!(parse_seeds("5").is_err());
        assert!(parse_seeds("5..4").is_err());
        assert!(parse_seeds("a..4").is_err());
    }
}
