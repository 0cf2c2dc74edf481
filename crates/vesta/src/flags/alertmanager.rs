//! The flags of `alertmanager` 0.34.

use super::{
    Flag,
    Kind::{self, *},
    Status::{self, *},
};

/// In the order in which `--help` lists them.
#[rustfmt::skip]
pub(crate) static FLAGS: &[Flag] = &[
    flag("config.file", Text, "alertmanager.yml", Works, "Configuration file"),
    flag("storage.path", Text, "data/", Works, "Directory of the notification log and the silences"),
    flag("data.retention", GoDuration, "120h", Works, "How long to keep the notification log and expired silences"),
    flag("data.maintenance-interval", GoDuration, "15m", Works, "How often to clean up and save"),
    flag("silences.max-silences", Int, "0", Works, "Most silences, expired ones included; 0 is no limit"),
    flag("silences.max-silence-size-bytes", Int, "0", Works, "Largest silence; 0 is no limit"),
    flag("log.silences", Bool, "false", Works, "Log changes of silences"),
    flag("alerts.gc-interval", GoDuration, "30m", Works, "How often to drop resolved alerts"),
    flag("alerts.per-alertname-limit", Int, "0", Works, "Most alerts of one name; 0 is no limit"),
    flag("dispatch.maintenance-interval", GoDuration, "30s", NoEffect("empty groups go at once"), "How often to drop empty groups"),
    flag("dispatch.start-delay", GoDuration, "0s", Works, "How long groups only collect after a start"),
    flag("web.listen-address", List, ":9093", Works, "Address for the API and the pages"),
    flag("web.systemd-socket", Bool, "false", Works, "Take the listeners from systemd"),
    flag("web.config.file", Text, "", Works, "File that turns on TLS and users"),
    flag("web.external-url", Text, "", Works, "URL under which others reach this Alertmanager"),
    flag("web.route-prefix", Text, "", Works, "Prefix of all routes; the path of --web.external-url unless given"),
    flag("web.get-concurrency", Int, "0", Works, "Most GET requests at once; 0 picks a number"),
    flag("web.timeout", GoDuration, "0s", Works, "Longest time for a request; 0 is no limit"),
    flag("auto-gomemlimit.ratio", Float, "0.9", NoEffect("there is no Go runtime to tell"), "Share of the container's memory to use"),
    flag("cluster.listen-address", Text, "0.0.0.0:9094", Works, "Address for gossip; empty turns the cluster off"),
    flag("cluster.advertise-address", Text, "", Works, "Address that others are told"),
    flag("cluster.peer-name", Text, "", Works, "Name of this node"),
    flag("cluster.peer", List, "", Works, "Address of another node"),
    flag("cluster.peer-timeout", GoDuration, "15s", Works, "How long to wait for the nodes before this one"),
    flag("cluster.peers-resolve-timeout", GoDuration, "15s", Works, "How long to look up the other nodes"),
    flag("cluster.gossip-interval", GoDuration, "200ms", Works, "Time between gossip messages"),
    flag("cluster.pushpull-interval", GoDuration, "1m0s", Works, "Time between full exchanges"),
    flag("cluster.tcp-timeout", GoDuration, "10s", Works, "Longest stream between nodes"),
    flag("cluster.probe-timeout", GoDuration, "500ms", Works, "How long to wait for a probe's answer"),
    flag("cluster.probe-interval", GoDuration, "1s", Works, "Time between probes"),
    flag("cluster.settle-timeout", GoDuration, "1m0s", Works, "How long to wait for the cluster to settle"),
    flag("cluster.reconnect-interval", GoDuration, "10s", Works, "Time between attempts to reach a lost node"),
    flag("cluster.reconnect-timeout", GoDuration, "6h0m0s", Works, "How long to try to reach a lost node"),
    flag("cluster.tls-config", Text, "", Works, "File with the TLS settings of gossip"),
    flag("cluster.allow-insecure-public-advertise-address-discovery", Bool, "false", Works, "Advertise a public address that was found"),
    flag("cluster.label", Text, "", Works, "Name of the cluster; packets of others are dropped"),
    flag("vesta.keep-alerts", Bool, "true", Works, "Keep alerts over a restart, in a file of Vesta's own"),
    flag("vesta.claims", Bool, "true", Works, "Tell the other nodes what is about to be notified, so that they do not repeat a slow attempt"),
    flag("vesta.history-length", Int, "1000", Works, "How many of the latest notifications can be asked for"),
    flag("enable-feature", Text, "", Works, "Comma-separated features to turn on"),
    flag("log.level", Text, "info", Works, "Least severe messages to log: debug, info, warn, error"),
    flag("log.format", Text, "logfmt", Works, "Form of the log: logfmt, json"),
];

const fn flag(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    status: Status,
    help: &'static str,
) -> Flag {
    Flag { name, kind, default, help, hidden: false, status }
}
