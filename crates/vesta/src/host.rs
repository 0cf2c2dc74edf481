//! `vesta host`: metrics of this machine on `:9100`, under node_exporter's names.

mod collectors;
mod page;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use runtime::{Clock, Runtime};
use telemetry::{Family, Kind, Registry};
use tracing::warn;

use crate::exporter;

/// Serves the metrics of this machine, node_exporter's way.
#[derive(clap::Parser)]
#[command(
    name = "host",
    after_help = "Scrape it as you would scrape node_exporter:\n  - job_name: node\n    static_configs:\n      - targets: [localhost:9100]"
)]
struct Arguments {
    /// Address to listen on; repeatable.
    #[arg(long = "web.listen-address", default_value = ":9100", value_name = "ADDRESS")]
    listen_addresses: Vec<String>,
}

pub(crate) fn main(args: &[String]) -> ExitCode {
    let arguments = match crate::commands::parse::<Arguments>("vesta host", args) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    exporter::main(&arguments.listen_addresses, |runtime, registry| {
        register(&runtime, registry);
        axum::Router::new()
    })
}

fn register(runtime: &Runtime, registry: &Registry) {
    let clock = runtime.clock.clone();
    registry.collect(move |families| collect(&*clock, families));
}

fn collect(clock: &dyn Clock, families: &mut Vec<Family>) {
    let mut page = page::Page::default();
    for collector in collectors::COLLECTORS {
        let started = clock.monotonic();
        let outcome = (collector.collect)(&mut page, clock.now());
        if let Err(error) = &outcome {
            warn!(collector = collector.name, %error, "collector failed");
        }
        let labels = [("collector", collector.name)];
        let took = clock.monotonic().saturating_sub(started).as_secs_f64();
        let success = f64::from(u8::from(outcome.is_ok()));
        page.gauge(
            "node_scrape_collector_duration_seconds",
            "How long a collector took.",
            &labels,
            took,
        );
        page.gauge(
            "node_scrape_collector_success",
            "Whether a collector succeeded.",
            &labels,
            success,
        );
    }
    families.extend(page.families);
    let build = Family::new("node_exporter_build_info", "What serves these metrics.", Kind::Gauge);
    families.push(build.with(&[("version", env!("CARGO_PKG_VERSION")), ("program", "vesta")], 1.0));
}
