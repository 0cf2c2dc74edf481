//! `host:port` in its many spellings.

use std::net::IpAddr;

/// The host without its port; what has none, or is malformed, stays.
pub(super) fn strip_port(host_port: &str) -> &str {
    split(host_port).map_or(host_port, |(host, _)| host)
}

/// The first part of a host name, with the port if there is one; addresses stay.
pub(super) fn strip_domain(host_port: &str) -> String {
    let (host, port) = split(host_port).unwrap_or((host_port, ""));
    if host.parse::<IpAddr>().is_ok() {
        return host_port.to_owned();
    }
    let name = host.split('.').next().unwrap_or_default();
    match (port, name.contains(':')) {
        ("", _) => name.to_owned(),
        (port, true) => format!("[{name}]:{port}"),
        (port, false) => format!("{name}:{port}"),
    }
}

/// Host and port, as Go's `SplitHostPort` accepts them: IPv6 addresses in brackets.
fn split(host_port: &str) -> Option<(&str, &str)> {
    let (host, port) = host_port.rsplit_once(':')?;
    if let Some(inner) = host.strip_prefix('[') {
        let inner = inner.strip_suffix(']')?;
        return (!inner.contains(['[', ']']) && !port.contains(['[', ']']))
            .then_some((inner, port));
    }
    (!host.contains([':', '[', ']']) && !port.contains(['[', ']'])).then_some((host, port))
}
