use std::{net::SocketAddr, time::Duration};

/// How a node takes part in a cluster.
#[derive(Debug, Clone)]
pub struct Options {
    /// Nobody else's.
    pub name: String,
    /// Of the cluster; nodes with another one are not heard. At most 255 bytes.
    pub label: String,
    /// `host:port`, for streams and packets.
    pub listen_address: String,
    /// What others are told; found out unless given. Port 0 is the one that is listened on.
    pub advertise_address: Option<SocketAddr>,
    /// Whether an address of the whole Internet may be found out.
    pub allows_public_address: bool,
    /// `host:port` each, where other nodes may be found.
    pub peers: Vec<String>,
    /// How long to look up `peers` at the start.
    pub resolve_timeout: Duration,
    pub gossip_interval: Duration,
    /// In so many rounds each node that hears of something tells a few others. One is upstream's;
    /// then about every hundredth message does not get to all nodes of five (`tests/simulation`).
    pub gossip_rounds: u32,
    pub push_pull_interval: Duration,
    /// For connecting, and again for the whole exchange.
    pub stream_timeout: Duration,
    pub probe_interval: Duration,
    pub probe_timeout: Duration,
    /// How long to wait at most until all nodes seem to be there.
    pub settle_timeout: Duration,
    /// How often lost nodes are tried; zero is never.
    pub reconnect_interval: Duration,
    /// For so long.
    pub reconnect_timeout: Duration,
}

impl Options {
    /// Upstream's defaults.
    pub fn new(name: impl Into<String>, listen_address: impl Into<String>) -> Options {
        Options {
            name: name.into(),
            label: String::new(),
            listen_address: listen_address.into(),
            advertise_address: None,
            allows_public_address: false,
            peers: Vec::new(),
            resolve_timeout: Duration::from_secs(15),
            gossip_interval: Duration::from_millis(200),
            gossip_rounds: 3,
            push_pull_interval: Duration::from_secs(60),
            stream_timeout: Duration::from_secs(10),
            probe_interval: Duration::from_secs(1),
            probe_timeout: Duration::from_millis(500),
            settle_timeout: Duration::from_secs(60),
            reconnect_interval: Duration::from_secs(10),
            reconnect_timeout: Duration::from_secs(6 * 3600),
        }
    }
}
