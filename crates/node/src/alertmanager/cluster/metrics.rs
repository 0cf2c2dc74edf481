use std::{collections::BTreeSet, sync::Arc};

use gossip::{Event, Gossip, Notice, Observer, Traffic};
use parking_lot::Mutex;
use runtime::Clock;
use telemetry::{Counter, Family, Gauge, Histogram, Kind, Registry, Vector};

/// Upstream's buckets for pings.
const PING_BOUNDS: [f64; 7] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5];
const LARGE_BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Names come from outside; more of them are not counted one by one.
const PEERS_MAX: usize = 1024;

/// The metrics of the cluster, under upstream's names.
pub(super) struct Metrics {
    alive_messages: Vector<Counter, 1>,
    pings: Vector<Histogram, 1>,
    received: Vector<Counter, 1>,
    received_bytes: Vector<Counter, 1>,
    sent: Vector<Counter, 1>,
    sent_bytes: Vector<Counter, 1>,
    pruned: Counter,
    joined: Counter,
    left: Counter,
    updated: Counter,
    conflicts: Counter,
    reconnections: Counter,
    reconnections_failed: Counter,
    refreshed: Counter,
    refreshed_failed: Counter,
    large_sent: Vector<Counter, 1>,
    large_failed: Vector<Counter, 1>,
    large_dropped: Vector<Counter, 1>,
    large_seconds: Vector<Histogram, 1>,
    tls: Tls,
    /// Names that have metrics of their own. Nothing else is locked while this is held.
    peers: Mutex<BTreeSet<String>>,
}

/// What is counted of gossip over TLS.
struct Tls {
    packet_bytes_sent: Counter,
    packet_bytes_received: Counter,
    streams_sent: Counter,
    streams_received: Counter,
    read_errors: Counter,
    write_errors: Vector<Counter, 1>,
}

impl Tls {
    #[rustfmt::skip] // a table
    fn register(registry: &Registry) -> Tls {
        Tls {
            packet_bytes_sent: registry.counter("alertmanager_tls_transport_packet_bytes_sent_total", "The number of packet bytes sent to outgoing connections (excluding internal metadata)."),
            packet_bytes_received: registry.counter("alertmanager_tls_transport_packet_bytes_received_total", "The number of packet bytes received from incoming connections (excluding internal metadata)."),
            streams_sent: registry.counter("alertmanager_tls_transport_stream_connections_sent_total", "The number of stream connections sent."),
            streams_received: registry.counter("alertmanager_tls_transport_stream_connections_received_total", "The number of stream connections received."),
            read_errors: registry.counter("alertmanager_tls_transport_read_errors_total", "The number of errors encountered while reading from incoming connections."),
            write_errors: registry.counters("alertmanager_tls_transport_write_errors_total", "The number of errors encountered while writing to outgoing connections.", ["connection_type"]),
        }
    }
}

impl Metrics {
    #[rustfmt::skip] // a table
    pub(super) fn register(registry: &Registry, name: &str) -> Metrics {
        let info = registry.gauges("alertmanager_cluster_peer_info", "A metric with a constant '1' value labeled by peer name.", ["peer"]);
        info.with([name]).set(1.0);
        let metrics = Metrics {
            alive_messages: registry.counters("alertmanager_cluster_alive_messages_total", "Total number of received alive messages.", ["peer"]),
            pings: registry.histograms("alertmanager_cluster_pings_seconds", "Histogram of latencies for ping messages.", ["peer"], &PING_BOUNDS),
            received: registry.counters("alertmanager_cluster_messages_received_total", "Total number of cluster messages received.", ["msg_type"]),
            received_bytes: registry.counters("alertmanager_cluster_messages_received_size_total", "Total size of cluster messages received.", ["msg_type"]),
            sent: registry.counters("alertmanager_cluster_messages_sent_total", "Total number of cluster messages sent.", ["msg_type"]),
            sent_bytes: registry.counters("alertmanager_cluster_messages_sent_size_total", "Total size of cluster messages sent.", ["msg_type"]),
            pruned: registry.counter("alertmanager_cluster_messages_pruned_total", "Total number of cluster messages pruned."),
            joined: registry.counter("alertmanager_cluster_peers_joined_total", "A counter of the number of peers that have joined."),
            left: registry.counter("alertmanager_cluster_peers_left_total", "A counter of the number of peers that have left."),
            updated: registry.counter("alertmanager_cluster_peers_update_total", "A counter of the number of peers that have updated metadata."),
            conflicts: registry.counter("alertmanager_cluster_peer_name_conflicts_total", "Total number of times memberlist has noticed conflicting peer names"),
            reconnections: registry.counter("alertmanager_cluster_reconnections_total", "A counter of the number of cluster peer reconnections."),
            reconnections_failed: registry.counter("alertmanager_cluster_reconnections_failed_total", "A counter of the number of failed cluster peer reconnection attempts."),
            refreshed: registry.counter("alertmanager_cluster_refresh_join_total", "A counter of the number of cluster peer joined via refresh."),
            refreshed_failed: registry.counter("alertmanager_cluster_refresh_join_failed_total", "A counter of the number of failed cluster peer joined attempts via refresh."),
            large_sent: registry.counters("alertmanager_oversized_gossip_message_sent_total", "Number of oversized gossip message sent.", ["key"]),
            large_failed: registry.counters("alertmanager_oversized_gossip_message_failure_total", "Number of oversized gossip message sends that failed.", ["key"]),
            large_dropped: registry.counters("alertmanager_oversized_gossip_message_dropped_total", "Number of oversized gossip messages that were dropped due to a full message queue.", ["key"]),
            large_seconds: registry.histograms("alertmanager_oversize_gossip_message_duration_seconds", "Duration of oversized gossip message requests.", ["key"], &LARGE_BOUNDS),
            tls: Tls::register(registry),
            peers: Mutex::default(),
        };
        metrics.initialize();
        metrics
    }

