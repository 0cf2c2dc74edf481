use telemetry::{Counter, Gauge, Histogram, Registry, Summary, Vector};

use crate::{config::Options, integration::FailureReason};

/// The kinds of integrations, which have metrics before they are used.
const INTEGRATIONS: [&str; 18] = [
    "discord",
    "email",
    "incidentio",
    "jira",
    "mattermost",
    "msteams",
    "msteamsv2",
    "opsgenie",
    "pagerduty",
    "pushover",
    "rocketchat",
    "slack",
    "sns",
    "telegram",
    "victorops",
    "webex",
    "webhook",
    "wechat",
];

const QUERY_BOUNDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The metrics of an Alertmanager, under upstream's names.
#[derive(Clone)]
pub(crate) struct Metrics {
    pub(crate) alerts_received: Vector<Counter, 2>,
    pub(crate) alerts_invalid: Counter,
    pub(crate) alerts_limited: Limited,
    pub(crate) processing: Summary,
    pub(crate) groups_refused: Counter,
    pub(crate) suppressed: Vector<Counter, 1>,
    pub(crate) inhibition_rules: Gauge,
    pub(crate) receivers: Gauge,
    pub(crate) integrations: Gauge,
    pub(crate) notifications: Notifications,
    pub(crate) log: StateMetrics,
    pub(crate) silences: StateMetrics,
    pub(crate) silences_gc_errors: Counter,
    /// Of ours: how often a notification waited since another node was at it.
    pub(crate) claim_waits: Counter,
}

/// Refused alerts, with their name where the feature asks for it.
#[derive(Clone)]
pub(crate) enum Limited {
    Total(Counter),
    ByName(Vector<Counter, 1>),
}

/// The metrics of one kind of integration.
#[derive(Clone)]
pub(crate) struct IntegrationMetrics {
    pub(crate) notifications: Counter,
    pub(crate) requests: Counter,
    pub(crate) requests_failed: Counter,
    pub(crate) latency: Histogram,
}

/// What is counted of notifications by integration, and by receiver where the feature asks for it.
#[derive(Clone)]
pub(crate) struct Notifications {
    total: PerReceiver<Counter>,
    failed: FailedTotals,
    requests: PerReceiver<Counter>,
    requests_failed: PerReceiver<Counter>,
    latency: PerReceiver<Histogram>,
}

#[derive(Clone)]
enum PerReceiver<T> {
    Integration(Vector<T, 1>),
    Both(Vector<T, 2>),
}

#[derive(Clone)]
enum FailedTotals {
    Integration(Vector<Counter, 2>),
    Both(Vector<Counter, 3>),
}

