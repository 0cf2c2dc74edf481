//! `vesta server`, or `prometheus`: reads the command line, then hands over to `node`.

#[cfg(test)]
mod tests;

use std::{process::ExitCode, sync::Arc, time::Duration};

use node::{
    build, external_url,
    server::{
        ClusterOptions, NotifierOptions, Options, QueryOptions, ReadsDuringReplay, Retention,
        RuleOptions, ScrapeOptions, StorageOptions, WalCompression, WebOptions,
    },
};
use tracing::error;

use crate::{
    agent, cluster, commands,
    flags::{self, Stop, Values, server::FLAGS},
    memory,
    profiles::OfThis,
};

const ABOUT: &str = "Scrapes targets, stores samples, answers PromQL, evaluates rules and raises \
    alerts: a drop-in for the Prometheus server, with its flags, files and API.";

const EXAMPLES: &str = "\
Try it:
  vesta server --config.file=prometheus.yml --storage.tsdb.path=data/
  curl 'http://localhost:9090/api/v1/query?query=up'
  curl -X POST http://localhost:9090/-/reload      # with --web.enable-lifecycle; or kill -HUP";

#[expect(clippy::print_stderr, reason = "this is the command line")]
pub(crate) fn main(args: &[String]) -> ExitCode {
    let command = clap::Command::new("server")
        .about(ABOUT)
        .after_help(EXAMPLES)
        .long_version(build::describe("prometheus", build::PROMETHEUS));
    let values = match flags::parse(command, FLAGS, args) {
        Ok(values) => values,
        Err(stop) => return commands::explain("prometheus", stop),
    };
    if let Err(code) = commands::start_logs(&values) {
        return code;
    }
    commands::warn_of_flags_without_effect(&values, FLAGS);
    if values.int("web.search.max-limit") < 0 {
        // Upstream finds this out after it has begun, and ends with another code.
        error!("--web.search.max-limit must not be negative");
        return ExitCode::FAILURE;
    }
    if let Some(complaint) = agent::misused_flags(&values) {
        eprintln!("{complaint}");
        return ExitCode::from(3);
    }
    let are_both_set = |one: &str, other: &str| {
        let features = values.list("enable-feature").iter().flat_map(|list| list.split(','));
        let features: Vec<&str> = features.collect();
        features.contains(&one) && features.contains(&other)
    };
    if are_both_set("otlp-deltatocumulative", "otlp-native-delta-ingestion") {
        eprintln!(
            "Error parsing feature list: cannot enable otlp-deltatocumulative and \
             otlp-native-delta-ingestion features at the same time"
        );
        return ExitCode::FAILURE;
    }
    let options = match to_options(&values) {
        Ok(options) => options,
        Err(stop) => return commands::explain("prometheus", stop),
    };
    commands::run_node(node::Error::exit_code, |runtime, signals| {
        node::server::run(options, runtime, signals)
    })
}

