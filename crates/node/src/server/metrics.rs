//! The metrics of the storage, under upstream's names.

use api::prometheus::lifecycle::{Phase, Readiness};
use telemetry::{Bucket, Family, Kind, Metric, Reading, Registry};
use tsdb::Counters;

use super::storage::LateDatabase;

/// Registers the figures of the database; there are none while it opens.
pub(super) fn register(registry: &Registry, storage: LateDatabase) {
    registry.collect(move |families| {
        let Some(database) = storage.get() else { return };
        let counters = database.counters();
        for (name, help, value) in gauges(&counters) {
            families.push(Family::single(name, help, Kind::Gauge, value));
        }
        for (name, help, value) in totals(&counters) {
            families.push(Family::single(name, help, Kind::Counter, value as f64));
        }
        families.extend(by_type(&counters));
        families.push(log_syncs(&counters));
        families.push(lateness(counters.lateness));
    });
}

/// Registers `prometheus_ready`.
pub(super) fn register_readiness(registry: &Registry, readiness: Readiness) {
    registry.collect(move |families| {
        let is_ready = readiness.phase() == Phase::Ready;
        families.push(Family::single(
            "prometheus_ready",
            "Whether Prometheus startup was fully completed and the server is ready for normal operation.",
            Kind::Gauge,
            f64::from(u8::from(is_ready)),
        ));
    });
}

type Row<T> = (&'static str, &'static str, T);

#[rustfmt::skip]
fn gauges(counters: &Counters) -> Vec<Row<f64>> {
    let seconds = |millis: i64| millis as f64 / 1000.0;
    vec![
        ("prometheus_tsdb_head_series", "Total number of series in the head block.", counters.series as f64),
        ("prometheus_tsdb_head_chunks", "Total number of chunks in the head block.", counters.chunks as f64),
        ("prometheus_tsdb_head_min_time", "Minimum time bound of the head block. The unit is decided by the library consumer.", counters.min_time as f64),
        ("prometheus_tsdb_head_max_time", "Maximum timestamp of the head block. The unit is decided by the library consumer.", counters.max_time as f64),
        ("prometheus_tsdb_head_min_time_seconds", "Minimum time bound of the head block.", seconds(counters.min_time)),
        ("prometheus_tsdb_head_max_time_seconds", "Maximum timestamp of the head block.", seconds(counters.max_time)),
        ("prometheus_tsdb_lowest_timestamp", "Lowest timestamp value stored in the database. The unit is decided by the library consumer.", counters.min_time as f64),
        ("prometheus_tsdb_lowest_timestamp_seconds", "Lowest timestamp value stored in the database.", seconds(counters.min_time)),
        ("prometheus_tsdb_head_active_appenders", "Number of currently active appender transactions", counters.active_appenders as f64),
        ("prometheus_tsdb_isolation_low_watermark", "The lowest TSDB append ID that is still referenced.", counters.isolation_low_watermark as f64),
        ("prometheus_tsdb_isolation_high_watermark", "The highest TSDB append ID that has been given out.", counters.isolation_high_watermark as f64),
        ("prometheus_tsdb_symbol_table_size_bytes", "Size of symbol table in memory for loaded blocks", counters.symbol_bytes as f64),
        ("prometheus_tsdb_data_replay_duration_seconds", "Time taken to replay the data on disk.", counters.replay_time.as_secs_f64()),
        ("prometheus_tsdb_blocks_loaded", "Number of currently loaded data blocks", counters.blocks_loaded as f64),
        ("prometheus_tsdb_storage_blocks_bytes", "The number of bytes that are currently used for local storage by all blocks.", counters.block_bytes as f64),
        ("prometheus_tsdb_wal_segment_current", "Write log segment index that TSDB is currently writing to.", f64::from(counters.log.segment)),
        ("prometheus_tsdb_wal_storage_size_bytes", "Size of the write log directory.", counters.log_bytes_on_disk as f64),
        ("prometheus_tsdb_out_of_order_wbl_storage_size_bytes", "Size of the write log directory.", counters.late_log_bytes_on_disk as f64),
        ("prometheus_tsdb_exemplar_exemplars_in_storage", "Number of exemplars currently in circular storage.", counters.exemplars.stored as f64),
        ("prometheus_tsdb_exemplar_series_with_exemplars_in_storage", "Number of series with exemplars currently in circular storage.", counters.exemplars.series as f64),
        ("prometheus_tsdb_exemplar_last_exemplars_timestamp_seconds", "The timestamp of the oldest exemplar stored in circular storage. Useful to check for what timerange the current exemplar buffer limit allows. This usually means the last timestampfor all exemplars for a typical setup. This is not true though if one of the series timestamp is in future compared to rest series.", seconds(counters.exemplars.oldest_time)),
        ("prometheus_tsdb_exemplar_max_exemplars", "Total number of exemplars the exemplar storage can store, resizeable.", counters.exemplars.max as f64),
    ]
}