/// What is counted alike of silences and the notification log.
#[derive(Clone)]
pub(crate) struct StateMetrics {
    pub(crate) gc_duration: Summary,
    pub(crate) snapshot_duration: Summary,
    pub(crate) snapshot_bytes: Gauge,
    pub(crate) maintenance: Counter,
    pub(crate) maintenance_errors: Counter,
    pub(crate) queries: Counter,
    pub(crate) query_duration: Histogram,
    pub(crate) propagated: Counter,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry, options: &Options) -> Metrics {
        let alerts_received = registry.counters(
            "alertmanager_alerts_received_total",
            "The total number of received alerts.",
            ["status", "version"],
        );
        for status in ["firing", "resolved"] {
            alerts_received.with([status, "v2"]);
        }
        let suppressed = registry.counters(
            "alertmanager_notifications_suppressed_total",
            "The total number of notifications suppressed for being silenced, inhibited, outside of active time intervals or within muted time intervals.",
            ["reason"],
        );
        for reason in ["silence", "inhibition", "mute_time_interval", "active_time_interval"] {
            suppressed.with([reason]);
        }
        let invalid = registry.counters(
            "alertmanager_alerts_invalid_total",
            "The total number of received alerts that were invalid.",
            ["version"],
        );
        let per_name_limit = registry.gauge(
            "alertmanager_alerts_per_alert_limit",
            "Current limit on number of alerts per alert name.",
        );
        per_name_limit.set(options.alerts_per_name_max.unwrap_or(0) as f64);
        Metrics {
            alerts_received,
            alerts_invalid: invalid.with(["v2"]),
            alerts_limited: Limited::register(registry, options.has_alert_names_in_metrics),
            processing: registry.summary(
                "alertmanager_dispatcher_alert_processing_duration_seconds",
                "Summary of latencies for the processing of alerts.",
                &[],
            ),
            groups_refused: registry.counter(
                "alertmanager_dispatcher_aggregation_group_limit_reached_total",
                "Number of times when dispatcher failed to create new aggregation group due to limit.",
            ),
            suppressed,
            inhibition_rules: registry.gauge(
                "alertmanager_inhibition_rules",
                "Number of configured inhibition rules.",
            ),
            receivers: registry
                .gauge("alertmanager_receivers", "Number of configured receivers."),
            integrations: registry
                .gauge("alertmanager_integrations", "Number of configured integrations."),
            notifications: Notifications::register(
                registry,
                options.has_receiver_names_in_metrics,
            ),
            log: StateMetrics::of_log(registry),
            silences: StateMetrics::of_silences(registry),
            silences_gc_errors: registry.counter(
                "alertmanager_silences_gc_errors_total",
                "How many silence GC errors were encountered.",
            ),
            claim_waits: registry.counter(
                "vesta_alertmanager_claim_waits_total",
                "Number of notifications that waited because another node was sending them.",
            ),
        }
    }
}

impl Limited {
    fn register(registry: &Registry, has_names: bool) -> Limited {
        let name = "alertmanager_alerts_limited_total";
        let help = "Total number of alerts that were dropped due to per alert name limit.";
        match has_names {
            true => Limited::ByName(registry.counters(name, help, ["alertname"])),
            false => Limited::Total(registry.counter(name, help)),
        }
    }

    pub(crate) fn increment(&self, alert_name: &str) {
        match self {
            Limited::Total(counter) => counter.increment(),
            Limited::ByName(counters) => counters.with([alert_name]).increment(),
        }
    }
}

impl Notifications {
    fn register(registry: &Registry, has_receivers: bool) -> Notifications {
        let counters = |name, help| match has_receivers {
            true => {
                PerReceiver::Both(registry.counters(name, help, ["integration", "receiver_name"]))
            }
            false => PerReceiver::Integration(registry.counters(name, help, ["integration"])),
        };
        let failed = "alertmanager_notifications_failed_total";
        let failed_help = "The total number of failed notifications.";
        let latency = "alertmanager_notification_latency_seconds";
        let latency_help = "The latency of notifications in seconds.";
        let bounds = &[1.0, 5.0, 10.0, 15.0, 20.0];
        let notifications = Notifications {
            total: counters(
                "alertmanager_notifications_total",
                "The total number of attempted notifications.",
            ),
            failed: match has_receivers {
                true => FailedTotals::Both(registry.counters(
                    failed,
                    failed_help,
                    ["integration", "receiver_name", "reason"],
                )),
                false => FailedTotals::Integration(registry.counters(
                    failed,
                    failed_help,
                    ["integration", "reason"],
                )),
            },
            requests: counters(
                "alertmanager_notification_requests_total",
                "The total number of attempted notification requests.",
            ),
            requests_failed: counters(
                "alertmanager_notification_requests_failed_total",
                "The total number of failed notification requests.",
            ),
            latency: match has_receivers {
                true => PerReceiver::Both(registry.histograms(
                    latency,
                    latency_help,
                    ["integration", "receiver_name"],
                    bounds,
                )),
                false => PerReceiver::Integration(registry.histograms(
                    latency,
                    latency_help,
                    ["integration"],
                    bounds,
                )),
            },
        };
        if !has_receivers {
            for integration in INTEGRATIONS {
                notifications.initialize(integration, "");
            }
        }
        notifications
    }

    /// Makes the metrics of an integration appear.
    pub(crate) fn initialize(&self, integration: &str, receiver: &str) {
        self.of(integration, receiver);
        for reason in FailureReason::ALL {
            self.failed(integration, receiver, reason);
        }
    }

