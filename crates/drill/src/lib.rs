//! Does this topology keep its promises? Faults in; losses, doubles and differences counted.
//!
//! Starts the real programs on loopback and lets them scrape targets of its own, whose every value
//! is known ([`truth`]). A seed decides what goes wrong and when ([`scenario`]); links between
//! members, and to the remote end, go through small proxies that can be cut ([`proxy`]). When all is
//! quiet again everything is read back and counted ([`ledger`], [`outcome`]). What decides is pure;
//! [`world`] has the processes and sockets, [`conduct`] the loop. Start at [`run`].

mod conduct;
mod disks;
mod failover;
mod ledger;
mod links;
mod members;
mod notices;
mod options;
mod outcome;
mod owner;
mod page;
mod parts;
mod proxy;
mod reading;
mod scenario;
mod standin;
mod table;
mod targets;
mod topology;
mod truth;
mod vrrp;
mod world;

use std::path::Path;

use anyhow::Context as _;
use futures_util::{StreamExt as _, stream};
use runtime::Runtime;
use tokio_util::sync::CancellationToken;

pub use members::compare_members;
pub use options::{Options, Remote, Topology};
use outcome::Outcome;
use topology::Setup;

/// Drills; true where every promise was kept. What there is to say goes to `say`.
pub async fn run(
    runtime: Runtime,
    stop: CancellationToken,
    options: Options,
    say: impl Fn(&str),
) -> anyhow::Result<bool> {
    let folder = tempfile::Builder::new().prefix("vesta-drill-").tempdir()?;
    say(&preamble(&options, folder.path()));
    let outcome = drill_all(&runtime, &stop, &options, folder.path(), &say).await;
    if options.keep {
        say(&format!("Everything is in {}", folder.keep().display()));
    }
    outcome
}

async fn drill_all(
    runtime: &Runtime,
    stop: &CancellationToken,
    options: &Options,
    folder: &Path,
    say: &impl Fn(&str),
) -> anyhow::Result<bool> {
    let mut topologies = vec![options.topology];
    if options.compare {
        topologies.push(Topology::UpstreamKeepalived);
    }
    let mut all = Vec::new();
    for topology in topologies {
        let setup = setup(options, topology)?;
        let name = describe(&setup);
        say(&format!("\n{name}"));
        let outcomes = drill(runtime, stop, options, &setup, folder, say).await?;
        say(&format!(
            "\n{}{}",
            table::of_promises(&outcome::promises(&outcomes)),
            table::notes(&outcomes)
        ));
        all.push((name, outcomes));
    }
    if let [left, right] = &all[..] {
        say(&table::side_by_side(
            (title(options.topology), &left.1),
            ("two Prometheus, keepalived", &right.1),
        ));
    }
    if let Some(path) = &options.report {
        let write = runtime.disk.write_atomically(path, page::page(&all).as_bytes());
        write.with_context(|| format!("write {}", path.display()))?;
        say(&format!("The time lines are in {}", path.display()));
    }
    let are_all_there = all[0].1.len() as u64 == options.seeds.clone().count() as u64;
    Ok(are_all_there && outcome::are_kept(&all[0].1))
}

/// All seeds of one topology. They run on this thread: the kernel ends a child with its parent's
/// thread.
async fn drill(
    runtime: &Runtime,
    stop: &CancellationToken,
    options: &Options,
    setup: &Setup,
    folder: &Path,
    say: &impl Fn(&str),
) -> anyhow::Result<Vec<Outcome>> {
    let histories = stream::iter(options.seeds.clone()).map(|seed| async move {
        let folder = folder.join(format!("{}-{seed}", title(setup.topology).replace(' ', "-")));
        let outcome = conduct::run(runtime, stop, options, setup, seed, &folder).await;
        outcome.with_context(|| format!("seed {seed}"))
    });
    let mut histories = std::pin::pin!(histories.buffer_unordered(options.at_once.max(1)));
    let mut outcomes = Vec::new();
    while let Some(outcome) = histories.next().await {
        let outcome = outcome?;
        say(&table::of_seed(&outcome));
        outcomes.push(outcome);
        if stop.is_cancelled() {
            break;
        }
    }
    outcomes.sort_by_key(|outcome| outcome.seed);
    Ok(outcomes)
}

fn setup(options: &Options, topology: Topology) -> anyhow::Result<Setup> {
    let is_root = rustix::process::geteuid().is_root();
    Ok(Setup {
        topology,
        remote: options.remote,
        n_alertmanagers: options.n_alertmanagers,
        vesta: std::env::current_exe().context("find the program itself")?,
        prometheus: parts::find_program("prometheus"),
        victoria_metrics: parts::find_program("victoria-metrics"),
        server_flags: options.server_flags.clone(),
        can_name_hosts: is_root && parts::find_program("unshare").is_some(),
    })
}

fn title(topology: Topology) -> &'static str {
    match topology {
        Topology::Pair => "pair",
        Topology::PlainPair => "plain pair",
        Topology::Three => "three",
        Topology::UpstreamKeepalived => "upstream keepalived",
    }
}

fn describe(setup: &Setup) -> String {
    let members = match (setup.topology, setup.is_cluster()) {
        (Topology::Pair, true) => "Two servers that act as one",
        (Topology::Pair, false) => "Two plain servers (this program has no cluster flags)",
        (Topology::PlainPair, _) => "Two servers that know nothing of each other",
        (Topology::Three, true) => "Three servers that act as one, each target on two of them",
        (Topology::Three, false) => "Three plain servers (this program has no cluster flags)",
        (Topology::UpstreamKeepalived, _) => {
            "Two Prometheus of which keepalived lets one run (a stand-in speaks VRRP)"
        }
    };
    let remote = match setup.remote {
        Remote::Vesta => "; remote end: vesta server",
        Remote::Prometheus => "; remote end: prometheus",
        Remote::VictoriaMetrics => "; remote end: victoria-metrics",
        Remote::None => "",
    };
    let alertmanagers = match setup.n_alertmanagers {
        1 => "one Alertmanager".to_owned(),
        n => format!("{n} Alertmanagers"),
    };
    format!("{members}{remote}; {alertmanagers}")
}

fn preamble(options: &Options, folder: &Path) -> String {
    let disks = match options.fill_disks {
        true => "",
        false => "Disks are not filled (--fill-disks, as root). ",
    };
    let (first, last) = (options.seeds.start(), options.seeds.end());
    format!(
        "Seeds {first} to {last}, {} s of faults each, in {}.\n{disks}Clocks are not set \
         wrong here: that is a matter of the simulation.",
        options.duration.as_secs(),
        folder.display()
    )
}
