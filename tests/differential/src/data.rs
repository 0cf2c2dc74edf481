//! Random series: counters that begin anew, gauges with gaps and ends, odd values, histograms.

use crate::dice::Dice;

/// When the data begins: a round hour, so that every run is the same.
pub(crate) const START_MS: i64 = 1_700_000_000_000 / 3_600_000 * 3_600_000;
pub(crate) const LENGTH_S: i64 = 140 * 60;
const INTERVAL_S: i64 = 15;
/// The marker that ends a series.
const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) time: i64,
    pub(crate) value: f64,
}

pub(crate) struct Series {
    /// Sorted.
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) samples: Vec<Sample>,
}

pub(crate) const JOBS: &[&str] = &["api", "batch", "web"];
pub(crate) const INSTANCES: &[&str] = &["a:80", "b:80", "c:80"];
pub(crate) const BOUNDS: &[&str] = &["0.05", "0.1", "0.25", "0.5", "1", "2.5", "+Inf"];

pub(crate) fn generate(seed: u64) -> Vec<Series> {
    let dice = Dice::new(seed ^ 0xda7a);
    let mut all = Vec::new();
    for job in JOBS {
        for instance in INSTANCES {
            let target = [("job", *job), ("instance", *instance)];
            for code in ["200", "404", "500"] {
                let labels = labels("requests_total", &target, &[("code", code)]);
                all.push(Series { labels, samples: far_counter(&dice) });
            }
            let errors = regular_counter(&dice, &ticks(&dice), 3);
            all.push(Series { labels: labels("errors_total", &target, &[]), samples: errors });
            for room in ["attic", "cellar"] {
                let labels = labels("temperature", &target, &[("room", room)]);
                all.push(Series { labels, samples: gauge(&dice, 400, 0.125, true) });
            }
            let memory = gauge(&dice, 1 << 33, 1.0, false);
            all.push(Series { labels: labels("memory_bytes", &target, &[]), samples: memory });
            let version = dice.pick(&["1.0", "1.1", "2.0"]);
            let ones = ticks(&dice).into_iter().map(|time| Sample { time, value: 1.0 });
            let labels = labels("build_info", &target, &[("version", version)]);
            all.push(Series { labels, samples: ones.collect() });
            histogram(&dice, &target, &mut all);
        }
        let labels = labels("odd_value", &[("job", job)], &[]);
        all.push(Series { labels, samples: odd(&dice) });
    }
    all.sort_by(|a, b| a.labels.cmp(&b.labels));
    for series in &mut all {
        // All begin in the first request, in the order of their labels: where it matters which
        // series comes first, the one server goes by labels, the other by age.
        if series.samples.first().is_none_or(|first| first.time > START_MS) {
            series.samples.insert(0, Sample { time: START_MS - 60_001, value: STALE });
        }
    }
    all
}

fn labels(metric: &str, target: &[(&str, &str)], more: &[(&str, &str)]) -> Vec<(String, String)> {
    let name = [("__name__", metric)];
    let pairs = target.iter().chain(more).chain(&name);
    let mut labels: Vec<_> =
        pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    labels.sort();
    labels
}

/// Regular times, at no whole or half second.
fn ticks(dice: &Dice) -> Vec<i64> {
    let phase = dice.within(0, INTERVAL_S - 1) * 1000 + dice.within(1, 499);
    (0..LENGTH_S / INTERVAL_S).map(|n| START_MS + n * INTERVAL_S * 1000 + phase).collect()
}

/// Times that come early or late, with gaps.
fn irregular_ticks(dice: &Dice) -> Vec<i64> {
    let gap_chance = dice.pick(&[0, 0, 5, 20]);
    let mut skip = 0;
    let mut times = Vec::new();
    for time in ticks(dice) {
        if skip == 0 && dice.below(1000) < gap_chance {
            skip = dice.within(1, 60);
        }
        if skip > 0 {
            skip -= 1;
            continue;
        }
        let late_s = if dice.percent(20) { dice.within(-3, 3) } else { 0 };
        times.push(time + late_s * 1000);
    }
    times
}

