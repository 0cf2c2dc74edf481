//! Where buckets begin and end.

use std::sync::LazyLock;

use super::CUSTOM_BUCKETS_SCHEMA;
use crate::float::functions::log2;

/// The finest exponential schema.
pub const SCHEMA_MAX: i32 = 8;
/// The coarsest exponential schema.
pub const SCHEMA_MIN: i32 = -4;

/// By schema, from 1 on: the ratio of two neighbouring bounds as upstream calculated it. The
/// first is one bit below the best rounding of √2, and clients compare texts.
#[expect(clippy::approx_constant, reason = "it is another number, by one bit")]
const RATIOS: [f64; SCHEMA_MAX as usize] = [
    1.414_213_562_373_095,
    1.189_207_115_002_721,
    1.090_507_732_665_257_7,
    1.044_273_782_427_413_8,
    1.021_897_148_654_116_6,
    1.010_889_286_051_700_5,
    1.005_429_901_112_802_7,
    1.002_711_275_050_202_5,
];

/// The bounds from 0.5 up to 1 in the finest schema; coarser schemas take every second, fourth, …
static FRACTIONS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let mut coarser = vec![0.5];
    for ratio in RATIOS {
        // A bound that the coarser schema has is taken from there.
        coarser = coarser.iter().flat_map(|bound| [*bound, bound * ratio]).collect();
    }
    coarser
});

/// Whether `schema` is one of the exponential ones.
pub fn is_exponential(schema: i32) -> bool {
    (SCHEMA_MIN..=SCHEMA_MAX).contains(&schema)
}

/// The upper bound of the positive bucket `index`.
pub fn exponential(index: i32, schema: i32) -> f64 {
    let Ok(schema) = u32::try_from(schema) else {
        // One bucket spans several powers of two.
        return scale(1.0, i64::from(index) << schema.unsigned_abs().min(30));
    };
    let schema = schema.min(SCHEMA_MAX as u32);
    let within = index & ((1_i32 << schema) - 1);
    let fraction = FRACTIONS[(within as usize) << (SCHEMA_MAX as u32 - schema)];
    scale(fraction, i64::from(index >> schema) + 1)
}

/// The upper bound of bucket `index`, given the bounds of a custom histogram; from the last bound
/// on that is +Inf.
pub fn upper(index: i32, schema: i32, custom: &[f64]) -> f64 {
    if schema != CUSTOM_BUCKETS_SCHEMA {
        return exponential(index, schema);
    }
    match usize::try_from(index) {
        Ok(index) => custom.get(index).copied().unwrap_or(f64::INFINITY),
        Err(_) => f64::NEG_INFINITY,
    }
}

/// `fraction` times two to the power of `exponent`.
fn scale(fraction: f64, exponent: i64) -> f64 {
    // The bucket after this one is for infinities, so it must end at the largest number.
    let is_edge = (fraction == 0.5 && exponent == 1025) || (fraction == 1.0 && exponent == 1024);
    if is_edge {
        return f64::MAX;
    }
    // In two steps: the power alone may be out of range where the product is not.
    let exponent = exponent.clamp(-2200, 2200) as i32;
    let half = exponent / 2;
    fraction * power_of_two(half) * power_of_two(exponent - half)
}

fn power_of_two(exponent: i32) -> f64 {
    f64::powi(2.0, exponent)
}

/// The index that bucket `index` has in a schema that is `steps` coarser.
pub(super) fn coarser_index(index: i32, steps: u32) -> i32 {
    let steps = steps.min(31);
    ((i64::from(index) - 1) >> steps) as i32 + 1
}

/// Whether two lists of custom bounds are the same.
pub fn custom_match(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

/// The bounds that both sorted lists have.
pub(super) fn intersection(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut others = b.iter().peekable();
    let mut common = Vec::with_capacity(a.len().min(b.len()));
    for bound in a {
        while others.next_if(|other| *other < bound).is_some() {}
        if others.next_if(|other| *other == bound).is_some() {
            common.push(*bound);
        }
    }
    common
}

/// A bound as the value of an `le` label: with a decimal point, so that it reads as a float.
pub fn le_text(bound: f64) -> String {
    let mut text = String::new();
    crate::float::write_general(bound, &mut text);
    let reads_as_float = text.contains(['.', 'e', 'I', 'N']);
    if !reads_as_float {
        text.push_str(".0");
    }
    text
}

/// Which share of the observations in a bucket lie below `value`, which is within the bucket:
/// linearly interpolated, or as evenly spread over the bucket's logarithm.
pub fn fraction_below(lower: f64, upper: f64, value: f64, linear: bool) -> f64 {
    if linear {
        return (value - lower) / (upper - lower);
    }
    let (log_lower, log_upper) = (log2(lower.abs()), log2(upper.abs()));
    let log_value = log2(value.abs());
    if value > 0.0 {
        return (log_value - log_lower) / (log_upper - log_lower);
    }
    1.0 - (log_value - log_upper) / (log_lower - log_upper)
}