/// Turns what was typed into what is meant; an error names the flag.
fn to_options(values: &Values) -> Result<Options, Stop> {
    let names = agent::names(values);
    let error =
        |flag: &str, reason: &dyn std::fmt::Display| Stop::Error(format!("--{flag}: {reason}"));
    let host_name = commands::host_name();
    let addresses = values.list("web.listen-address").to_vec();
    let first_address = addresses.first().map_or("", String::as_str);
    let external_url =
        external_url::compute(values.text("web.external-url"), first_address, &host_name)
            .map_err(|reason| error("web.external-url", &reason))?;
    let wal_compression =
        match (values.is_set(names.wal_compression), values.text(names.wal_compression_type)) {
            (false, _) => WalCompression::None,
            (true, "snappy") => WalCompression::Snappy,
            (true, "zstd") => WalCompression::Zstd,
            (true, other) => {
                let reason = format!("there is no {other:?}; it may be snappy or zstd");
                return Err(error(names.wal_compression_type, &reason));
            }
        };
    if values.duration("storage.tsdb.min-block-duration").is_zero() {
        return Err(error("storage.tsdb.min-block-duration", &"it must be greater than zero"));
    }
    let segment_bytes = values.bytes(names.wal_segment_size);
    if !(10 << 20..=256 << 20).contains(&segment_bytes) {
        return Err(error(names.wal_segment_size, &"it must be between 10MB and 256MB"));
    }
    let features = values.list("enable-feature").iter().flat_map(|list| list.split(','));
    let features: Vec<String> =
        features.filter(|name| !name.is_empty()).map(str::to_owned).collect();
    // The name of the flag before it was one.
    let is_auto_reload = values.is_set("config.auto-reload")
        || features.iter().any(|feature| feature == "auto-reload-config");
    let auto_reload = is_auto_reload
        .then(|| values.duration("config.auto-reload-interval").max(Duration::from_secs(1)));
    let route_prefix = external_url::route_prefix(values.text("web.route-prefix"), &external_url);
    let mut flags = values.all(FLAGS);
    flags.insert("web.route-prefix".to_owned(), route_prefix.clone());
    Ok(Options {
        config_file: values.path("config.file"),
        auto_reload,
        web: WebOptions {
            listen_addresses: addresses,
            route_prefix,
            external_url,
            remote_write_messages: remote_write_messages(values)?,
            otlp_receiver: values.is_set("web.enable-otlp-receiver"),
            enable_admin_api: values.is_set("web.enable-admin-api"),
            enable_lifecycle: values.is_set("web.enable-lifecycle"),
            cors_origin: values.text("web.cors.origin").to_owned(),
            connections_max: count(values, "web.max-connections")?,
            read_timeout: values.duration("web.read-timeout"),
            listeners_max: count(values, "web.max-notifications-subscribers")?,
            search_limit_max: count(values, "web.search.max-limit")?,
            page_title: values.text("web.page-title").to_owned(),
            consoles: values.path("web.console.templates"),
            console_libraries: values.path("web.console.libraries"),
            user_assets: Some(values.path("web.user-assets"))
                .filter(|path| !path.as_os_str().is_empty()),
            profiles: Some(Arc::new(OfThis)),
            config_file: Some(values.path("web.config.file"))
                .filter(|path| !path.as_os_str().is_empty()),
        },
        storage: StorageOptions {
            directory: agent::directory(values),
            retention: Retention {
                time: values.duration("storage.tsdb.retention.time"),
                bytes: values.bytes("storage.tsdb.retention.size"),
            },
            block_range_min: values.duration("storage.tsdb.min-block-duration"),
            block_range_max: Some(values.duration("storage.tsdb.max-block-duration"))
                .filter(|range| !range.is_zero()),
            lock: !values.is_set(names.no_lockfile),
            remote_flush_deadline: values.duration("storage.remote.flush-deadline"),
            wal_segment_bytes: segment_bytes,
            wal_compression,
            samples_per_chunk: count(values, "storage.tsdb.samples-per-chunk")?,
            upkeep_interval: values
                .duration("storage.tsdb.block-reload-interval")
                .max(Duration::from_secs(1)),
            compaction_delay_max: match features.iter().any(|name| name == "delayed-compaction") {
                true => compaction_delay_max(values)?,
                false => Duration::ZERO,
            },
            uploads_file: Some(values.path("storage.tsdb.delay-compact-file.path"))
                .filter(|path| !path.as_os_str().is_empty()),
            reads_during_replay: match values.text("storage.tsdb.reads-during-replay") {
                "wait" => ReadsDuringReplay::Wait,
                "partial" => ReadsDuringReplay::Partial,
                other => {
                    let reason = format!("there is no {other:?}; it may be wait or partial");
                    return Err(error("storage.tsdb.reads-during-replay", &reason));
                }
            },
        },
        rules: RuleOptions {
            outage_tolerance: values.duration("rules.alert.for-outage-tolerance"),
            grace_period: values.duration("rules.alert.for-grace-period"),
            resend_delay: values.duration("rules.alert.resend-delay"),
            helpers: match features.iter().any(|feature| feature == "concurrent-rule-eval") {
                true => Some(count(values, "rules.max-concurrent-evals")?),
                false => None,
            },
            catch_up: values.duration("rules.catch-up"),
        },
        notifier: NotifierOptions {
            queue_capacity: count(values, "alertmanager.notification-queue-capacity")?,
            batch_size: count(values, "alertmanager.notification-batch-size")?,
            drain_on_shutdown: values.is_set("alertmanager.drain-notification-queue-on-shutdown"),
        },
        query: QueryOptions {
            lookback: values.duration("query.lookback-delta"),
            timeout: values.duration("query.timeout"),
            concurrency_max: count(values, "query.max-concurrency")?,
            samples_max: count(values, "query.max-samples")?,
            memory_max: match values.text("query.max-memory") {
                "" => memory::of_machine(&runtime::disk::RealDisk).unwrap_or_default() / 4,
                _ => values.bytes("query.max-memory"),
            },
        },
        remote_read: remote::read::Options {
            samples_max: count(values, "storage.remote.read-sample-limit")?,
            concurrency_max: count(values, "storage.remote.read-concurrent-limit")?,
            frame_bytes_max: count(values, "storage.remote.read-max-bytes-in-frame")?,
        },
        scrape: ScrapeOptions {
            adjust_timestamps: values.is_set("scrape.adjust-timestamps"),
            timestamp_tolerance: values.duration("scrape.timestamp-tolerance"),
            discovery_reload_interval: values.duration("scrape.discovery-reload-interval"),
        },
        agent: agent::options(values),
        cluster: cluster_options(values, &host_name)?,
        features,
        flags,
        host_name,
    })
}

