use std::time::Duration;

use telemetry::{Counter, Gauge, Histogram, Registry, Summary, Vector};

const QUANTILES: &[f64] = &[0.01, 0.05, 0.5, 0.9, 0.99];
const DURATION_BOUNDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// What scraping counts, under upstream's names.
pub(crate) struct Metrics {
    pub(crate) pools: Counter,
    pub(crate) pools_failed: Counter,
    pub(crate) pool_reloads: Counter,
    pub(crate) pool_reloads_failed: Counter,
    pub(crate) exceeded_target_limit: Counter,
    pub(crate) exceeded_label_limits: Counter,
    pub(crate) exceeded_sample_limit: Counter,
    pub(crate) exceeded_bucket_limit: Counter,
    pub(crate) exceeded_body_size_limit: Counter,
    pub(crate) exemplars_out_of_order: Counter,
    pub(crate) cache_flush_forced: Counter,
    pub(crate) duplicate_timestamp: Counter,
    pub(crate) out_of_order: Counter,
    pub(crate) out_of_bounds: Counter,
    pub(crate) scrape_duration: Histogram,
    pool_targets: Vector<Gauge, 1>,
    pool_target_limit: Vector<Gauge, 1>,
    pool_syncs: Vector<Counter, 1>,
    sync_failed: Vector<Counter, 1>,
    sync_length: Vector<Summary, 1>,
    interval_length: Vector<Summary, 1>,
    reload_length: Vector<Summary, 1>,
}

/// What one job counts.
#[derive(Clone)]
pub(crate) struct PoolMetrics {
    pub(crate) targets: Gauge,
    pub(crate) target_limit: Gauge,
    pub(crate) syncs: Counter,
    pub(crate) sync_failed: Counter,
    pub(crate) sync_length: Summary,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> Metrics {
        Metrics {
            pools: registry.counter(
                "prometheus_target_scrape_pools_total",
                "Total number of scrape pool creation attempts.",
            ),
            pools_failed: registry.counter(
                "prometheus_target_scrape_pools_failed_total",
                "Total number of scrape pool creations that failed.",
            ),
            pool_reloads: registry.counter(
                "prometheus_target_scrape_pool_reloads_total",
                "Total number of scrape pool reloads.",
            ),
            pool_reloads_failed: registry.counter(
                "prometheus_target_scrape_pool_reloads_failed_total",
                "Total number of failed scrape pool reloads.",
            ),
            exceeded_target_limit: registry.counter(
                "prometheus_target_scrape_pool_exceeded_target_limit_total",
                "Total number of times scrape pools hit the target limit, during sync or config reload.",
            ),
            exceeded_label_limits: registry.counter(
                "prometheus_target_scrape_pool_exceeded_label_limits_total",
                "Total number of times scrape pools hit the label limits, during sync or config reload.",
            ),
            exceeded_sample_limit: registry.counter(
                "prometheus_target_scrapes_exceeded_sample_limit_total",
                "Total number of scrapes that hit the sample limit and were rejected.",
            ),
            exceeded_bucket_limit: registry.counter(
                "prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total",
                "Total number of scrapes that hit the native histogram bucket limit and were rejected.",
            ),
            exemplars_out_of_order: registry.counter(
                "prometheus_target_scrapes_exemplar_out_of_order_total",
                "Total number of exemplar rejected due to not being out of the expected order.",
            ),
            exceeded_body_size_limit: registry.counter(
                "prometheus_target_scrapes_exceeded_body_size_limit_total",
                "Total number of scrapes that hit the body size limit",
            ),
            cache_flush_forced: registry.counter(
                "prometheus_target_scrapes_cache_flush_forced_total",
                "How many times a scrape cache was flushed due to getting big while scrapes are failing.",
            ),
            duplicate_timestamp: registry.counter(
                "prometheus_target_scrapes_sample_duplicate_timestamp_total",
                "Total number of samples rejected due to duplicate timestamps but different values.",
            ),
            out_of_order: registry.counter(
                "prometheus_target_scrapes_sample_out_of_order_total",
                "Total number of samples rejected due to not being out of the expected order.",
            ),
            out_of_bounds: registry.counter(
                "prometheus_target_scrapes_sample_out_of_bounds_total",
                "Total number of samples rejected due to timestamp falling outside of the time bounds.",
            ),
            scrape_duration: registry.histogram(
                "prometheus_target_scrape_duration_seconds",
                "Total duration of the scrape from start to commit completion in seconds.",
                DURATION_BOUNDS,
            ),
            pool_targets: registry.gauges(
                "prometheus_target_scrape_pool_targets",
                "Current number of targets in this scrape pool.",
                ["scrape_job"],
            ),
            pool_target_limit: registry.gauges(
                "prometheus_target_scrape_pool_target_limit",
                "Maximum number of targets allowed in this scrape pool.",
                ["scrape_job"],
            ),
            pool_syncs: registry.counters(
                "prometheus_target_scrape_pool_sync_total",
                "Total number of syncs that were executed on a scrape pool.",
                ["scrape_job"],
            ),
            sync_failed: registry.counters(
                "prometheus_target_sync_failed_total",
                "Total number of target sync failures.",
                ["scrape_job"],
            ),
            sync_length: registry.summaries(
                "prometheus_target_sync_length_seconds",
                "Actual interval to sync the scrape pool.",
                ["scrape_job"],
                QUANTILES,
            ),
            interval_length: registry.summaries(
                "prometheus_target_interval_length_seconds",
                "Actual intervals between scrapes.",
                ["interval"],
                QUANTILES,
            ),
            reload_length: registry.summaries(
                "prometheus_target_reload_length_seconds",
                "Actual interval to reload the scrape pool with a given configuration.",
                ["interval"],
                QUANTILES,
            ),
        }
    }

    pub(crate) fn of_pool(&self, job: &str) -> PoolMetrics {
        PoolMetrics {
            targets: self.pool_targets.with([job]),
            target_limit: self.pool_target_limit.with([job]),
            syncs: self.pool_syncs.with([job]),
            sync_failed: self.sync_failed.with([job]),
            sync_length: self.sync_length.with([job]),
        }
    }

    /// Forgets a job that is no longer configured.
    pub(crate) fn remove_pool(&self, job: &str) {
        self.pool_targets.remove([job]);
        self.pool_target_limit.remove([job]);
        self.pool_syncs.remove([job]);
        self.sync_failed.remove([job]);
        self.sync_length.remove([job]);
    }

    pub(crate) fn interval_length(&self, interval: Duration) -> Summary {
        self.interval_length.with([&model::duration::format(interval)])
    }

    pub(crate) fn reload_length(&self, interval: Duration) -> Summary {
        self.reload_length.with([&model::duration::format(interval)])
    }
}
