use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;

use crate::{Bucket, Reading};

/// A float that many threads add to.
#[derive(Debug, Default)]
struct AtomicFloat(AtomicU64);

impl AtomicFloat {
    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }

    fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    fn add(&self, amount: f64) {
        let add = |bits| Some((f64::from_bits(bits) + amount).to_bits());
        // The closure always returns a value, so the update always succeeds.
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).unwrap_or_default();
    }
}

/// Counts upwards. Cloning shares the count.
#[derive(Debug, Clone, Default)]
pub struct Counter(Arc<AtomicFloat>);

impl Counter {
    pub fn increment(&self) {
        self.add(1.0);
    }

    pub fn add(&self, amount: f64) {
        debug_assert!(amount >= 0.0, "a counter never goes back");
        self.0.add(amount);
    }

    pub fn get(&self) -> f64 {
        self.0.get()
    }
}

/// Goes up and down. Cloning shares the value.
#[derive(Debug, Clone, Default)]
pub struct Gauge(Arc<AtomicFloat>);

impl Gauge {
    pub fn set(&self, value: f64) {
        self.0.set(value);
    }

    pub fn add(&self, amount: f64) {
        self.0.add(amount);
    }

    pub fn get(&self) -> f64 {
        self.0.get()
    }
}

/// Counts observations in buckets. Cloning shares the counts.
#[derive(Debug, Clone)]
pub struct Histogram(Arc<Mutex<Buckets>>);

#[derive(Debug)]
struct Buckets {
    /// Ascending, without `+Inf`.
    bounds: Vec<f64>,
    /// One more than `bounds`; not cumulative.
    counts: Vec<u64>,
    sum: f64,
}

impl Histogram {
    pub(crate) fn new(bounds: &[f64]) -> Histogram {
        debug_assert!(bounds.is_sorted());
        let counts = vec![0; bounds.len() + 1];
        Histogram(Arc::new(Mutex::new(Buckets { bounds: bounds.to_vec(), counts, sum: 0.0 })))
    }

    pub fn observe(&self, value: f64) {
        let mut buckets = self.0.lock();
        let idx = buckets.bounds.partition_point(|bound| *bound < value);
        buckets.counts[idx] += 1;
        buckets.sum += value;
    }

    pub fn observe_duration(&self, duration: Duration) {
        self.observe(duration.as_secs_f64());
    }
}

/// What a registry needs of an instrument.
pub(crate) trait Instrument: Send + Sync + 'static {
    fn read(&self) -> Reading;
}

impl Instrument for Counter {
    fn read(&self) -> Reading {
        Reading::Value(self.get())
    }
}

impl Instrument for Gauge {
    fn read(&self) -> Reading {
        Reading::Value(self.get())
    }
}

impl Instrument for Histogram {
    fn read(&self) -> Reading {
        let buckets = self.0.lock();
        let mut count = 0;
        let mut cumulative = Vec::with_capacity(buckets.bounds.len());
        for (upper_bound, in_bucket) in buckets.bounds.iter().zip(&buckets.counts) {
            count += in_bucket;
            cumulative.push(Bucket { upper_bound: *upper_bound, cumulative_count: count });
        }
        count += buckets.counts.last().copied().unwrap_or_default();
        Reading::Histogram { buckets: cumulative, sum: buckets.sum, count }
    }
}