    /// Zeros, so that rates begin with the first event.
    fn initialize(&self) {
        for kind in ["full_state", "update"] {
            for vector in [&self.received, &self.received_bytes, &self.sent, &self.sent_bytes] {
                vector.with([kind]).add(0.0);
            }
        }
        for key in ["nfl", "sil"] {
            for vector in [&self.large_sent, &self.large_failed, &self.large_dropped] {
                vector.with([key]).add(0.0);
            }
            self.large_seconds.with([key]);
        }
    }

    fn count(&self, event: &Event) {
        match event {
            Event::Joined(_) => self.joined.increment(),
            Event::Left(_) => self.left.increment(),
            Event::Updated(_) => self.updated.increment(),
            Event::Conflict { .. } => self.conflicts.increment(),
            Event::AliveMessage { name } if self.is_counted(name) => {
                self.alive_messages.with([name]).increment();
            }
            Event::Ping { member, round_trip } if self.is_counted(&member.name) => {
                self.pings.with([&member.name]).observe_duration(*round_trip);
            }
            _ => {}
        }
    }

    fn is_counted(&self, name: &str) -> bool {
        let mut peers = self.peers.lock();
        peers.contains(name) || (peers.len() < PEERS_MAX && peers.insert(name.to_owned()))
    }
}

impl Observer for Metrics {
    fn observe(&self, notice: &Notice<'_>) {
        match notice {
            Notice::Event(event) => self.count(event),
            Notice::Received { what, bytes } => {
                self.received.with([label(*what)]).increment();
                self.received_bytes.with([label(*what)]).add(*bytes as f64);
            }
            Notice::Sent { what, bytes } => {
                self.sent.with([label(*what)]).increment();
                self.sent_bytes.with([label(*what)]).add(*bytes as f64);
            }
            Notice::LargeSent { key, took } => {
                self.large_sent.with([key]).increment();
                self.large_seconds.with([key]).observe_duration(*took);
            }
            Notice::LargeFailed { key } => self.large_failed.with([key]).increment(),
            Notice::LargeDropped { key } => self.large_dropped.with([key]).increment(),
            Notice::Reconnected { is_success: true } => self.reconnections.increment(),
            Notice::Reconnected { is_success: false } => self.reconnections_failed.increment(),
            Notice::Refreshed { is_success: true } => self.refreshed.increment(),
            Notice::Refreshed { is_success: false } => self.refreshed_failed.increment(),
            Notice::Pruned { n_messages } => self.pruned.add(*n_messages as f64),
            Notice::PacketSent { bytes } => self.tls.packet_bytes_sent.add(*bytes as f64),
            Notice::PacketReceived { bytes } => self.tls.packet_bytes_received.add(*bytes as f64),
            Notice::StreamSent => self.tls.streams_sent.increment(),
            Notice::StreamReceived => self.tls.streams_received.increment(),
            Notice::SecureReadFailed => self.tls.read_errors.increment(),
            Notice::SecureWriteFailed { what } => self.tls.write_errors.with([what]).increment(),
        }
    }
}

/// Says whether there is a cluster, also if there is none.
pub(in crate::alertmanager) fn enabled(registry: &Registry) -> Gauge {
    registry.gauge(
        "alertmanager_cluster_enabled",
        "Indicates whether the clustering is enabled or not.",
    )
}

/// What is asked of the cluster whenever somebody looks.
#[rustfmt::skip] // a table
pub(super) fn collect(registry: &Registry, gossip: Gossip, clock: Arc<dyn Clock>) {
    registry.collect(move |families| {
        let mut gauge = |name, help, value: usize| {
            families.push(Family::single(name, help, Kind::Gauge, value as f64));
        };
        gauge("alertmanager_cluster_members", "Number indicating current number of members in cluster.", gossip.members().len());
        gauge("alertmanager_cluster_failed_peers", "Number indicating the current number of failed peers in the cluster.", gossip.n_lost());
        gauge("alertmanager_cluster_health_score", "Health score of the cluster. Lower values are better and zero means 'totally healthy'.", gossip.health_score() as usize);
        gauge("alertmanager_cluster_messages_queued", "Number of cluster messages which are queued.", gossip.n_queued());
        gauge("alertmanager_peer_position", "Position the Alertmanager instance believes it's in. The position determines a peer's behavior in the cluster.", gossip.position());
        let mut lags = Family::new("vesta_alertmanager_peer_lag_seconds", "Seconds since a peer last answered.", Kind::Gauge);
        let now = clock.monotonic();
        for (peer, contact) in gossip.contacts() {
            lags = lags.with(&[("peer", &peer)], now.saturating_sub(contact.heard_at).as_secs_f64());
        }
        families.push(lags);
    });
}

fn label(what: Traffic) -> &'static str {
    match what {
        Traffic::FullState => "full_state",
        Traffic::Update => "update",
    }
}
