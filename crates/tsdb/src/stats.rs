use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{
    database::Store,
    exemplars::ExemplarCounters,
    head::{Head, Page},
};

/// What the head holds, as `/api/v1/status/tsdb` shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeadStats {
    pub n_series: u64,
    pub n_label_pairs: u64,
    pub n_chunks: u64,
    /// Milliseconds; `i64::MAX` while there are no samples.
    pub min_time: i64,
    /// Milliseconds; `i64::MIN` while there are no samples.
    pub max_time: i64,
    pub series_count_by_metric_name: Vec<(String, u64)>,
    pub label_value_count_by_label_name: Vec<(String, u64)>,
    pub memory_in_bytes_by_label_name: Vec<(String, u64)>,
    pub series_count_by_label_value_pair: Vec<(String, u64)>,
}

/// What the database has done and holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counters {
    pub series: u64,
    pub series_created: u64,
    pub series_removed: u64,
    pub chunks: u64,
    pub chunks_created: u64,
    pub chunks_removed: u64,
    pub samples_appended: u64,
    /// Not later than one of the same batch.
    pub samples_dropped: u64,
    pub out_of_order: u64,
    pub out_of_bounds: u64,
    pub too_old: u64,
    /// Those behind a newer one of their series.
    pub late_floats_appended: u64,
    pub late_histograms_appended: u64,
    pub late_log_bytes_on_disk: u64,
    /// How late samples were, whether they were taken or not.
    pub lateness: Lateness,
    pub min_time: i64,
    pub max_time: i64,
    pub symbol_bytes: u64,
    pub isolation_low_watermark: u64,
    pub isolation_high_watermark: u64,
    pub active_appenders: u64,
    pub replay_time: Duration,
    pub log_syncs: u64,
    pub log_sync_time: Duration,
    pub log_corruptions: u64,
    pub log_bytes_on_disk: u64,
    pub log_truncations: u64,
    pub log_truncations_failed: u64,
    pub log: wal::Stats,
    pub exemplars: ExemplarCounters,
    pub compactions: u64,
    pub compactions_failed: u64,
    pub compaction_time: Duration,
    pub blocks_loaded: u64,
    pub block_bytes: u64,
    pub reloads: u64,
    /// Looks into the directory that found blocks which cannot be opened.
    pub reloads_failed: u64,
    /// Rounds in which blocks were dropped for their age.
    pub time_retentions: u64,
    /// Rounds in which blocks were dropped for lack of room.
    pub size_retentions: u64,
}

/// How much older than the newest sample of all others were.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lateness {
    /// Upper bounds in seconds, and how many were within each.
    pub buckets: Vec<(f64, u64)>,
    pub sum: Duration,
    pub count: u64,
}

/// Upstream's bounds, in seconds.
const LATENESS_BOUNDS: [u32; 7] = [600, 1800, 3600, 7200, 10_800, 21_600, 43_200];

/// Counts what is late.
#[derive(Default)]
pub(crate) struct LatenessCounter {
    /// One for each bound; those beyond are in `count` only.
    buckets: [Counter; LATENESS_BOUNDS.len()],
    sum: Counter,
    count: Counter,
}

impl LatenessCounter {
    pub(crate) fn observe(&self, late_ms: u64) {
        let is_within = |bound: &u32| late_ms <= u64::from(*bound) * 1000;
        if let Some(idx) = LATENESS_BOUNDS.iter().position(is_within) {
            self.buckets[idx].add(1);
        }
        self.sum.add_time(Duration::from_millis(late_ms));
        self.count.add(1);
    }

    pub(crate) fn value(&self) -> Lateness {
        let mut n_within = 0;
        let buckets = LATENESS_BOUNDS.iter().zip(&self.buckets).map(|(bound, bucket)| {
            n_within += bucket.value();
            (f64::from(*bound), n_within)
        });
        let buckets = buckets.collect();
        Lateness { buckets, sum: self.sum.time(), count: self.count.value() }
    }
}

#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn subtract(&self, n: u64) {
        self.0.fetch_sub(n, Ordering::Relaxed);
    }

    pub(crate) fn add_time(&self, time: Duration) {
        self.add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    fn time(&self) -> Duration {
        Duration::from_nanos(self.value())
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Default)]
pub(crate) struct AtomicCounters {
    pub(crate) series_created: Counter,
    pub(crate) series_removed: Counter,
    pub(crate) chunks_created: Counter,
    pub(crate) chunks_removed: Counter,
    pub(crate) samples_appended: Counter,
    pub(crate) samples_dropped: Counter,
    pub(crate) out_of_order: Counter,
    pub(crate) out_of_bounds: Counter,
    pub(crate) too_old: Counter,
    pub(crate) lateness: LatenessCounter,
    pub(crate) late_floats_appended: Counter,
    pub(crate) late_histograms_appended: Counter,
    pub(crate) active_appenders: Counter,
    pub(crate) replay_time: Counter,
    pub(crate) log_syncs: Counter,
    pub(crate) log_sync_time: Counter,
    pub(crate) log_corruptions: Counter,
    pub(crate) log_truncations: Counter,
    pub(crate) log_truncations_failed: Counter,
    pub(crate) compactions: Counter,
    pub(crate) compactions_failed: Counter,
    pub(crate) compaction_time: Counter,
    pub(crate) reloads: Counter,
    pub(crate) reloads_failed: Counter,
    pub(crate) time_retentions: Counter,
    pub(crate) size_retentions: Counter,
}