#[rustfmt::skip]
fn totals(counters: &Counters) -> Vec<Row<u64>> {
    vec![
        ("prometheus_tsdb_head_series_created_total", "Total number of series created in the head", counters.series_created),
        ("prometheus_tsdb_head_series_removed_total", "Total number of series removed in the head", counters.series_removed),
        ("prometheus_tsdb_head_chunks_created_total", "Total number of chunks created in the head", counters.chunks_created),
        ("prometheus_tsdb_head_chunks_removed_total", "Total number of chunks removed in the head", counters.chunks_removed),
        ("prometheus_tsdb_head_truncations_total", "Total number of head truncations attempted.", counters.log_truncations + counters.log_truncations_failed),
        ("prometheus_tsdb_head_truncations_failed_total", "Total number of head truncations that failed.", counters.log_truncations_failed),
        ("prometheus_tsdb_wal_corruptions_total", "Total number of WAL corruptions.", counters.log_corruptions),
        ("prometheus_tsdb_wal_truncations_total", "Total number of write log truncations attempted.", counters.log_truncations + counters.log_truncations_failed),
        ("prometheus_tsdb_wal_truncations_failed_total", "Total number of write log truncations that failed.", counters.log_truncations_failed),
        ("prometheus_tsdb_wal_writes_failed_total", "Total number of write log writes that failed.", counters.log.writes_failed),
        ("prometheus_tsdb_wal_completed_pages_total", "Total number of completed pages.", counters.log.n_pages_completed),
        ("prometheus_tsdb_wal_page_flushes_total", "Total number of page flushes.", counters.log.n_writes),
        ("prometheus_tsdb_compactions_total", "Total number of compactions that were executed for the partition.", counters.compactions),
        ("prometheus_tsdb_compactions_failed_total", "Total number of compactions that failed for the partition.", counters.compactions_failed),
        ("prometheus_tsdb_reloads_total", "Number of times the database reloaded block data from disk.", counters.reloads),
        ("prometheus_tsdb_reloads_failures_total", "Number of times the database failed to reloadBlocks block data from disk.", counters.reloads_failed),
        ("prometheus_tsdb_time_retentions_total", "The number of times that blocks were deleted because the maximum time limit was exceeded.", counters.time_retentions),
        ("prometheus_tsdb_size_retentions_total", "The number of times that blocks were deleted because the maximum number of bytes was exceeded.", counters.size_retentions),
        ("prometheus_tsdb_wal_record_bytes_saved_total", "Total number of bytes saved by the optional record compression.", counters.log.n_record_bytes.saturating_sub(counters.log.n_bytes)),
        ("prometheus_tsdb_exemplar_exemplars_appended_total", "Total number of appended exemplars.", counters.exemplars.appended),
        ("prometheus_tsdb_exemplar_out_of_order_exemplars_total", "Total number of out of order exemplar ingestion failed attempts.", counters.exemplars.out_of_order),
    ]
}

/// What upstream counts for floats and histograms apart; mostly we do not.
fn by_type(counters: &Counters) -> Vec<Family> {
    let rows = [
        (
            "prometheus_tsdb_head_samples_appended_total",
            "Total number of appended samples.",
            counters.samples_appended,
        ),
        (
            "prometheus_tsdb_out_of_order_samples_total",
            "Total number of out of order samples ingestion failed attempts due to out of order being disabled.",
            counters.out_of_order,
        ),
        (
            "prometheus_tsdb_out_of_bound_samples_total",
            "Total number of out of bound samples ingestion failed attempts with out of order support disabled.",
            counters.out_of_bounds,
        ),
        (
            "prometheus_tsdb_too_old_samples_total",
            "Total number of out of order samples ingestion failed attempts with out of support enabled, but sample outside of time window.",
            counters.too_old,
        ),
        (
            "prometheus_tsdb_head_out_of_order_samples_appended_total",
            "Total number of appended out of order samples.",
            counters.late_floats_appended,
        ),
    ];
    let family = |(name, help, value): (&str, &str, u64)| {
        let family: Family = Family::new(name, help, Kind::Counter);
        let family = family.with(&[("type", "float")], value as f64);
        match name.contains("out_of_order_samples_appended") {
            true => family.with(&[("type", "histogram")], counters.late_histograms_appended as f64),
            false => family,
        }
    };
    rows.into_iter().map(family).collect()
}

/// Without quantiles: upstream's are of a few calls an hour.
fn log_syncs(counters: &Counters) -> Family {
    let mut family = Family::new(
        "prometheus_tsdb_wal_fsync_duration_seconds",
        "Duration of write log fsync.",
        Kind::Summary,
    );
    let sum = counters.log_sync_time.as_secs_f64();
    let reading = Reading::Summary { quantiles: Vec::new(), sum, count: counters.log_syncs };
    family.metrics.push(Metric { labels: Vec::new(), reading });
    family
}

fn lateness(lateness: tsdb::Lateness) -> Family {
    let mut family = Family::new(
        "prometheus_tsdb_sample_ooo_delta",
        "Delta in seconds by which a sample is considered out of order (reported regardless of OOO time window and whether sample is accepted or not).",
        Kind::Histogram,
    );
    let buckets = lateness.buckets.into_iter();
    let buckets = buckets
        .map(|(upper_bound, cumulative_count)| Bucket { upper_bound, cumulative_count })
        .collect();
    let (sum, count) = (lateness.sum.as_secs_f64(), lateness.count);
    let reading = Reading::Histogram { buckets, sum, count };
    family.metrics.push(Metric { labels: Vec::new(), reading });
    family
}