    pub(crate) fn of(&self, integration: &str, receiver: &str) -> IntegrationMetrics {
        IntegrationMetrics {
            notifications: self.total.with(integration, receiver),
            requests: self.requests.with(integration, receiver),
            requests_failed: self.requests_failed.with(integration, receiver),
            latency: self.latency.with(integration, receiver),
        }
    }

    pub(crate) fn failed(
        &self,
        integration: &str,
        receiver: &str,
        reason: FailureReason,
    ) -> Counter {
        let reason = reason.as_str();
        match &self.failed {
            FailedTotals::Integration(counters) => counters.with([integration, reason]),
            FailedTotals::Both(counters) => counters.with([integration, receiver, reason]),
        }
    }
}

impl<T: Clone> PerReceiver<T> {
    fn with(&self, integration: &str, receiver: &str) -> T {
        match self {
            PerReceiver::Integration(vector) => vector.with([integration]),
            PerReceiver::Both(vector) => vector.with([integration, receiver]),
        }
    }
}

impl StateMetrics {
    fn of_log(registry: &Registry) -> StateMetrics {
        registry.counter(
            "alertmanager_nflog_query_errors_total",
            "Number notification log received queries that failed.",
        );
        StateMetrics {
            gc_duration: registry.summary(
                "alertmanager_nflog_gc_duration_seconds",
                "Duration of the last notification log garbage collection cycle.",
                &[],
            ),
            snapshot_duration: registry.summary(
                "alertmanager_nflog_snapshot_duration_seconds",
                "Duration of the last notification log snapshot.",
                &[],
            ),
            snapshot_bytes: registry.gauge(
                "alertmanager_nflog_snapshot_size_bytes",
                "Size of the last notification log snapshot in bytes.",
            ),
            maintenance: registry.counter(
                "alertmanager_nflog_maintenance_total",
                "How many maintenances were executed for the notification log.",
            ),
            maintenance_errors: registry.counter(
                "alertmanager_nflog_maintenance_errors_total",
                "How many maintenances were executed for the notification log that failed.",
            ),
            queries: registry.counter(
                "alertmanager_nflog_queries_total",
                "Number of notification log queries were received.",
            ),
            query_duration: registry.histogram(
                "alertmanager_nflog_query_duration_seconds",
                "Duration of notification log query evaluation.",
                QUERY_BOUNDS,
            ),
            propagated: registry.counter(
                "alertmanager_nflog_gossip_messages_propagated_total",
                "Number of received gossip messages that have been further gossiped.",
            ),
        }
    }

    fn of_silences(registry: &Registry) -> StateMetrics {
        registry.counter(
            "alertmanager_silences_query_errors_total",
            "How many silence received queries did not succeed.",
        );
        StateMetrics {
            gc_duration: registry.summary(
                "alertmanager_silences_gc_duration_seconds",
                "Duration of the last silence garbage collection cycle.",
                &[],
            ),
            snapshot_duration: registry.summary(
                "alertmanager_silences_snapshot_duration_seconds",
                "Duration of the last silence snapshot.",
                &[],
            ),
            snapshot_bytes: registry.gauge(
                "alertmanager_silences_snapshot_size_bytes",
                "Size of the last silence snapshot in bytes.",
            ),
            maintenance: registry.counter(
                "alertmanager_silences_maintenance_total",
                "How many maintenances were executed for silences.",
            ),
            maintenance_errors: registry.counter(
                "alertmanager_silences_maintenance_errors_total",
                "How many maintenances were executed for silences that failed.",
            ),
            queries: registry.counter(
                "alertmanager_silences_queries_total",
                "How many silence queries were received.",
            ),
            query_duration: registry.histogram(
                "alertmanager_silences_query_duration_seconds",
                "Duration of silence query evaluation.",
                QUERY_BOUNDS,
            ),
            propagated: registry.counter(
                "alertmanager_silences_gossip_messages_propagated_total",
                "Number of received gossip messages that have been further gossiped.",
            ),
        }
    }
}
