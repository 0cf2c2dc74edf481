//! Quantiles of native histograms, and the share of observations between two values.

use model::{
    FloatHistogram,
    float::functions::{exp2, log2},
    histogram::Bucket,
};

use crate::notes::Notes;

/// The value below which the share `phi` of all observations lies. Within a bucket it is
/// interpolated: linearly in custom buckets and in the zero bucket, else along the logarithm.
pub(in crate::functions) fn quantile(
    phi: f64,
    histogram: &FloatHistogram,
    metric: &str,
    position: usize,
    notes: &mut Notes,
) -> f64 {
    if phi < 0.0 {
        return f64::NEG_INFINITY;
    }
    if phi > 1.0 {
        return f64::INFINITY;
    }
    if histogram.count == 0.0 || phi.is_nan() {
        return f64::NAN;
    }
    // Observations of NaN are in no bucket; they count as larger than all others.
    let has_nans = histogram.sum.is_nan();
    // From the end that is nearer, so that fewer rounding errors add up.
    let from_below = has_nans || phi < 0.5;
    let rank = if from_below { phi } else { 1.0 - phi } * histogram.count;
    let Some((bucket, count)) = (match from_below {
        true => reach(histogram.all(), rank),
        false => reach(histogram.all().rev(), rank),
    }) else {
        if has_nans {
            notes.quantile_of_nans(metric, position);
        }
        return f64::NAN;
    };
    let bucket = match narrowed(&bucket, histogram) {
        Narrowed::Bucket(bucket) => bucket,
        Narrowed::Value(value) => return value,
    };
    let count = count.min(histogram.count);
    if count < rank {
        if has_nans {
            notes.quantile_of_nans(metric, position);
            return f64::NAN;
        }
        return bucket.upper;
    }
    if has_nans {
        notes.quantile_skewed_by_nans(metric, position);
    }
    let within = if from_below { rank - (count - bucket.count) } else { count - rank };
    interpolate(&bucket, within / bucket.count, histogram.has_custom_buckets())
}

/// The bucket in which the counts reach `rank`, or the last one, and the counts up to there.
fn reach(buckets: impl Iterator<Item = Bucket>, rank: f64) -> Option<(Bucket, f64)> {
    let mut count = 0.0;
    let mut last = None;
    for bucket in buckets {
        last = Some(bucket);
        if bucket.count == 0.0 {
            continue;
        }
        count += bucket.count;
        if count >= rank {
            break;
        }
    }
    last.map(|bucket| (bucket, count))
}

enum Narrowed {
    Bucket(Bucket),
    /// The bucket has no end; this is the best that can be said.
    Value(f64),
}

/// The bucket without the part where no observations are assumed.
fn narrowed(bucket: &Bucket, histogram: &FloatHistogram) -> Narrowed {
    let mut bucket = *bucket;
    if !histogram.has_custom_buckets() {
        narrow_zero_bucket(&mut bucket, histogram);
    } else if bucket.lower == f64::NEG_INFINITY {
        if bucket.upper <= 0.0 {
            return Narrowed::Value(bucket.upper);
        }
        bucket.lower = 0.0;
    } else if bucket.upper == f64::INFINITY {
        return Narrowed::Value(bucket.lower);
    }
    Narrowed::Bucket(bucket)
}

/// A zero bucket ends at zero on the side where there are no other buckets.
fn narrow_zero_bucket(bucket: &mut Bucket, histogram: &FloatHistogram) {
    let is_zero_bucket = bucket.lower <= 0.0 && bucket.upper >= 0.0;
    if is_zero_bucket {
        (bucket.lower, bucket.upper) = histogram.zero_range();
    }
}

fn interpolate(bucket: &Bucket, fraction: f64, is_custom: bool) -> f64 {
    let is_zero_bucket = bucket.lower <= 0.0 && bucket.upper >= 0.0;
    if is_custom || is_zero_bucket {
        return bucket.lower + (bucket.upper - bucket.lower) * fraction;
    }
    let (log_lower, log_upper) = (log2(bucket.lower.abs()), log2(bucket.upper.abs()));
    if bucket.lower > 0.0 {
        return exp2(log_lower + (log_upper - log_lower) * fraction);
    }
    -exp2(log_upper + (log_lower - log_upper) * (1.0 - fraction))
}

/// The share of the observations between `lower` and `upper`.
pub(in crate::functions) fn fraction(
    lower: f64,
    upper: f64,
    histogram: &FloatHistogram,
    metric: &str,
    position: usize,
    notes: &mut Notes,
) -> f64 {
    if histogram.count == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    if histogram.sum.is_nan() {
        notes.fraction_without_nans(metric, position);
    }
    let (lower_rank, upper_rank) = (rank(lower, histogram), rank(upper, histogram));
    (upper_rank - lower_rank) / histogram.count
}

/// How many observations lie below `value`.
fn rank(value: f64, histogram: &FloatHistogram) -> f64 {
    let is_custom = histogram.has_custom_buckets();
    let mut rank = 0.0_f64;
    for bucket in histogram.all() {
        let mut bucket = bucket;
        let is_zero_bucket = !is_custom && bucket.lower <= 0.0 && bucket.upper >= 0.0;
        if is_zero_bucket {
            narrow_zero_bucket(&mut bucket, histogram);
        }
        if is_custom && bucket.lower == f64::NEG_INFINITY && bucket.upper > 0.0 && value >= 0.0 {
            bucket.lower = 0.0;
        }
        if bucket.lower >= value {
            return rank.min(histogram.count);
        }
        if bucket.upper > value {
            let below = share_below(&bucket, value, is_custom || is_zero_bucket);
            return (rank + bucket.count * below).min(histogram.count);
        }
        rank += bucket.count;
    }
    // Above all buckets there may be observations of NaN, which are below no value.
    if histogram.sum.is_nan() { rank.min(histogram.count) } else { histogram.count }
}

/// The share of a bucket's observations below `value`, which is within; of a bucket without an
/// end nothing can be said.
fn share_below(bucket: &Bucket, value: f64, is_linear: bool) -> f64 {
    if bucket.lower == f64::NEG_INFINITY {
        return 1.0;
    }
    if bucket.upper == f64::INFINITY {
        return 0.0;
    }
    model::histogram::bounds::fraction_below(bucket.lower, bucket.upper, value, is_linear)
}
