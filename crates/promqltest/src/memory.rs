//! Series in memory, as a real store would give them back.

use std::{collections::BTreeMap, sync::Arc};

use model::{
    FloatHistogram, Labels,
    histogram::{CounterResetHint, bounds},
};
use storage::{Columns, MemoryStorage};

use crate::LoadedSeries;

/// Loads series into a [`MemoryStorage`], with the counter reset hints that upstream's store
/// would answer with.
#[derive(Clone, Default)]
pub struct MemoryLoader {
    storage: MemoryStorage,
    /// As loaded: with the hints of the script.
    series: BTreeMap<Labels, Columns>,
}

impl MemoryLoader {
    pub fn storage(&self) -> &MemoryStorage {
        &self.storage
    }

    pub fn clear(&mut self) {
        self.series.clear();
        self.storage.clear();
    }

    /// Adds samples; where there is one of the same time already, that one stays.
    pub fn load(&mut self, series: impl IntoIterator<Item = LoadedSeries>) {
        for LoadedSeries { labels, samples } in series {
            let known = self.series.entry(labels.clone()).or_default();
            merge(known, samples);
            self.storage.insert(labels, with_stored_hints(known));
        }
    }
}

fn merge(known: &mut Columns, new: Columns) {
    if known.is_empty() {
        *known = new;
        return;
    }
    let has_starts = |columns: &Columns| {
        !columns.start_times.is_empty() || !columns.histogram_start_times.is_empty()
    };
    let keeps_starts = has_starts(known) || has_starts(&new);
    let (mut floats, mut histograms) = (BTreeMap::new(), BTreeMap::new());
    for columns in [&new, known] {
        for (idx, time) in columns.times.iter().enumerate() {
            floats.insert(*time, (columns.values[idx], columns.start_time(idx)));
        }
        for (idx, time) in columns.histogram_times.iter().enumerate() {
            let histogram = columns.histograms[idx].clone();
            histograms.insert(*time, (histogram, columns.histogram_start_time(idx)));
        }
    }
    known.clear();
    for (time, (value, start)) in floats {
        known.times.push(time);
        known.values.push(value);
        known.start_times.push(start);
    }
    for (time, (histogram, start)) in histograms {
        known.histogram_times.push(time);
        known.histograms.push(histogram);
        known.histogram_start_times.push(start);
    }
    if !keeps_starts {
        known.start_times.clear();
        known.histogram_start_times.clear();
    }
}

/// The hints that a store knows: it cuts a chunk at each reset, so that within a chunk there is
/// none, and of the first one in a chunk it knows nothing.
fn with_stored_hints(columns: &Columns) -> Columns {
    let mut stored = columns.clone();
    for idx in 0..columns.histograms.len() {
        let now = &columns.histograms[idx];
        let continues_chunk = idx > 0 && {
            let (from, to) = (columns.histogram_times[idx - 1], columns.histogram_times[idx]);
            let floats_before = |time| columns.times.partition_point(|float| *float <= time);
            let float_between = floats_before(from) != floats_before(to);
            !float_between && fits_chunk(&columns.histograms[idx - 1], now)
        };
        let hint = match now.counter_reset_hint {
            CounterResetHint::Gauge => CounterResetHint::Gauge,
            _ if continues_chunk => CounterResetHint::NotReset,
            _ => CounterResetHint::Unknown,
        };
        if hint != now.counter_reset_hint {
            Arc::make_mut(&mut stored.histograms[idx]).counter_reset_hint = hint;
        }
    }
    stored
}

/// Whether `now` can follow `last` in one chunk of counters.
fn fits_chunk(last: &FloatHistogram, now: &FloatHistogram) -> bool {
    let is_counter = last.counter_reset_hint != CounterResetHint::Gauge
        && now.counter_reset_hint != CounterResetHint::Gauge;
    let same_layout = last.schema == now.schema
        && last.zero_threshold == now.zero_threshold
        && bounds::custom_match(&last.custom_values, &now.custom_values);
    if !is_counter || !same_layout || now.counter_reset_hint == CounterResetHint::Reset {
        return false;
    }
    let unknown = CounterResetHint::Unknown;
    let now = FloatHistogram { counter_reset_hint: unknown, ..now.clone() };
    !now.is_reset_after(last)
}
