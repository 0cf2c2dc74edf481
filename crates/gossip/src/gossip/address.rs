//! Which address do others reach this node at?

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use runtime::Network;

use super::Options;
use crate::{Error, Result};

/// `host:port`, or `[address]:port`.
pub(super) fn split(address: &str) -> Result<(String, u16)> {
    let wrong =
        |reason: &str| Error::Address { address: address.to_owned(), reason: reason.to_owned() };
    let (host, port) = address.rsplit_once(':').ok_or_else(|| wrong("missing port in address"))?;
    let is_bracketed = host.starts_with('[') && host.ends_with(']');
    if host.contains(':') && !is_bracketed {
        return Err(wrong("too many colons in address"));
    }
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = port.parse().map_err(|_| wrong("invalid port"))?;
    Ok((host.to_owned(), port))
}

pub(super) async fn bind_ip(network: &dyn Network, host: &str) -> Result<IpAddr> {
    if host.is_empty() {
        return Ok(Ipv4Addr::UNSPECIFIED.into());
    }
    let found = network.resolve(host).await.map_err(|source| Error::Io {
        doing: "look up",
        address: host.to_owned(),
        source,
    })?;
    found.first().copied().ok_or_else(|| Error::Address {
        address: host.to_owned(),
        reason: "no such host".to_owned(),
    })
}

/// The address to be told others, if none was given.
pub(super) async fn find(
    network: &dyn Network,
    bind_ip: IpAddr,
    options: &Options,
) -> Result<IpAddr> {
    if !bind_ip.is_unspecified() {
        return Ok(bind_ip);
    }
    let outward = network.outward_address().await.ok();
    match advertise(bind_ip, outward, options.allows_public_address) {
        Some(address) => Ok(address),
        // Upstream would not start. But who waits for nobody needs no address.
        None if options.peers.is_empty() => {
            tracing::warn!(
                component = "cluster",
                "No private IP address found; other nodes cannot reach this one \
                 without --cluster.advertise-address"
            );
            Ok(Ipv4Addr::LOCALHOST.into())
        }
        None => Err(Error::Address {
            address: options.listen_address.clone(),
            reason: "no private IP address found, and explicit IP not provided".to_owned(),
        }),
    }
}

/// The address to be told others, given where this node listens and from where it speaks.
pub fn advertise(bind: IpAddr, outward: Option<IpAddr>, allows_public: bool) -> Option<IpAddr> {
    if !bind.is_unspecified() {
        return Some(bind);
    }
    let usable = |address: &IpAddr| {
        let is_nowhere = address.is_unspecified() || address.is_loopback();
        !is_nowhere && (allows_public || is_private(*address))
    };
    outward.filter(usable)
}

/// The networks of RFC 6890 that are used within a site.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            let is_shared = a == 100 && b & 0xc0 == 64;
            let is_benchmark = a == 198 && b & 0xfe == 18;
            let is_protocol = (a, b, c) == (192, 0, 0);
            address.is_private()
                || address.is_link_local()
                || address.is_documentation()
                || is_shared
                || is_benchmark
                || is_protocol
        }
        IpAddr::V6(address) => is_private_v6(address),
    }
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let first = address.segments()[0];
    let is_unique_local = first & 0xfe00 == 0xfc00;
    let is_link_local = first & 0xffc0 == 0xfe80;
    let is_documentation = first == 0x2001 && address.segments()[1] == 0x0db8;
    is_unique_local || is_link_local || is_documentation
}
