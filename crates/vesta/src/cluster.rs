//! The flags of gossip, which a server and an Alertmanager have in common.

use std::{net::SocketAddr, time::Duration};

use node::GossipOptions;

use crate::flags::{Stop, Values};

/// What both roles say of gossip; nothing if there is to be no cluster.
pub(crate) fn gossip_options(values: &Values) -> Result<Option<GossipOptions>, Stop> {
    let wrong = |flag: &str, reason: &str| Err(Stop::Error(format!("--{flag}: {reason}")));
    let listen_address = values.text("cluster.listen-address");
    if listen_address.is_empty() {
        return Ok(None);
    }
    let intervals = [
        "cluster.peers-resolve-timeout",
        "cluster.gossip-interval",
        "cluster.pushpull-interval",
        "cluster.tcp-timeout",
        "cluster.probe-timeout",
        "cluster.probe-interval",
        "cluster.reconnect-interval",
        "cluster.reconnect-timeout",
    ];
    for flag in intervals {
        if values.duration(flag) == Duration::ZERO {
            return wrong(flag, "it must be greater than zero");
        }
    }
    let label = values.text("cluster.label");
    if label.len() > 255 {
        return wrong("cluster.label", "it must have at most 255 bytes");
    }
    let advertise_address = address(values, "cluster.advertise-address")?;
    Ok(Some(GossipOptions {
        label: label.to_owned(),
        advertise_address,
        allows_public_address: values
            .is_set("cluster.allow-insecure-public-advertise-address-discovery"),
        peers: values.list("cluster.peer").to_vec(),
        resolve_timeout: values.duration("cluster.peers-resolve-timeout"),
        gossip_interval: values.duration("cluster.gossip-interval"),
        push_pull_interval: values.duration("cluster.pushpull-interval"),
        stream_timeout: values.duration("cluster.tcp-timeout"),
        probe_interval: values.duration("cluster.probe-interval"),
        probe_timeout: values.duration("cluster.probe-timeout"),
        settle_timeout: values.duration("cluster.settle-timeout"),
        reconnect_interval: values.duration("cluster.reconnect-interval"),
        reconnect_timeout: values.duration("cluster.reconnect-timeout"),
        ..GossipOptions::new("", listen_address)
    }))
}

/// An address that others are told; nothing if none is given.
pub(crate) fn address(values: &Values, flag: &str) -> Result<Option<SocketAddr>, Stop> {
    let text = values.text(flag);
    match text.parse() {
        Ok(address) => Ok(Some(address)),
        Err(_) if text.is_empty() => Ok(None),
        Err(_) => Err(Stop::Error(format!("--{flag}: it must be an IP address and a port"))),
    }
}
