//! Elementary functions whose results have the bits that upstream's have.
//!
//! The platform's own differ in the last digit for a tenth to a third of all arguments, and
//! clients compare texts. These follow the algorithms behind Go's `math` on amd64: logarithms as in
//! FreeBSD's msun, sine, cosine, tangent and their like as in Cephes, the exponential as in SLEEF.

#![expect(
    clippy::excessive_precision,
    reason = "the digits of the coefficients are those that were published"
)]

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, LN_2, LOG2_E, LOG10_E, PI, SQRT_2};

/// The natural logarithm of 2, in a part with zeros at the end and the rest.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// Fraction in `[0.5, 1)` and power of two; zero, infinities and NaN are their own fraction.
fn split(x: f64) -> (f64, i32) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    let is_subnormal = x.abs() < f64::MIN_POSITIVE;
    let (x, shift) = if is_subnormal { (x * (1_u64 << 52) as f64, 52) } else { (x, 0) };
    let bits = x.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32 - 1022 - shift;
    (f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52), exponent)
}

/// `x` times two to the power of `exponent`, rounded once.
fn scale(x: f64, exponent: i32) -> f64 {
    let (fraction, own) = split(x);
    let exponent = exponent.saturating_add(own).clamp(-1200, 1200);
    // The fraction has room for the first factor, whatever it is.
    let first = exponent.clamp(-1000, 1000);
    fraction * f64::powi(2.0, first) * f64::powi(2.0, exponent - first)
}