pub(crate) fn counters(store: &Store) -> Counters {
    let counters = &store.counters;
    let blocks = store.catalog.blocks();
    let (high, low) = store.head.isolation.watermarks();
    let (series, symbol_bytes) = {
        let index = store.head.index.read();
        (index.all().len() as u64, index.symbol_bytes() as u64)
    };
    let [chunks_created, chunks_removed] =
        [&counters.chunks_created, &counters.chunks_removed].map(Counter::value);
    Counters {
        series,
        series_created: counters.series_created.value(),
        series_removed: counters.series_removed.value(),
        chunks: chunks_created.saturating_sub(chunks_removed),
        chunks_created,
        chunks_removed,
        samples_appended: counters.samples_appended.value(),
        samples_dropped: counters.samples_dropped.value(),
        out_of_order: counters.out_of_order.value(),
        out_of_bounds: counters.out_of_bounds.value(),
        too_old: counters.too_old.value(),
        lateness: counters.lateness.value(),
        late_floats_appended: counters.late_floats_appended.value(),
        late_histograms_appended: counters.late_histograms_appended.value(),
        late_log_bytes_on_disk: wal::bytes_on_disk(&*store.runtime.disk, &store.late_log_directory),
        min_time: store.head.min_time(),
        max_time: store.head.max_time(),
        symbol_bytes,
        isolation_low_watermark: low,
        isolation_high_watermark: high,
        active_appenders: counters.active_appenders.value(),
        replay_time: counters.replay_time.time(),
        log_syncs: counters.log_syncs.value(),
        log_sync_time: counters.log_sync_time.time(),
        log_corruptions: counters.log_corruptions.value(),
        log_bytes_on_disk: wal::bytes_on_disk(&*store.runtime.disk, &store.log_directory),
        log_truncations: counters.log_truncations.value(),
        log_truncations_failed: counters.log_truncations_failed.value(),
        log: store.log.lock().stats(),
        exemplars: store.exemplars.lock().counters(),
        compactions: counters.compactions.value(),
        compactions_failed: counters.compactions_failed.value(),
        compaction_time: counters.compaction_time.time(),
        blocks_loaded: blocks.len() as u64,
        block_bytes: blocks.iter().map(blocks::Block::bytes).sum(),
        reloads: counters.reloads.value(),
        reloads_failed: counters.reloads_failed.value(),
        time_retentions: counters.time_retentions.value(),
        size_retentions: counters.size_retentions.value(),
    }
}

pub(crate) fn head_stats(head: &Head, limit: usize) -> HeadStats {
    let n_chunks = |page: &Arc<Page>| -> u64 {
        page.lock().iter().map(|series| series.n_chunks() as u64).sum()
    };
    let mut stats = HeadStats {
        n_chunks: head.pages().iter().map(n_chunks).sum(),
        min_time: head.min_time(),
        max_time: head.max_time(),
        ..HeadStats::default()
    };
    let index = head.index.read();
    stats.n_series = index.all().len() as u64;
    for name in index.label_names() {
        let (mut n_values, mut bytes) = (0, 0);
        for (value, ids) in index.values(name) {
            let n_series = ids.len() as u64;
            n_values += 1;
            bytes += (packed_bytes(name) + packed_bytes(value)) * n_series;
            if name == model::METRIC_NAME {
                stats.series_count_by_metric_name.push((value.to_owned(), n_series));
            }
            stats.series_count_by_label_value_pair.push((format!("{name}={value}"), n_series));
        }
        stats.n_label_pairs += n_values;
        stats.label_value_count_by_label_name.push((name.to_owned(), n_values));
        stats.memory_in_bytes_by_label_name.push((name.to_owned(), bytes));
    }
    keep_largest(&mut stats.series_count_by_metric_name, limit);
    keep_largest(&mut stats.label_value_count_by_label_name, limit);
    keep_largest(&mut stats.memory_in_bytes_by_label_name, limit);
    keep_largest(&mut stats.series_count_by_label_value_pair, limit);
    stats
}

/// What a text takes in upstream's packed labels: its length and itself.
fn packed_bytes(text: &str) -> u64 {
    let len = text.len() as u64;
    if len < 255 { 1 + len } else { 4 + len }
}

/// The `limit` largest, largest first; of equals the first by name.
fn keep_largest(entries: &mut Vec<(String, u64)>, limit: usize) {
    entries.sort_unstable_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then(a.cmp(b)));
    entries.truncate(limit);
}
