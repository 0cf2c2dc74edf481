use telemetry::{Counter, Gauge, Registry, Vector};

/// What repair counts.
#[derive(Clone)]
pub(crate) struct Metrics {
    pub(crate) hole_seconds: Gauge,
    pub(crate) unchecked_seconds: Vector<Gauge, 1>,
    pub(crate) windows_compared: Counter,
    pub(crate) windows_different: Counter,
    pub(crate) samples_added: Counter,
    pub(crate) samples_replaced: Counter,
    pub(crate) series_received: Counter,
    pub(crate) bytes_received: Counter,
    pub(crate) bytes_sent: Counter,
    pub(crate) failures: Vector<Counter, 1>,
    pub(crate) running: Gauge,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> Metrics {
        Metrics {
            hole_seconds: registry.gauge(
                "vesta_cluster_repair_hole_seconds",
                "Time in which this member may lack samples.",
            ),
            unchecked_seconds: registry.gauges(
                "vesta_cluster_repair_unchecked_seconds",
                "Closed time that has not been compared with a member.",
                ["member"],
            ),
            windows_compared: registry.counter(
                "vesta_cluster_repair_windows_compared_total",
                "Windows of time that were compared with a member.",
            ),
            windows_different: registry.counter(
                "vesta_cluster_repair_windows_different_total",
                "Windows of time in which a member had something else.",
            ),
            samples_added: registry.counter(
                "vesta_cluster_repair_samples_added_total",
                "Samples that were lacking and came from a member.",
            ),
            samples_replaced: registry.counter(
                "vesta_cluster_repair_samples_replaced_total",
                "Samples that gave way to those of a member.",
            ),
            series_received: registry.counter(
                "vesta_cluster_repair_series_received_total",
                "Pieces of series that came from members.",
            ),
            bytes_received: registry.counter(
                "vesta_cluster_repair_received_bytes_total",
                "Bytes of series that came from members.",
            ),
            bytes_sent: registry.counter(
                "vesta_cluster_repair_sent_bytes_total",
                "Bytes of series that members fetched.",
            ),
            failures: registry.counters(
                "vesta_cluster_repair_failures_total",
                "Attempts to compare with or fetch from a member that failed.",
                ["member"],
            ),
            running: registry.gauge(
                "vesta_cluster_repair_running",
                "Whether something is being compared or fetched.",
            ),
        }
    }
}
