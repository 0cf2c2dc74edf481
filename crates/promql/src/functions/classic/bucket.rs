//! Quantiles and fractions of the buckets of one classic histogram at one moment.

use crate::notes::Forced;

/// How many observations are not greater than `upper_bound`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bucket {
    pub(crate) upper_bound: f64,
    pub(crate) count: f64,
}

/// A quantile, and what had to be done to the buckets for it.
pub(crate) struct Quantile {
    pub(crate) value: f64,
    /// Buckets that fell had to be raised.
    pub(crate) forced: Option<Forced>,
    /// Buckets that fell by no more than rounding errors were raised in silence.
    #[cfg_attr(not(test), expect(dead_code, reason = "upstream's table asks for it"))]
    pub(crate) fixed: bool,
}

/// The φ-quantile of the observations in `buckets`, which are sorted by upper bound.
pub(crate) fn bucket_quantile(phi: f64, buckets: &mut Vec<Bucket>) -> Quantile {
    let plain = |value: f64| Quantile { value, forced: None, fixed: false };
    if phi.is_nan() {
        return plain(f64::NAN);
    }
    if phi < 0.0 {
        return plain(f64::NEG_INFINITY);
    }
    if phi > 1.0 {
        return plain(f64::INFINITY);
    }
    if buckets.last().is_none_or(|last| last.upper_bound != f64::INFINITY) {
        return plain(f64::NAN);
    }
    coalesce(buckets);
    let (forced, fixed) = make_monotonic(buckets);
    Quantile { value: interpolated(phi, buckets), forced, fixed }
}

/// Adds the counts of buckets with the same bound.
fn coalesce(buckets: &mut Vec<Bucket>) {
    buckets.dedup_by(|later, kept| {
        let same = later.upper_bound == kept.upper_bound;
        if same {
            kept.count += later.count;
        }
        same
    });
}

/// A bucket holds all observations of the buckets below it; sums of scrapes that do not fit
/// together may say otherwise.
fn make_monotonic(buckets: &mut [Bucket]) -> (Option<Forced>, bool) {
    let mut forced: Option<Forced> = None;
    let mut fixed = false;
    let Some(first) = buckets.first() else { return (None, false) };
    let mut before = first.count;
    for bucket in &mut buckets[1..] {
        let count = bucket.count;
        if count == before {
            continue;
        }
        if almost_equal(before, count) {
            bucket.count = before;
            fixed = true;
        } else if count < before {
            let this = Forced {
                first_time: 0,
                last_time: 0,
                lowest_bucket: bucket.upper_bound,
                highest_bucket: bucket.upper_bound,
                largest_difference: before - count,
                n_samples: 1,
            };
            let known = forced.get_or_insert(this);
            known.lowest_bucket = known.lowest_bucket.min(this.lowest_bucket);
            known.highest_bucket = known.highest_bucket.max(this.highest_bucket);
            known.largest_difference = known.largest_difference.max(this.largest_difference);
            bucket.count = before;
        } else {
            before = count;
        }
    }
    (forced, fixed)
}

/// Whether two counts differ by no more than what rounding explains.
fn almost_equal(a: f64, b: f64) -> bool {
    const TOLERANCE: f64 = 1e-12;
    if a.is_nan() && b.is_nan() {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < TOLERANCE
}

fn interpolated(phi: f64, buckets: &[Bucket]) -> f64 {
    let [.., second_last, last] = buckets else { return f64::NAN };
    let observations = last.count;
    if observations == 0.0 {
        return f64::NAN;
    }
    let mut rank = phi * observations;
    let finite = &buckets[..buckets.len() - 1];
    let idx = first_where(finite, |bucket| bucket.count >= rank);
    let Some(bucket) = finite.get(idx) else { return second_last.upper_bound };
    if idx == 0 && bucket.upper_bound <= 0.0 {
        return bucket.upper_bound;
    }
    let (mut start, mut count) = (0.0, bucket.count);
    if let Some(below) = idx.checked_sub(1).map(|idx| finite[idx]) {
        start = below.upper_bound;
        count -= below.count;
        rank -= below.count;
    }
    start + (bucket.upper_bound - start) * (rank / count)
}

/// By bisection, so that NaNs lead to where they lead upstream.
fn first_where(buckets: &[Bucket], holds: impl Fn(&Bucket) -> bool) -> usize {
    buckets.partition_point(|bucket| !holds(bucket))
}

/// The share of the observations between `lower` and `upper`; buckets are sorted by bound.
pub(crate) fn bucket_fraction(lower: f64, upper: f64, buckets: &[Bucket]) -> f64 {
    let mut buckets = buckets.to_vec();
    if buckets.last().is_none_or(|last| last.upper_bound != f64::INFINITY) {
        return f64::NAN;
    }
    coalesce(&mut buckets);
    let count = buckets[buckets.len() - 1].count;
    if count == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    let (lower, upper) = (rank_of(lower, &buckets), rank_of(upper, &buckets));
    let rank = |rank: Option<f64>| rank.filter(|rank| *rank <= count).unwrap_or(count);
    (rank(upper) - rank(lower)) / count
}

/// How many observations are not greater than `value`, if a bucket reaches that far.
fn rank_of(value: f64, buckets: &[Bucket]) -> Option<f64> {
    let (mut rank, mut lower_bound) = (0.0, f64::NEG_INFINITY);
    for (idx, bucket) in buckets.iter().enumerate() {
        if lower_bound >= value {
            return Some(rank);
        }
        if bucket.upper_bound > value {
            // What lies in the lowest bucket is taken to be positive, if it can be; else there
            // is no lower end to interpolate from.
            if idx == 0 && bucket.upper_bound <= 0.0 {
                return Some(bucket.count);
            }
            let start = if idx == 0 { 0.0 } else { lower_bound };
            if start >= value {
                return Some(rank);
            }
            let share = (value - start) / (bucket.upper_bound - start);
            return Some(rank + (bucket.count - rank) * share);
        }
        rank = bucket.count;
        lower_bound = bucket.upper_bound;
    }
    None
}