/// The polynomial with these coefficients, highest power first.
fn polynomial(x: f64, coefficients: &[f64]) -> f64 {
    coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// The natural logarithm.
pub fn ln(x: f64) -> f64 {
    if x.is_nan() || x == f64::INFINITY {
        return x;
    }
    if x <= 0.0 {
        return if x == 0.0 { f64::NEG_INFINITY } else { f64::NAN };
    }
    let (mut fraction, mut exponent) = split(x);
    if fraction < SQRT_2 / 2.0 {
        fraction *= 2.0;
        exponent -= 1;
    }
    let (f, k) = (fraction - 1.0, f64::from(exponent));
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    const ODD: [f64; 4] = [
        1.479_819_860_511_658_6e-1,
        1.818_357_216_161_805e-1,
        2.857_142_874_366_239e-1,
        6.666_666_666_666_735e-1,
    ];
    const EVEN: [f64; 3] =
        [1.531_383_769_920_937_3e-1, 2.222_219_843_214_978_4e-1, 3.999_999_999_940_942e-1];
    let rest = s2 * polynomial(s4, &ODD) + s4 * polynomial(s4, &EVEN);
    let half = 0.5 * f * f;
    k * LN_2_HIGH - ((half - (s * (half + rest) + k * LN_2_LOW)) - f)
}

/// The logarithm to base 2; exact for powers of two.
pub fn log2(x: f64) -> f64 {
    let (fraction, exponent) = split(x);
    if fraction == 0.5 {
        return f64::from(exponent - 1);
    }
    ln(fraction) * LOG2_E + f64::from(exponent)
}

/// The logarithm to base 10.
pub fn log10(x: f64) -> f64 {
    ln(x) * LOG10_E
}

/// e to the power of `x`.
pub fn exp(x: f64) -> f64 {
    const LN_2_UPPER: f64 = 0.693_147_180_559_662_956_511_601_805_686_950_683_593_75;
    const LN_2_LOWER: f64 = 2.823_529_056_303_157_7e-13;
    if !x.is_finite() {
        return if x == f64::NEG_INFINITY { 0.0 } else { x };
    }
    if x > 709.782_712_893_384 {
        return f64::INFINITY;
    }
    if x < -746.0 {
        return 0.0;
    }
    let exponent = (x * LOG2_E).round_ties_even();
    let reduced = (-exponent).mul_add(LN_2_UPPER, x);
    // A sixteenth: the series is short, and four squarings bring the result back.
    let r = (-exponent).mul_add(LN_2_LOWER, reduced) * 0.0625;
    const INVERSE_FACTORIALS: [f64; 7] =
        [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0];
    let series = INVERSE_FACTORIALS
        .iter()
        .fold(2.480_158_730_158_730_2e-5, |sum: f64, next| sum.mul_add(r, *next));
    let mut less_one = r * series;
    for _ in 0..3 {
        less_one *= less_one + 2.0;
    }
    scale((less_one + 2.0).mul_add(less_one, 1.0), exponent as i32)
}

/// Two to the power of `x`.
pub fn exp2(x: f64) -> f64 {
    if !x.is_finite() {
        return if x == f64::NEG_INFINITY { 0.0 } else { x };
    }
    if x > 1.023_999_999_999_999_9e3 {
        return f64::INFINITY;
    }
    if x < -1.074e3 {
        return 0.0;
    }
    let exponent = (x + 0.5_f64.copysign(x)).trunc();
    let t = x - exponent;
    let (high, low) = (t * LN_2_HIGH, -t * LN_2_LOW);
    const P: [f64; 5] = [
        4.138_136_797_057_238_5e-8,
        -1.653_390_220_546_525_2e-6,
        6.613_756_321_437_934e-5,
        -2.777_777_777_701_559_3e-3,
        1.666_666_666_666_666_6e-1,
    ];
    let r = high - low;
    let c = r - r * r * polynomial(r * r, &P);
    scale(1.0 - ((low - (r * c) / (2.0 - c)) - high), exponent as i32)
}

/// `x` to the power of `y`.
pub fn pow(x: f64, y: f64) -> f64 {
    // All special cases are those of IEEE 754.
    let is_special = x == 0.0 || x == 1.0 || y == 0.0 || !x.is_finite() || !y.is_finite();
    if is_special {
        return x.powf(y);
    }
    if y == 0.5 {
        return x.sqrt();
    }
    if y == -0.5 {
        return 1.0 / x.sqrt();
    }
    let (mut whole, mut part) = (y.abs().trunc(), y.abs().fract());
    if part != 0.0 && x < 0.0 {
        return f64::NAN;
    }
    if whole >= (1_u64 << 63) as f64 {
        return x.powf(y);
    }
    let mut power = 1.0;
    let mut exponent = 0_i32;
    if part != 0.0 {
        if part > 0.5 {
            part -= 1.0;
            whole += 1.0;
        }
        power = exp(part * ln(x));
    }
    // By squaring; the powers of two are counted apart, so that nothing overflows.
    let (mut factor, mut factor_exponent) = split(x);
    let mut left = whole as u64;
    while left != 0 {
        if factor_exponent.abs() > 1 << 12 {
            exponent = exponent.saturating_add(factor_exponent);
            break;
        }
        if left & 1 == 1 {
            power *= factor;
            exponent += factor_exponent;
        }
        factor *= factor;
        factor_exponent *= 2;
        if factor < 0.5 {
            factor += factor;
            factor_exponent -= 1;
        }
        left >>= 1;
    }
    if y < 0.0 {
        return scale(1.0 / power, -exponent);
    }
    scale(power, exponent)
}

/// An angle from zero to an eighth of a turn on either side, and in which eighth it was.
fn reduce(x: f64) -> (u64, f64) {
    const PI_4: [f64; 3] =
        [7.853_981_256_484_985e-1, 3.774_894_707_930_798e-8, 2.695_151_429_079_059_5e-15];
    let mut eighth = (x * (4.0 / PI)) as u64;
    eighth += eighth & 1;
    let y = eighth as f64;
    (eighth & 7, ((x - y * PI_4[0]) - y * PI_4[1]) - y * PI_4[2])
}

/// From here on reduction takes more bits than [`reduce`] has.
const REDUCIBLE_MAX: f64 = (1_u64 << 29) as f64;

fn sin_series(z: f64) -> f64 {
    const S: [f64; 6] = [
        1.589_623_015_765_465_7e-10,
        -2.505_074_776_285_780_7e-8,
        2.755_731_362_138_572_4e-6,
        -1.984_126_982_958_954e-4,
        8.333_333_333_322_118e-3,
        -1.666_666_666_666_663e-1,
    ];
    z + z * (z * z) * polynomial(z * z, &S)
}

fn cos_series(z: f64) -> f64 {
    const C: [f64; 6] = [
        -1.135_853_652_138_768_2e-11,
        2.087_570_084_197_473e-9,
        -2.755_731_417_929_674e-7,
        2.480_158_728_885_170_4e-5,
        -1.388_888_888_887_305_6e-3,
        0.041_666_666_666_666_595,
    ];
    let zz = z * z;
    1.0 - 0.5 * zz + zz * zz * polynomial(zz, &C)
}

pub fn sin(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() || x.abs() >= REDUCIBLE_MAX {
        return x.sin();
    }
    let (eighth, z) = reduce(x.abs());
    let value = if matches!(eighth & 3, 1 | 2) { cos_series(z) } else { sin_series(z) };
    if (x < 0.0) != (eighth > 3) { -value } else { value }
}

pub fn cos(x: f64) -> f64 {
    if !x.is_finite() || x.abs() >= REDUCIBLE_MAX {
        return x.cos();
    }
    let (eighth, z) = reduce(x.abs());
    let within = eighth & 3;
    let value = if matches!(within, 1 | 2) { sin_series(z) } else { cos_series(z) };
    if (eighth > 3) != (within > 1) { -value } else { value }
}

pub fn tan(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() || x.abs() >= REDUCIBLE_MAX {
        return x.tan();
    }
    const P: [f64; 3] =
        [-1.309_369_391_813_837_8e4, 1.153_516_648_385_874_2e6, -1.795_652_519_764_848_8e7];
    const Q: [f64; 5] = [
        1.0,
        1.368_129_634_706_929_6e4,
        -1.320_892_344_402_109_7e6,
        2.500_838_018_233_579e7,
        -53_869_575.592_945_464,
    ];
    let (eighth, z) = reduce(x.abs());
    let zz = z * z;
    let mut value =
        if zz > 1e-14 { z + z * (zz * polynomial(zz, &P) / polynomial(zz, &Q)) } else { z };
    if eighth & 2 == 2 {
        value = -1.0 / value;
    }
    if x < 0.0 { -value } else { value }
}

/// The arc tangent of a number that is not negative.
fn atan_positive(x: f64) -> f64 {
    /// What π/2 has beyond a float.
    const MORE_BITS: f64 = 6.123_233_995_736_766e-17;
    if x <= 0.66 {
        return atan_series(x);
    }
    // tan(3π/8)
    if x > 1.0 + SQRT_2 {
        return FRAC_PI_2 - atan_series(1.0 / x) + MORE_BITS;
    }
    FRAC_PI_4 + atan_series((x - 1.0) / (x + 1.0)) + 0.5 * MORE_BITS
}

fn atan_series(x: f64) -> f64 {
    const P: [f64; 5] = [
        -8.750_608_600_031_904e-1,
        -16.157_537_187_333_652,
        -7.500_855_792_314_705e1,
        -1.228_866_684_490_136_1e2,
        -6.485_021_904_942_025e1,
    ];
    const Q: [f64; 6] = [
        1.0,
        2.485_846_490_142_306_3e1,
        1.650_270_098_316_988_6e2,
        432.881_060_491_290_27,
        4.853_903_996_359_137e2,
        1.945_506_571_482_614e2,
    ];
    let z = x * x;
    x * (z * polynomial(z, &P) / polynomial(z, &Q)) + x
}

pub fn atan(x: f64) -> f64 {
    if x == 0.0 || x.is_nan() {
        return x;
    }
    atan_positive(x.abs()).copysign(x)
}

pub fn asin(x: f64) -> f64 {
    let magnitude = x.abs();
    if x == 0.0 || x.is_nan() || magnitude > 1.0 {
        return x.asin();
    }
    let adjacent = (1.0 - magnitude * magnitude).sqrt();
    let angle = if magnitude > 0.7 {
        FRAC_PI_2 - atan_positive(adjacent / magnitude)
    } else {
        atan_positive(magnitude / adjacent)
    };
    angle.copysign(x)
}

pub fn acos(x: f64) -> f64 {
    FRAC_PI_2 - asin(x)
}

/// The angle of the point (`x`, `y`).
pub fn atan2(y: f64, x: f64) -> f64 {
    if y == 0.0 || x == 0.0 || !y.is_finite() || !x.is_finite() {
        return y.atan2(x);
    }
    let angle = atan(y / x);
    match (x < 0.0, angle <= 0.0) {
        (true, true) => angle + PI,
        (true, false) => angle - PI,
        (false, _) => angle,
    }
}

pub fn sinh(x: f64) -> f64 {
    // Hart & Cheney, #2029.
    const P: [f64; 4] = [
        -2.630_563_213_397_497e1,
        -2.894_211_355_989_563_7e3,
        -89_912.720_220_395_09,
        -6.307_673_640_497_717e5,
    ];
    const Q: [f64; 4] =
        [1.0, -1.736_789_535_582_337e2, 1.521_517_378_790_019e4, -6.307_673_640_497_717e5];
    let magnitude = x.abs();
    let value = if magnitude > 21.0 {
        exp(magnitude) / 2.0
    } else if magnitude > 0.5 {
        let power = exp(magnitude);
        (power - 1.0 / power) / 2.0
    } else {
        let square = magnitude * magnitude;
        polynomial(square, &P) * magnitude / polynomial(square, &Q)
    };
    value.copysign(x)
}

pub fn cosh(x: f64) -> f64 {
    let magnitude = x.abs();
    if magnitude > 21.0 {
        return exp(magnitude) / 2.0;
    }
    let power = exp(magnitude);
    (power + 1.0 / power) / 2.0
}

pub fn tanh(x: f64) -> f64 {
    const P: [f64; 3] =
        [-9.643_991_794_250_523e-1, -9.928_772_310_019_185e1, -1.614_687_684_417_084_5e3];
    const Q: [f64; 4] =
        [1.0, 1.128_116_784_916_329_3e2, 2.235_488_390_601_004_6e3, 4.844_063_053_251_255e3];
    let magnitude = x.abs();
    if x == 0.0 || x.is_nan() {
        return x;
    }
    // Half of ln(2^127).
    if magnitude > 44.014_845_965_556_525 {
        return 1.0_f64.copysign(x);
    }
    if magnitude >= 0.625 {
        return (1.0 - 2.0 / (exp(2.0 * magnitude) + 1.0)).copysign(x);
    }
    let square = x * x;
    x + x * square * polynomial(square, &P) / polynomial(square, &Q)
}

/// Beyond it, and below its inverse, squares say nothing.
const HUGE: f64 = (1_u64 << 28) as f64;

pub fn asinh(x: f64) -> f64 {
    let magnitude = x.abs();
    if !x.is_finite() || magnitude < 1.0 / HUGE {
        return x;
    }
    let root = || (magnitude * magnitude + 1.0).sqrt();
    let value = if magnitude > HUGE {
        ln(magnitude) + LN_2
    } else if magnitude > 2.0 {
        ln(2.0 * magnitude + 1.0 / (root() + magnitude))
    } else {
        (magnitude + magnitude * magnitude / (1.0 + (1.0 + magnitude * magnitude).sqrt())).ln_1p()
    };
    value.copysign(x)
}

pub fn acosh(x: f64) -> f64 {
    if x < 1.0 || x.is_nan() {
        return f64::NAN;
    }
    if x == 1.0 {
        return 0.0;
    }
    if x >= HUGE {
        return ln(x) + LN_2;
    }
    if x > 2.0 {
        return ln(2.0 * x - 1.0 / (x + (x * x - 1.0).sqrt()));
    }
    let t = x - 1.0;
    (t + (2.0 * t + t * t).sqrt()).ln_1p()
}

pub fn atanh(x: f64) -> f64 {
    let magnitude = x.abs();
    if magnitude < 1.0 / HUGE {
        return x;
    }
    if magnitude >= 1.0 || x.is_nan() {
        return x.atanh();
    }
    let double = magnitude + magnitude;
    let argument = if magnitude < 0.5 {
        double + double * magnitude / (1.0 - magnitude)
    } else {
        double / (1.0 - magnitude)
    };
    (0.5 * argument.ln_1p()).copysign(x)
}
