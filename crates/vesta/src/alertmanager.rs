//! `vesta alertmanager`, or `alertmanager`: reads the command line, then hands over to `node`.

#[cfg(test)]
mod tests;

use std::{process::ExitCode, time::Duration};

use node::{GossipOptions, alertmanager::Options, build, external_url};

use crate::{
    cluster, commands,
    flags::{self, Stop, Values, alertmanager::FLAGS},
};

const ABOUT: &str = "Groups alerts, silences and inhibits them, and notifies receivers: a drop-in \
    for the Alertmanager, with its flags, files and API.";

const EXAMPLES: &str = "\
Try it:
  vesta alertmanager --config.file=alertmanager.yml --storage.path=data/
  vesta amtool --alertmanager.url=http://localhost:9093 alert add test severity=page";

pub(crate) fn main(args: &[String]) -> ExitCode {
    let command = clap::Command::new("alertmanager")
        .about(ABOUT)
        .after_help(EXAMPLES)
        .long_version(build::describe("alertmanager", build::ALERTMANAGER));
    let values = match flags::parse(command, FLAGS, args) {
        Ok(values) => values,
        Err(stop) => return commands::explain("alertmanager", stop),
    };
    if let Err(code) = commands::start_logs(&values) {
        return code;
    }
    commands::warn_of_flags_without_effect(&values, FLAGS);
    let options = match to_options(&values) {
        Ok(options) => options,
        Err(stop) => return commands::explain("alertmanager", stop),
    };
    // Upstream's Alertmanager ends with 1 whatever is wrong.
    commands::run_node(|_| 1, |runtime, signals| node::alertmanager::run(options, runtime, signals))
}

/// Turns what was typed into what is meant; an error names the flag.
fn to_options(values: &Values) -> Result<Options, Stop> {
    let intervals = [
        "data.retention",
        "data.maintenance-interval",
        "alerts.gc-interval",
        "dispatch.maintenance-interval",
    ];
    for flag in intervals {
        if values.duration(flag) == Duration::ZERO {
            return Err(Stop::Error(format!("--{flag}: it must be greater than zero")));
        }
    }
    let addresses = listen_addresses(values)?;
    let first_address = values.list("web.listen-address").first().map_or("", String::as_str);
    let given_url = values.text("web.external-url");
    let external_url = external_url::compute(given_url, first_address, &commands::host_name())
        .map_err(|reason| Stop::Error(format!("--web.external-url: {reason}")))?;
    // Upstream reads zero and less as "no limit".
    let limit = |flag| usize::try_from(values.int(flag)).ok().filter(|limit| *limit > 0);
    let timeout = values.duration("web.timeout");
    Ok(Options {
        config_file: values.path("config.file"),
        storage_directory: values.path("storage.path"),
        retention: values.duration("data.retention"),
        maintenance_interval: values.duration("data.maintenance-interval"),
        silences_max: limit("silences.max-silences"),
        silence_bytes_max: limit("silences.max-silence-size-bytes"),
        log_silences: values.is_set("log.silences"),
        alerts_gc_interval: values.duration("alerts.gc-interval"),
        alerts_per_name_max: limit("alerts.per-alertname-limit"),
        dispatch_start_delay: values.duration("dispatch.start-delay"),
        listen_addresses: addresses,
        route_prefix: external_url::route_prefix(values.text("web.route-prefix"), &external_url),
        external_url,
        get_concurrency: limit("web.get-concurrency"),
        web_config_file: Some(values.path("web.config.file"))
            .filter(|path| !path.as_os_str().is_empty()),
        request_timeout: (!timeout.is_zero()).then_some(timeout),
        peer_timeout: values.duration("cluster.peer-timeout"),
        cluster: cluster_options(values)?,
        cluster_tls_file: Some(values.path("cluster.tls-config"))
            .filter(|path| !path.as_os_str().is_empty()),
        keeps_alerts: values.is_set("vesta.keep-alerts"),
        claims: values.is_set("vesta.claims"),
        history_len: limit("vesta.history-length").unwrap_or_default(),
        features: values.text("enable-feature").to_owned(),
    })
}

/// What was handed over, if that is wished, instead of what the flag says.
fn listen_addresses(values: &Values) -> Result<Vec<String>, Stop> {
    if !values.is_set("web.systemd-socket") {
        return Ok(values.list("web.listen-address").to_vec());
    }
    let addresses = runtime::network::inherited_addresses();
    match addresses.is_empty() {
        true => {
            let reason = "no socket activation file descriptors found";
            Err(Stop::Error(format!("--web.systemd-socket: {reason}")))
        }
        false => Ok(addresses),
    }
}

/// Nothing if there is to be no cluster.
fn cluster_options(values: &Values) -> Result<Option<GossipOptions>, Stop> {
    let Some(options) = cluster::gossip_options(values)? else { return Ok(None) };
    if values.duration("cluster.peer-timeout") == Duration::ZERO {
        return Err(Stop::Error("--cluster.peer-timeout: it must be greater than zero".to_owned()));
    }
    Ok(Some(GossipOptions { name: values.text("cluster.peer-name").to_owned(), ..options }))
}
