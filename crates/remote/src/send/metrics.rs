use std::collections::BTreeMap;

use telemetry::{Counter, Gauge, Histogram, Registry, Vector};

use super::batch::Count;

const QUEUE: [&str; 2] = ["remote_name", "url"];

const SECONDS: [f64; 15] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 60.0, 120.0, 300.0];

#[rustfmt::skip]
const COUNTERS: &[(&str, &str)] = &[
    ("prometheus_remote_storage_samples_total", "Samples that were sent to remote storage."),
    ("prometheus_remote_storage_samples_failed_total", "Samples that remote storage refused for good."),
    ("prometheus_remote_storage_samples_retried_total", "Samples that were sent again after a failure."),
    ("prometheus_remote_storage_histograms_total", "Histograms that were sent to remote storage."),
    ("prometheus_remote_storage_histograms_failed_total", "Histograms that remote storage refused for good."),
    ("prometheus_remote_storage_histograms_retried_total", "Histograms that were sent again after a failure."),
    ("prometheus_remote_storage_exemplars_total", "Exemplars that were sent to remote storage."),
    ("prometheus_remote_storage_exemplars_failed_total", "Exemplars that remote storage refused for good."),
    ("prometheus_remote_storage_exemplars_retried_total", "Exemplars that were sent again after a failure."),
    ("prometheus_remote_storage_metadata_total", "Metadata entries that were sent to remote storage."),
    ("prometheus_remote_storage_metadata_failed_total", "Metadata entries that remote storage refused for good."),
    ("prometheus_remote_storage_metadata_retried_total", "Metadata entries that were sent again after a failure."),
    ("prometheus_remote_storage_metadata_bytes_total", "Bytes of metadata that were sent, after compression."),
    ("prometheus_remote_storage_bytes_total", "Bytes of samples that were sent, after compression."),
    ("prometheus_remote_storage_enqueue_retries_total", "How often reading had to wait for room in a shard."),
];

#[rustfmt::skip]
const GAUGES: &[(&str, &str)] = &[
    ("prometheus_remote_storage_samples_pending", "Samples that wait in shards."),
    ("prometheus_remote_storage_histograms_pending", "Histograms that wait in shards."),
    ("prometheus_remote_storage_exemplars_pending", "Exemplars that wait in shards."),
    ("prometheus_remote_storage_queue_highest_timestamp_seconds", "The newest time that the queue was given."),
    ("prometheus_remote_storage_queue_highest_sent_timestamp_seconds", "The newest time that the queue has sent."),
    ("prometheus_remote_storage_shards", "Shards that send."),
    ("prometheus_remote_storage_shards_max", "Shards that the queue may have."),
    ("prometheus_remote_storage_shards_min", "Shards that the queue must have."),
    ("prometheus_remote_storage_shards_desired", "Shards that the queue would like to have."),
    ("prometheus_remote_storage_shard_capacity", "Samples for which a shard has room."),
    ("prometheus_remote_storage_max_samples_per_send", "Samples in the largest request."),
    (KEPT_BYTES, "Bytes of the log that are kept because the receiver has not acknowledged them."),
    (LAG, "How far the newest sample that was sent lies behind the newest that came in."),
];

const KEPT_BYTES: &str = "vesta_remote_storage_kept_bytes";
const LAG: &str = "vesta_remote_storage_lag_seconds";

const PREFIX: &str = "prometheus_remote_storage_";
const DURATION: &str = "prometheus_remote_storage_sent_batch_duration_seconds";

/// What queues count, under upstream's names.
#[derive(Clone)]
pub(super) struct Metrics {
    counters: BTreeMap<&'static str, Vector<Counter, 2>>,
    gauges: BTreeMap<&'static str, Vector<Gauge, 2>>,
    duration: Vector<Histogram, 2>,
    samples_dropped: Vector<Counter, 3>,
    histograms_dropped: Vector<Counter, 3>,
    exemplars_dropped: Vector<Counter, 3>,
    segment: Vector<Gauge, 1>,
    records: Vector<Counter, 2>,
    decode_failures: Vector<Counter, 1>,
}

