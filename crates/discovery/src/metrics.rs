use std::time::Duration;

use telemetry::{Counter, Gauge, Registry, Summary, Vector};

/// What all managers of a node count together; register it once.
#[derive(Clone)]
pub struct Metrics {
    discovered_targets: Vector<Gauge, 2>,
    failed_configs: Vector<Gauge, 1>,
    received_updates: Vector<Counter, 1>,
    updates: Vector<Counter, 1>,
    updates_delayed: Vector<Counter, 1>,
    refresh_failures: Vector<Counter, 2>,
    refresh_duration: Vector<Summary, 2>,
    pub(crate) file: FileMetrics,
}

/// What one mechanism that asks now and then counts.
#[derive(Clone)]
pub(crate) struct RefreshMetrics {
    pub(crate) failures: Counter,
    duration: Summary,
}

/// What one manager counts.
#[derive(Clone)]
pub(crate) struct ManagerMetrics {
    name: String,
    discovered_targets: Vector<Gauge, 2>,
    pub(crate) failed_configs: Gauge,
    pub(crate) received_updates: Counter,
    pub(crate) updates: Counter,
    pub(crate) updates_delayed: Counter,
}

#[derive(Clone)]
pub(crate) struct FileMetrics {
    pub(crate) scan_duration: Summary,
    pub(crate) read_errors: Counter,
    pub(crate) modified: Vector<Gauge, 1>,
}

impl Metrics {
    pub fn register(registry: &Registry) -> Metrics {
        // Files are looked at, not watched, so this one stays at zero.
        registry.counter(
            "prometheus_sd_file_watcher_errors_total",
            "The number of File-SD errors caused by filesystem watch failures.",
        );
        Metrics {
            discovered_targets: registry.gauges(
                "prometheus_sd_discovered_targets",
                "Current number of discovered targets.",
                ["name", "config"],
            ),
            failed_configs: registry.gauges(
                "prometheus_sd_failed_configs",
                "Current number of service discovery configurations that failed to load.",
                ["name"],
            ),
            received_updates: registry.counters(
                "prometheus_sd_received_updates_total",
                "Total number of update events received from the SD providers.",
                ["name"],
            ),
            updates: registry.counters(
                "prometheus_sd_updates_total",
                "Total number of update events sent to the SD consumers.",
                ["name"],
            ),
            updates_delayed: registry.counters(
                "prometheus_sd_updates_delayed_total",
                "Total number of update events that couldn't be sent immediately.",
                ["name"],
            ),
            refresh_failures: registry.counters(
                "prometheus_sd_refresh_failures_total",
                "Number of refresh failures for the given SD mechanism.",
                ["mechanism", "config"],
            ),
            refresh_duration: registry.summaries(
                "prometheus_sd_refresh_duration_seconds",
                "The duration of a refresh in seconds for the given SD mechanism.",
                ["mechanism", "config"],
                &[0.5, 0.9, 0.99],
            ),
            file: FileMetrics {
                scan_duration: registry.summary(
                    "prometheus_sd_file_scan_duration_seconds",
                    "The duration of the File-SD scan in seconds.",
                    &[0.5, 0.9, 0.99],
                ),
                read_errors: registry.counter(
                    "prometheus_sd_file_read_errors_total",
                    "The number of File-SD read errors.",
                ),
                modified: registry.gauges(
                    "prometheus_sd_file_mtime_seconds",
                    "Timestamp (mtime) of files read by FileSD.",
                    ["filename"],
                ),
            },
        }
    }

    pub(crate) fn of_refreshes(&self, mechanism: &str, set: &str) -> RefreshMetrics {
        RefreshMetrics {
            failures: self.refresh_failures.with([mechanism, set]),
            duration: self.refresh_duration.with([mechanism, set]),
        }
    }

    pub(crate) fn of_manager(&self, name: &str) -> ManagerMetrics {
        ManagerMetrics {
            name: name.to_owned(),
            discovered_targets: self.discovered_targets.clone(),
            failed_configs: self.failed_configs.with([name]),
            received_updates: self.received_updates.with([name]),
            updates: self.updates.with([name]),
            updates_delayed: self.updates_delayed.with([name]),
        }
    }
}

impl RefreshMetrics {
    pub(crate) fn observe(&self, duration: Duration) {
        self.duration.observe_duration(duration);
    }
}

impl ManagerMetrics {
    pub(crate) fn set_discovered(&self, set: &str, n_targets: usize) {
        self.discovered_targets.with([&self.name, set]).set(n_targets as f64);
    }

    /// Forgets a set that is no longer configured.
    pub(crate) fn remove_set(&self, set: &str) {
        self.discovered_targets.remove([&self.name, set]);
    }
}
