//! Float values with a meaning, and floats as Go prints them.

pub mod functions;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

/// The bits of the NaN that marks the end of a series.
pub const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;
/// The bits of an ordinary NaN.
pub const NORMAL_NAN_BITS: u64 = 0x7ff8_0000_0000_0001;

/// The marker that a series has ended.
pub const STALE: f64 = f64::from_bits(STALE_BITS);
/// An ordinary NaN, in the one form that upstream stores.
pub const NORMAL_NAN: f64 = f64::from_bits(NORMAL_NAN_BITS);

pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_BITS
}

/// Appends `value` as the HTTP API prints it: shortest form, `e` notation when the magnitude is
/// below 1e-6 or at least 1e21.
pub fn write_json(value: f64, out: &mut String) {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) && value.is_finite() {
        write_exponent(value, out);
    } else {
        write_plain(value, out);
    }
}

/// Appends `value` as Go's `FormatFloat(v, 'f', -1, 64)`.
pub fn write_plain(value: f64, out: &mut String) {
    if write_special(value, out) {
        return;
    }
    // Below 2^53 every whole number is a float, so none has a shorter form than its digits.
    let is_exact = value.abs() < (1_u64 << 53) as f64;
    if is_exact && value.trunc() == value {
        if value == 0.0 && value.is_sign_negative() {
            out.push('-');
        }
        return out.push_str(itoa::Buffer::new().format(value as i64));
    }
    let start = out.len();
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    match is_exact && !text.contains('e') {
        true => out.push_str(text),
        false => write!(out, "{value}").expect("writing to a string cannot fail"),
    }
    let point = out.bytes().skip(start).position(|byte| byte == b'.');
    let places = point.map_or(0, |point| out.len() - start - point - 1);
    settle_tie(value, places as i64, 0, out);
}

/// Appends `value` as Go's `FormatFloat(v, 'e', -1, 64)`: at least two exponent digits.
pub fn write_exponent(value: f64, out: &mut String) {
    if write_special(value, out) {
        return;
    }
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').expect("`{:e}` always prints an exponent");
    out.push_str(mantissa);
    let places = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len() as i64);
    settle_tie(value, places, exponent.parse().unwrap_or_default(), out);
    push_exponent(exponent, out);
}

/// Makes the last digit in `out` even where `value` lies exactly between two numbers of so many
/// decimal places, both of which stand for it: Rust has rounded such a tie up, Go rounds it to
/// the even digit. What `out` ends with is still to be multiplied by ten to the `power`.
fn settle_tie(value: f64, places: i64, power: i64, out: &mut String) {
    let exponent = (value.to_bits() >> 52 & 0x7ff) as i64 - 1075;
    let mantissa = value.to_bits() & ((1 << 52) - 1) | 1 << 52;
    // As many decimal places as binary ones, and the last digit is a 5.
    let exact_places = -(exponent + i64::from(mantissa.trailing_zeros()));
    let is_odd = out.bytes().next_back().is_some_and(|digit| digit % 2 == 1);
    if exact_places != places - power + 1 || !is_odd {
        return;
    }
    let Some(last) = out.pop() else { return };
    out.push((last as u8 - 1) as char);
    // Below a power of two, numbers lie closer together.
    let number = out.bytes().rev().take_while(|byte| byte.is_ascii_digit() || *byte == b'.');
    let start = out.len() - number.count();
    let text = format!("{}e{power}", out.get(start..).unwrap_or_default());
    if text.parse() != Ok(value.abs()) {
        out.pop();
        out.push(last);
    }
}

/// Appends `value` as Go's `FormatFloat(v, 'g', -1, 64)` and `%v`: `e` notation for exponents
/// below -4 or from 6 on.
pub fn write_general(value: f64, out: &mut String) {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-4..1e6).contains(&magnitude) && value.is_finite() {
        write_exponent(value, out);
    } else {
        write_plain(value, out);
    }
}

/// A sum with Neumaier's improvement of Kahan's compensation.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct KahanSum {
    pub value: f64,
    /// What rounding has taken from `value` so far.
    pub compensation: f64,
}

impl KahanSum {
    pub fn add(&mut self, value: f64) {
        *self = self.plus(value);
    }

    #[must_use]
    pub fn plus(self, value: f64) -> KahanSum {
        let sum = self.value + value;
        let compensation = if sum.is_infinite() {
            0.0
        } else if self.value.abs() >= value.abs() {
            self.compensation + ((self.value - sum) + value)
        } else {
            self.compensation + ((value - sum) + self.value)
        };
        KahanSum { value: sum, compensation }
    }

    pub fn total(self) -> f64 {
        self.value + self.compensation
    }
}

fn write_special(value: f64, out: &mut String) -> bool {
    let text = if value.is_nan() {
        "NaN"
    } else if value == f64::INFINITY {
        "+Inf"
    } else if value == f64::NEG_INFINITY {
        "-Inf"
    } else {
        return false;
    };
    out.push_str(text);
    true
}

fn push_exponent(exponent: &str, out: &mut String) {
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    out.push('e');
    out.push(sign);
    if digits.len() < 2 {
        out.push('0');
    }
    out.push_str(digits);
}