/// Nothing if the server stands alone.
fn cluster_options(values: &Values, host_name: &str) -> Result<Option<ClusterOptions>, Stop> {
    let Some(gossip) = cluster::gossip_options(values)? else { return Ok(None) };
    let lease_duration = values.duration("cluster.lease-duration");
    if lease_duration < Duration::from_secs(1) {
        return Err(Stop::Error("--cluster.lease-duration: it must be at least 1s".to_owned()));
    }
    let member = match values.text("cluster.member") {
        "" => {
            let address = values.list("web.listen-address").first().map_or("", String::as_str);
            let port = address.rsplit_once(':').map_or("", |(_, port)| port);
            format!("{host_name}:{port}")
        }
        name => name.to_owned(),
    };
    Ok(Some(ClusterOptions {
        gossip,
        tls_file: Some(values.path("cluster.tls-config"))
            .filter(|path| !path.as_os_str().is_empty()),
        store_address: values.text("cluster.store-address").to_owned(),
        store_advertise_address: cluster::address(values, "cluster.store-advertise-address")?,
        member,
        replication_factor: count(values, "cluster.replication-factor")?,
        lease: values.text("cluster.lease").to_owned(),
        lease_duration,
    }))
}

/// What the remote write receiver takes; `None` without one.
fn remote_write_messages(values: &Values) -> Result<Option<Vec<remote::Message>>, Stop> {
    let names = values.list("web.remote-write-receiver.accepted-protobuf-messages");
    let messages: Result<Vec<_>, _> =
        names.iter().map(|name| remote::Message::parse(name)).collect();
    let messages = messages.map_err(|unknown| Stop::Error(unknown.to_string()))?;
    Ok(values.is_set("web.enable-remote-write-receiver").then_some(messages))
}

/// A share of the shortest block.
fn compaction_delay_max(values: &Values) -> Result<Duration, Stop> {
    let percent = count(values, "storage.tsdb.delayed-compaction.max-percent")?;
    let block_range_min = values.duration("storage.tsdb.min-block-duration");
    Ok(block_range_min.mul_f64(percent as f64 / 100.0))
}

fn count(values: &Values, flag: &str) -> Result<usize, Stop> {
    usize::try_from(values.int(flag))
        .map_err(|_| Stop::Error(format!("--{flag}: it must not be negative")))
}