/// Far from zero and with gaps; begins anew once, not near zero either.
fn far_counter(dice: &Dice) -> Vec<Sample> {
    let times = irregular_ticks(dice);
    let reset = dice.below(2 * times.len());
    let pace = dice.pick(&[1, 10, 50]);
    let mut value = dice.within(1_000_000, 9_000_000) as f64;
    let mut samples = Vec::with_capacity(times.len());
    for (idx, time) in times.into_iter().enumerate() {
        if idx == reset {
            value = (value * 0.4).floor();
        }
        samples.push(Sample { time, value });
        value += dice.within(0, pace) as f64;
    }
    samples
}

/// Begins at zero, and again and again.
fn regular_counter(dice: &Dice, times: &[i64], pace: i64) -> Vec<Sample> {
    let mut value = 0.0;
    let mut samples = Vec::with_capacity(times.len());
    for time in times {
        samples.push(Sample { time: *time, value });
        value += dice.within(0, pace) as f64;
        if dice.below(300) == 0 {
            value = dice.below(2) as f64;
        }
    }
    samples
}

/// Walks in steps of `unit`; may begin late, and end, with a marker or without, and come back.
fn gauge(dice: &Dice, range: i64, unit: f64, is_signed: bool) -> Vec<Sample> {
    let times = irregular_ticks(dice);
    let low = if is_signed { -range } else { 0 };
    let mut level = dice.within(low, range);
    let step = (range / 50).max(1);
    let mut absent = if dice.percent(20) { dice.within(1, 400) } else { 0 };
    let mut samples = Vec::with_capacity(times.len());
    for time in times {
        if absent > 0 {
            absent -= 1;
            continue;
        }
        if dice.below(400) == 0 {
            absent = dice.within(1, 200);
            if dice.percent(70) {
                samples.push(Sample { time, value: STALE });
            }
            continue;
        }
        if dice.percent(80) {
            level = (level + dice.within(-step, step)).clamp(low, range);
        }
        samples.push(Sample { time, value: level as f64 * unit });
    }
    samples
}

fn odd(dice: &Dice) -> Vec<Sample> {
    const VALUES: &[f64] =
        &[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 1e-9, -1.5, 1e300, 7.0, 1e21];
    let samples = irregular_ticks(dice).into_iter();
    samples.map(|time| Sample { time, value: dice.pick(VALUES) }).collect()
}

/// A classic histogram, with its sum and count.
fn histogram(dice: &Dice, target: &[(&str, &str)], all: &mut Vec<Series>) {
    let times = ticks(dice);
    let mut counts = vec![0_i64; BOUNDS.len()];
    let mut sum = 0.0;
    let mut buckets: Vec<Vec<Sample>> = vec![Vec::new(); BOUNDS.len()];
    let (mut sums, mut totals) = (Vec::new(), Vec::new());
    for time in times {
        let mut cumulated = 0;
        for (bucket, count) in buckets.iter_mut().zip(&counts) {
            cumulated += count;
            bucket.push(Sample { time, value: cumulated as f64 });
        }
        sums.push(Sample { time, value: sum });
        totals.push(Sample { time, value: cumulated as f64 });
        for count in &mut counts {
            let more = dice.within(0, 4);
            *count += more;
            sum += more as f64 * 0.25;
        }
    }
    for (le, samples) in BOUNDS.iter().zip(buckets) {
        all.push(Series {
            labels: labels("latency_seconds_bucket", target, &[("le", le)]),
            samples,
        });
    }
    all.push(Series { labels: labels("latency_seconds_sum", target, &[]), samples: sums });
    all.push(Series { labels: labels("latency_seconds_count", target, &[]), samples: totals });
}
