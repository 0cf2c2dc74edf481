//! How is the cluster doing? All names begin with `vesta_cluster_`.

use std::sync::{Arc, Weak};

use telemetry::{Counter, Family, Kind, Metric, Reading, Registry};

use super::{shared::Shared, status};

/// What is counted as it happens.
pub(super) struct Metrics {
    pub(super) turns_own: Counter,
    pub(super) turns_taken: Counter,
    pub(super) turns_unshared: Counter,
    pub(super) turns_left_out: Counter,
    pub(super) lease_changes: Counter,
}

impl Metrics {
    pub(super) fn register(registry: &Registry) -> Metrics {
        let turns = registry.counters(
            "vesta_cluster_scrapes_total",
            "Scrapes by who asked the target: this member (own), another one (taken), this one \
             for itself alone (unshared), or nobody, because the clock was wrong (left_out).",
            ["by"],
        );
        Metrics {
            turns_own: turns.with(["own"]),
            turns_taken: turns.with(["taken"]),
            turns_unshared: turns.with(["unshared"]),
            turns_left_out: turns.with(["left_out"]),
            lease_changes: registry.counter(
                "vesta_cluster_lease_changes_total",
                "How often another member has become the writer, or none.",
            ),
        }
    }
}

/// Registers what is looked up when somebody asks.
pub(super) fn collect(registry: &Registry, shared: &Arc<Shared>) {
    let shared = Arc::downgrade(shared);
    registry.collect(move |families| {
        if let Some(shared) = Weak::upgrade(&shared) {
            look(&shared, families);
        }
    });
}

fn look(shared: &Shared, families: &mut Vec<Family>) {
    let lease = shared.lease.status();
    let (kept, open, is_wrong) = {
        let state = shared.state.lock();
        let sharing = state.core.sharing();
        (sharing.kept_bytes(), sharing.n_open(), state.core.clock_error().is_some())
    };
    let gauges = [
        ("vesta_cluster_lease_held", "Whether this member writes.", f64::from(lease.is_mine)),
        ("vesta_cluster_lease_epoch", "The lease's epoch, as known here.", lease.epoch as f64),
        (
            "vesta_cluster_clock_wrong",
            "Whether this machine's clock is too far from the others'.",
            f64::from(is_wrong),
        ),
        (
            "vesta_cluster_acknowledged_series",
            "Series of which is known up to when the remote end has them.",
            shared.acks.n_series() as f64,
        ),
        (
            "vesta_cluster_scrapes_open",
            "Slots of targets that have begun and are not decided.",
            open as f64,
        ),
        (
            "vesta_cluster_kept_bytes",
            "Outcomes that are kept for members that come late.",
            kept as f64,
        ),
    ];
    for (name, help, value) in gauges {
        families.push(family(name, help, Kind::Gauge, vec![metric(Vec::new(), value)]));
    }
    let members = status::members(shared);
    let others = || members.iter().filter(|member| !member.is_self);
    let label = |member: &status::Member| vec![("member".to_owned(), member.name.clone())];
    let live = others().map(|member| metric(label(member), f64::from(member.is_live)));
    let live_help = "Whether another member was heard a moment ago.";
    families.push(family("vesta_cluster_member_live", live_help, Kind::Gauge, live.collect()));
    let same = others().map(|member| metric(label(member), f64::from(member.has_same_config)));
    let same_help = "Whether another member works by the same configuration.";
    families.push(family(
        "vesta_cluster_member_same_config",
        same_help,
        Kind::Gauge,
        same.collect(),
    ));
    let offsets =
        others().filter_map(|member| Some(metric(label(member), member.clock_offset?))).collect();
    let offset_help = "How far another member's clock is ahead of ours.";
    let offset_name = "vesta_cluster_member_clock_offset_seconds";
    families.push(family(offset_name, offset_help, Kind::Gauge, offsets));
    let mut bytes = Vec::new();
    for member in others() {
        let counts = [("received", member.bytes_received), ("sent", member.bytes_sent)];
        for (direction, count) in counts {
            let mut labels = vec![("direction".to_owned(), direction.to_owned())];
            labels.extend(label(member));
            bytes.push(metric(labels, count as f64));
        }
    }
    let bytes_help = "Bytes over the open link to another member.";
    families.push(family("vesta_cluster_link_bytes_total", bytes_help, Kind::Counter, bytes));
}

fn family(name: &str, help: &str, kind: Kind, metrics: Vec<Metric>) -> Family {
    let mut family = Family::new(name, help, kind);
    family.metrics = metrics;
    family
}

fn metric(labels: Vec<(String, String)>, value: f64) -> Metric {
    Metric { labels, reading: Reading::Value(value) }
}