/// What one queue counts.
#[derive(Clone)]
pub(super) struct QueueMetrics {
    pub(super) samples: KindMetrics,
    pub(super) histograms: KindMetrics,
    pub(super) exemplars: KindMetrics,
    pub(super) metadata: Counter,
    pub(super) metadata_failed: Counter,
    pub(super) metadata_retried: Counter,
    pub(super) metadata_bytes: Counter,
    pub(super) bytes: Counter,
    pub(super) enqueue_retries: Counter,
    pub(super) duration: Histogram,
    pub(super) highest: Gauge,
    pub(super) highest_sent: Gauge,
    pub(super) kept_bytes: Gauge,
    pub(super) lag: Gauge,
    pub(super) shards: Gauge,
    pub(super) shards_desired: Gauge,
    pub(super) segment: Gauge,
    pub(super) sample_records: Counter,
    pub(super) series_records: Counter,
    pub(super) decode_failures: Counter,
}

/// What is counted of samples, and again of histograms and of exemplars.
#[derive(Clone)]
pub(super) struct KindMetrics {
    pub(super) sent: Counter,
    pub(super) failed: Counter,
    pub(super) retried: Counter,
    pub(super) pending: Gauge,
    pub(super) too_old: Counter,
    pub(super) dropped_series: Counter,
    pub(super) unknown_series: Counter,
    /// Custom buckets, for which version 1 has no room.
    pub(super) not_supported: Counter,
}

impl QueueMetrics {
    /// Adds to one counter of each kind.
    pub(super) fn add(&self, counter: impl Fn(&KindMetrics) -> &Counter, count: Count) {
        for (kind, n) in self.kinds(count) {
            counter(kind).add(n);
        }
    }

    pub(super) fn begin_waiting(&self, count: Count) {
        self.kinds(count).for_each(|(kind, n)| kind.pending.add(n));
    }

    pub(super) fn end_waiting(&self, count: Count) {
        self.kinds(count).for_each(|(kind, n)| kind.pending.add(-n));
    }

    /// Those kinds of which there are any.
    fn kinds(&self, count: Count) -> impl Iterator<Item = (&KindMetrics, f64)> {
        let kinds = [
            (&self.samples, count.samples),
            (&self.histograms, count.histograms),
            (&self.exemplars, count.exemplars),
        ];
        kinds.into_iter().filter(|(_, n)| *n > 0).map(|(kind, n)| (kind, n as f64))
    }
}

impl Metrics {
    pub(super) fn register(registry: &Registry) -> Metrics {
        let dropped = ["remote_name", "url", "reason"];
        Metrics {
            counters: COUNTERS
                .iter()
                .map(|(name, help)| (*name, registry.counters(name, help, QUEUE)))
                .collect(),
            gauges: GAUGES
                .iter()
                .map(|(name, help)| (*name, registry.gauges(name, help, QUEUE)))
                .collect(),
            duration: registry.histograms(DURATION, "How long requests took.", QUEUE, &SECONDS),
            samples_dropped: registry.counters(
                "prometheus_remote_storage_samples_dropped_total",
                "Samples that were read from the log and not sent.",
                dropped,
            ),
            histograms_dropped: registry.counters(
                "prometheus_remote_storage_histograms_dropped_total",
                "Histograms that were read from the log and not sent.",
                dropped,
            ),
            exemplars_dropped: registry.counters(
                "prometheus_remote_storage_exemplars_dropped_total",
                "Exemplars that were read from the log and not sent.",
                dropped,
            ),
            segment: registry.gauges(
                "prometheus_wal_watcher_current_segment",
                "The segment of the log that is being read.",
                ["consumer"],
            ),
            records: registry.counters(
                "prometheus_wal_watcher_records_read_total",
                "Records that were read from the log.",
                ["consumer", "type"],
            ),
            decode_failures: registry.counters(
                "prometheus_wal_watcher_record_decode_failures_total",
                "Records of the log that could not be decoded.",
                ["consumer"],
            ),
        }
    }

