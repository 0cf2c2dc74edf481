use telemetry::{Counter, Gauge, Histogram, Registry, Summary, Vector};

/// The metrics of notifications, under upstream's names.
#[derive(Clone)]
pub(crate) struct Metrics {
    latency: Vector<Summary, 1>,
    latency_histogram: Vector<Histogram, 1>,
    errors: Vector<Counter, 1>,
    sent: Vector<Counter, 1>,
    dropped: Vector<Counter, 1>,
    queue_length: Vector<Gauge, 1>,
    pub(crate) alertmanagers_discovered: Gauge,
}

/// The metrics of one Alertmanager.
#[derive(Clone)]
pub(crate) struct AlertmanagerMetrics {
    pub(crate) latency: Summary,
    pub(crate) latency_histogram: Histogram,
    pub(crate) errors: Counter,
    pub(crate) sent: Counter,
    pub(crate) dropped: Counter,
    pub(crate) queue_length: Gauge,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry, queue_capacity: usize) -> Metrics {
        let capacity = registry.gauge(
            "prometheus_notifications_queue_capacity",
            "The capacity of the alert notifications queue.",
        );
        capacity.set(queue_capacity as f64);
        Metrics {
            latency: registry.summaries(
                "prometheus_notifications_latency_seconds",
                "Latency quantiles for sending alert notifications.",
                ["alertmanager"],
                &[0.5, 0.9, 0.99],
            ),
            latency_histogram: registry.histograms(
                "prometheus_notifications_latency_histogram_seconds",
                "Latency histogram for sending alert notifications.",
                ["alertmanager"],
                &[0.01, 0.1, 1.0, 10.0],
            ),
            errors: registry.counters(
                "prometheus_notifications_errors_total",
                "Total number of sent alerts affected by errors.",
                ["alertmanager"],
            ),
            sent: registry.counters(
                "prometheus_notifications_sent_total",
                "Total number of alerts sent.",
                ["alertmanager"],
            ),
            dropped: registry.counters(
                "prometheus_notifications_dropped_total",
                "Total number of alerts dropped due to errors when sending to Alertmanager.",
                ["alertmanager"],
            ),
            queue_length: registry.gauges(
                "prometheus_notifications_queue_length",
                "The number of alert notifications in the queue.",
                ["alertmanager"],
            ),
            alertmanagers_discovered: registry.gauge(
                "prometheus_notifications_alertmanagers_discovered",
                "The number of alertmanagers discovered and active.",
            ),
        }
    }

    pub(crate) fn of(&self, url: &str) -> AlertmanagerMetrics {
        AlertmanagerMetrics {
            latency: self.latency.with([url]),
            latency_histogram: self.latency_histogram.with([url]),
            errors: self.errors.with([url]),
            sent: self.sent.with([url]),
            dropped: self.dropped.with([url]),
            queue_length: self.queue_length.with([url]),
        }
    }

    /// Forgets an Alertmanager that is gone.
    pub(crate) fn remove(&self, url: &str) {
        self.latency.remove([url]);
        self.latency_histogram.remove([url]);
        self.errors.remove([url]);
        self.sent.remove([url]);
        self.dropped.remove([url]);
        self.queue_length.remove([url]);
    }
}
