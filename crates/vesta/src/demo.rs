//! `vesta demo`: the whole topology on loopback, with something real to watch.
//!
//! Every part is a process of its own, so that each can be killed and looked at. The configuration
//! files, data and logs stay in one folder.

mod children;
mod notification;
mod plan;
#[cfg(test)]
mod tests;
mod wishes;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, bail};
use runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::commands;
use children::Children;
pub(crate) use children::PARENT_VARIABLE;

/// Starts, on loopback: two servers that act as one and of which one writes to a remote storage (the
/// pair: business metrics), a server for the system's metrics, one that federates from both shards,
/// three Alertmanagers, a webhook, host metrics, and a shop whose till jams for a minute every five
/// minutes. Shows each notification as it arrives, and who writes. Ctrl-C stops everything.
#[derive(clap::Parser)]
#[command(name = "demo")]
struct Arguments {
    /// First of the ports to listen on; the others are up to 17 above.
    #[arg(long, default_value_t = 19090, value_name = "PORT")]
    port_base: u16,

    /// Folder for configuration, data and logs; it is kept, and the next demo goes on with it.
    #[arg(long, global = true, default_value = "demo-data", value_name = "FOLDER")]
    data: PathBuf,

    #[command(subcommand)]
    wish: Option<wishes::Wish>,
}

/// How long the parts may take to start.
const START_LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn main(args: &[String]) -> ExitCode {
    let arguments = match commands::parse::<Arguments>("vesta demo", args) {
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
    if let Some(wish) = &arguments.wish {
        say(&wishes::fulfil(&runtime, &arguments.data, wish)?);
        return Ok(());
    }
    let processes = plan::processes(&arguments.data, arguments.port_base);
    ensure_ports_are_free(&runtime, &processes).await?;
    write_files(&runtime, &arguments)?;
    say("starting …");
    let mut children = Children::start(&runtime, &processes, &arguments.data)?;
    let mut outcome = tokio::select! {
        ready = children.wait_until_ready(&runtime, START_LIMIT) => ready,
        () = stop.cancelled() => Ok(()),
    };
    if outcome.is_ok() && !stop.is_cancelled() {
        say(&table(&processes, &children));
        say(&what_to_try(&processes, &arguments.data));
        outcome = children.show_notifications_until(&runtime, stop).await;
        say("\nstopping …");
    }
    children.stop(&runtime).await;
    outcome
}

/// Who else listens there would be scraped in our place.
async fn ensure_ports_are_free(
    runtime: &Runtime,
    processes: &[plan::Process],
) -> anyhow::Result<()> {
    for process in processes {
        let address = &process.address;
        if let Err(error) = runtime.network.listen(address).await {
            bail!("{address}, for {}: {error}; choose other ports with --port-base", process.name);
        }
    }
    Ok(())
}

fn write_files(runtime: &Runtime, arguments: &Arguments) -> anyhow::Result<()> {
    let disk = &*runtime.disk;
    let create = |path: &Path| {
        disk.create_directories(path).with_context(|| format!("create {}", path.display()))
    };
    create(&arguments.data.join("logs"))?;
    for (path, text) in plan::files(&arguments.data, arguments.port_base) {
        disk.write_atomically(&path, text.as_bytes())
            .with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

fn table(processes: &[plan::Process], children: &Children) -> String {
    let mut out = format!("\n{:<16}{:<26}{:>8}  {}\n", "WHAT", "WHERE", "PID", "WHAT FOR");
    for process in processes {
        let pid = children.pid(process.name).map_or("-".to_owned(), |pid| pid.to_string());
        let url = format!("http://{}", process.address);
        out.push_str(&format!("{:<16}{url:<26}{pid:>8}  {}\n", process.name, process.purpose));
    }
    out
}

fn what_to_try(processes: &[plan::Process], folder: &Path) -> String {
    let address = |name| {
        let process = processes.iter().find(|process| process.name == name);
        process.map_or("", |process| process.address.as_str())
    };
    let (a, b) = (address("server-a"), address("server-b"));
    let (c, store) = (address("server-c"), address("store"));
    let alertmanager = address("alertmanager-b");
    format!(
        "Look, in a browser: http://{a}/ (server) and http://{alertmanager}/ (Alertmanager)

Try, in another terminal:
  curl -s 'http://{a}/api/v1/query?query=path:shop_errors:ratio30s'
  curl -s 'http://{c}/api/v1/query?query=sum+by+(mode)+(rate(node_cpu_seconds_total[1m]))'
  curl -s 'http://{store}/api/v1/query?query=count+by+(shard)+({{__name__!=\"\"}})'
  vesta amtool --alertmanager.url=http://{alertmanager} alert query
  vesta amtool --alertmanager.url=http://{alertmanager} cluster show

Kill something:
  vesta demo kill server-a          # the other one writes within seconds, nothing else stops
  vesta demo start server-a         # it fetches what it missed; a minute later:
  vesta drill --members http://{a},http://{b} --duration 5m
  vesta demo kill alertmanager-a    # the first in line is gone: the others notify, and nobody twice

Configuration, data and logs are in {}. Grafana: add a Prometheus data source, http://{a}
The shop's till jams now and then; the first notification comes within a minute. Ctrl-C stops.

NOTIFICATIONS",
        folder.display()
    )
}

#[expect(clippy::print_stdout, reason = "the demo talks to people")]
fn say(text: &str) {
    println!("{text}");
}