    pub(super) fn of(&self, name: &str, url: &str) -> QueueMetrics {
        let counter = |metric: &str| {
            let metric = format!("{PREFIX}{metric}");
            self.counters.get(metric.as_str()).map(|v| v.with([name, url])).unwrap_or_default()
        };
        let gauge = |metric: &str| self.gauge(&format!("{PREFIX}{metric}"), name, url);
        let kind = |what: &str, dropped: &Vector<Counter, 3>| {
            let dropped = |reason| dropped.with([name, url, reason]);
            KindMetrics {
                sent: counter(&format!("{what}_total")),
                failed: counter(&format!("{what}_failed_total")),
                retried: counter(&format!("{what}_retried_total")),
                pending: gauge(&format!("{what}_pending")),
                too_old: dropped("too_old"),
                dropped_series: dropped("dropped_series"),
                unknown_series: dropped("unintentionally_dropped_series"),
                not_supported: dropped("nhcb_in_rw1_not_supported"),
            }
        };
        QueueMetrics {
            samples: kind("samples", &self.samples_dropped),
            histograms: kind("histograms", &self.histograms_dropped),
            exemplars: kind("exemplars", &self.exemplars_dropped),
            metadata: counter("metadata_total"),
            metadata_failed: counter("metadata_failed_total"),
            metadata_retried: counter("metadata_retried_total"),
            metadata_bytes: counter("metadata_bytes_total"),
            bytes: counter("bytes_total"),
            enqueue_retries: counter("enqueue_retries_total"),
            duration: self.duration.with([name, url]),
            highest: gauge("queue_highest_timestamp_seconds"),
            highest_sent: gauge("queue_highest_sent_timestamp_seconds"),
            kept_bytes: self.gauge(KEPT_BYTES, name, url),
            lag: self.gauge(LAG, name, url),
            shards: gauge("shards"),
            shards_desired: gauge("shards_desired"),
            segment: self.segment.with([name]),
            sample_records: self.records.with([name, "samples"]),
            series_records: self.records.with([name, "series"]),
            decode_failures: self.decode_failures.with([name]),
        }
    }

    /// Shows what a queue was told.
    pub(super) fn show_settings(&self, name: &str, url: &str, queue: &super::config::Queue) {
        for (metric, value) in [
            ("shards_max", queue.max_shards),
            ("shards_min", queue.min_shards),
            ("shard_capacity", queue.capacity),
            ("max_samples_per_send", queue.max_samples_per_send),
        ] {
            self.gauge(&format!("{PREFIX}{metric}"), name, url).set(value as f64);
        }
    }

    /// Forgets a queue.
    pub(super) fn remove(&self, name: &str, url: &str) {
        self.counters.values().for_each(|vector| vector.remove([name, url]));
        self.gauges.values().for_each(|vector| vector.remove([name, url]));
        self.duration.remove([name, url]);
        for reason in [
            "too_old",
            "dropped_series",
            "unintentionally_dropped_series",
            "nhcb_in_rw1_not_supported",
        ] {
            self.samples_dropped.remove([name, url, reason]);
            self.histograms_dropped.remove([name, url, reason]);
            self.exemplars_dropped.remove([name, url, reason]);
        }
        self.segment.remove([name]);
        self.decode_failures.remove([name]);
        ["samples", "series"].iter().for_each(|kind| self.records.remove([name, kind]));
    }

    fn gauge(&self, metric: &str, name: &str, url: &str) -> Gauge {
        self.gauges.get(metric).map(|v| v.with([name, url])).unwrap_or_default()
    }
}
