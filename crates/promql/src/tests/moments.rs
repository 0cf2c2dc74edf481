//! A range query gives at each step what an instant query gives at that moment.

use std::collections::BTreeMap;

use model::{Labels, float::STALE};
use promqltest::LoadedSeries;
use storage::Columns;

use super::subject::{Memory, Times, script_options};
use crate::{Options, QueryOptions, SampleValue, Value};

const QUERIES: &[&str] = &[
    "x",
    "x offset 40s",
    "x @ 200",
    "-x",
    "abs(x) + 1",
    "x > 0",
    "1 > bool x",
    "x + on (a) group_left y",
    "y * on (a) group_right x",
    "x / on (a, b) fill(2) x offset 1m",
    "x and on (a) y > 0",
    "x or y",
    "x unless on (a) (y > 0)",
    "{__name__=~\"x|y\"} * 2 > 0",
    "sum by (a) (x)",
    "avg without (b) (x)",
    "min(x)",
    "max by (b) (x)",
    "count(x)",
    "group by (a) (x)",
    "stddev(x)",
    "quantile(0.3, x)",
    "topk(2, x)",
    "bottomk by (a) (1, x)",
    "limitk(2, x)",
    "limit_ratio(0.5, x)",
    "count_values(\"value\", round(x))",
    "rate(x[70s])",
    "increase(x[3m])",
    "irate(x[1m])",
    "delta(x[45s])",
    "idelta(x[1m])",
    "deriv(x[2m])",
    "predict_linear(x[2m], 60)",
    "changes(x[2m])",
    "resets(x[2m])",
    "rate(x[1m] anchored)",
    "increase(x[1m] smoothed)",
    "changes(x[1m] anchored)",
    "x smoothed",
    "sum_over_time(x[90s])",
    "avg_over_time(x[90s])",
    "min_over_time(x[90s])",
    "max_over_time(x[2m])",
    "count_over_time(x[15s])",
    "last_over_time(x[1m])",
    "first_over_time(x[1m])",
    "stdvar_over_time(x[1m])",
    "quantile_over_time(0.6, x[1m])",
    "mad_over_time(x[1m])",
    "ts_of_max_over_time(x[1m])",
    "ts_of_last_over_time(x[1m])",
    "double_exponential_smoothing(x[1m], 0.4, 0.7)",
    "absent(x{b=\"1\"} > 5)",
    "absent_over_time(x{b=\"1\"}[20s])",
    "max_over_time(rate(x[1m])[2m:20s])",
    "sum_over_time(x[2m:15s] offset 30s)",
    "last_over_time(x[1m:20s] @ 250)",
    "vector(scalar(x{a=\"1\", b=\"1\"}) + time())",
    "vector(scalar(y)) * x",
    "timestamp(x)",
    "timestamp(x + 1)",
    "minute(x * 100)",
    "clamp(x, scalar(y) - 3, 5)",
    "label_replace(x, \"c\", \"$1!\", \"a\", \"(.*)\")",
    "label_join(x, \"a\", \"-\", \"a\", \"b\")",
    "histogram_quantile(0.7, sum by (a, le) (rate(h[2m])))",
    "histogram_fraction(0.5, 3, h)",
    "info(x, {__name__=\"y\"})",
    "sort_desc(x)",
];

/// Numbers that look random and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % sides
    }
}

/// Series with gaps, ends, resets and values that are no numbers.
fn series(name: &str, pairs: &[(&str, &str)], dice: &mut Dice, grows: bool) -> LoadedSeries {
    let mut samples = Columns::default();
    let (mut time, mut value) = (dice.roll(20_000) as i64, 0.0);
    while time < 600_000 {
        value = match dice.roll(20) {
            0 => 0.5,
            1 if !grows => f64::NAN,
            2 if !grows => -value,
            _ if f64::is_nan(value) => 1.0,
            _ => value + dice.roll(8) as f64 * 0.7,
        };
        samples.push(time, if dice.roll(25) == 0 { STALE } else { value });
        time += 10_000 + dice.roll(500) as i64 + if dice.roll(12) == 0 { 90_000 } else { 0 };
    }
    let pairs = pairs.iter().copied().chain([("__name__", name)]);
    LoadedSeries { labels: Labels::from_pairs(pairs), samples }
}

fn world(seed: u64, delayed_name_removal: bool) -> Memory {
    let lookback = std::time::Duration::from_secs(60);
    let options = Options { delayed_name_removal, lookback, ..script_options() };
    let mut memory = Memory::new(Options { samples_max: 1_000_000, ..options });
    let mut dice = Dice(seed);
    for a in ["1", "2"] {
        for b in ["1", "2", "3"] {
            memory.loader.load([series("x", &[("a", a), ("b", b)], &mut dice, false)]);
        }
        memory.loader.load([series("y", &[("a", a)], &mut dice, false)]);
        for le in ["0.5", "1", "2", "+Inf"] {
            memory.loader.load([series("h", &[("a", a), ("le", le)], &mut dice, true)]);
        }
    }
    memory
}

/// The answer at each time, or the error; values as bits, so that NaNs can be compared.
type Moments = BTreeMap<i64, Result<BTreeMap<String, u64>, String>>;

fn bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }
}

fn by_range(memory: &Memory, query: &str) -> Result<Moments, String> {
    let times = Times::Range { start: START, end: END, step: STEP };
    let result = memory.ask(query, times, &QueryOptions::default());
    let mut moments: Moments =
        (START..=END).step_by(STEP as usize).map(|time| (time, Ok(BTreeMap::new()))).collect();
    let Value::Matrix(matrix) = result.map_err(|error| error.to_string())?.value else {
        return Err("no matrix".to_owned());
    };
    for series in matrix {
        for point in series.floats {
            let moment = moments.get_mut(&point.timestamp.as_millis()).expect("a step");
            let moment = moment.as_mut().expect("none has failed");
            moment.insert(series.labels.to_string(), bits(point.value));
        }
    }
    Ok(moments)
}

fn one_by_one(memory: &Memory, query: &str) -> Moments {
    let at = |time: i64| {
        let result = memory.ask(query, Times::Instant(time), &QueryOptions::default());
        let Value::Vector(samples) = result.map_err(|error| error.to_string())?.value else {
            return Err("no vector".to_owned());
        };
        let float = |value: &SampleValue| match value {
            SampleValue::Float(value) => bits(*value),
            SampleValue::Histogram(_) => 0,
        };
        let samples = samples.iter();
        Ok(samples.map(|sample| (sample.labels.to_string(), float(&sample.value))).collect())
    };
    (START..=END).step_by(STEP as usize).map(|time| (time, at(time))).collect()
}

const START: i64 = 60_123;
const END: i64 = 520_123;
const STEP: u64 = 23_000;

#[test]
fn a_range_query_is_its_instant_queries() {
    for seed in 0..6 {
        for delayed in [true, false] {
            let memory = world(seed, delayed);
            for query in QUERIES {
                let moments = one_by_one(&memory, query);
                match by_range(&memory, query) {
                    Ok(by_range) => assert_eq!(by_range, moments, "seed {seed}: {query}"),
                    // A range query fails if one of its moments does.
                    Err(error) => {
                        let failed = moments.values().any(|moment| moment.is_err());
                        assert!(failed, "seed {seed}: {query}: {error}");
                    }
                }
            }
        }
    }
}
