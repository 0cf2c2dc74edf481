//! Go's numeric constants.

use crate::{
    ast::Number,
    quote::{quote, unquote_char},
};

/// Reads a constant as every type that can hold it.
pub(super) fn parse_number(text: &str) -> Result<Number, String> {
    let mut number =
        Number { text: text.to_owned(), int: None, uint: None, float: None, complex: None };
    if text.starts_with('\'') {
        let c =
            unquote_char(text).ok_or_else(|| format!("malformed character constant: {text}"))?;
        number.int = Some(c.into());
        number.uint = Some(c.into());
        number.float = Some(c.into());
        return Ok(number);
    }
    let illegal = || format!("illegal number syntax: {}", quote(text));
    if let Some(imaginary) = text.strip_suffix('i') {
        number.complex = Some(parse_complex(imaginary).ok_or_else(illegal)?);
        return Ok(number);
    }
    number.uint = parse_integer(text).and_then(|n| u64::try_from(n).ok());
    number.int = parse_integer(text).and_then(|n| i64::try_from(n).ok());
    if number.int.is_some() || number.uint.is_some() {
        number.float = number.int.map(|n| n as f64).or(number.uint.map(|n| n as f64));
        return Ok(number);
    }
    let float = parse_float(text).ok_or_else(illegal)?;
    if !text.contains(['.', 'e', 'E', 'p', 'P']) {
        return Err(format!("integer overflow: {}", quote(text)));
    }
    number.float = Some(float);
    // `1e3` may stand where an integer is asked for.
    number.int = (float as i64 as f64 == float).then_some(float as i64);
    number.uint = (float as u64 as f64 == float).then_some(float as u64);
    Ok(number)
}

/// `1+2` of `1+2i`, or just the imaginary part.
fn parse_complex(text: &str) -> Option<(f64, f64)> {
    let bytes = text.as_bytes();
    let is_sign = |idx: &usize| {
        *idx > 0
            && matches!(bytes[*idx], b'+' | b'-')
            && !matches!(bytes[*idx - 1], b'e' | b'E' | b'p' | b'P')
    };
    match (0..bytes.len()).find(is_sign) {
        Some(split) => {
            let (real, imaginary) = text.split_at(split);
            Some((parse_float(real)?, parse_float(imaginary)?))
        }
        None => Some((0.0, parse_float(text)?)),
    }
}

fn parse_integer(text: &str) -> Option<i128> {
    let (sign, digits) = split_sign(text);
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, lower.get(2..)?),
        [b'0', b'o', ..] => (8, lower.get(2..)?),
        [b'0', b'b', ..] => (2, lower.get(2..)?),
        [b'0', _, ..] => (8, lower.get(1..)?),
        _ => (10, lower.as_str()),
    };
    let digits = without_underscores(digits, radix != 10)?;
    if digits.is_empty() || digits.starts_with(['+', '-']) {
        return None;
    }
    i128::from_str_radix(&digits, radix).ok().map(|number| sign * number)
}

fn parse_float(text: &str) -> Option<f64> {
    let (sign, digits) = split_sign(text);
    let lower = digits.to_ascii_lowercase();
    let magnitude = match lower.strip_prefix("0x") {
        Some(hex) => parse_hex_float(&without_underscores(hex, true)?)?,
        None => {
            // Rust also knows names of floats; Go's constants begin with a digit or point.
            let digits = without_underscores(&lower, false)?;
            let starts = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
            starts.then(|| digits.parse().ok())??
        }
    };
    let finite = f64::is_finite(magnitude);
    finite.then_some(sign as f64 * magnitude)
}

/// `1.8p3` of `0x1.8p3`: a mantissa in base 16, an exponent of two.
fn parse_hex_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let mantissa = u64::from_str_radix(&digits, 16).ok()? as f64;
    let exponent: i32 = exponent.parse().ok()?;
    let shift = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    Some(mantissa * 2f64.powi(exponent.checked_sub(shift)?))
}

fn split_sign(text: &str) -> (i128, &str) {
    match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// Underscores stand between digits only, or behind the prefix of a base.
fn without_underscores(digits: &str, has_prefix: bool) -> Option<String> {
    let misplaced = (digits.starts_with('_') && !has_prefix)
        || digits.ends_with('_')
        || digits.contains("__")
        || digits.contains("_.")
        || digits.contains("._");
    (!misplaced).then(|| digits.replace('_', ""))
}
