//! Numbers as Go reads and writes them in exposition formats.

use std::fmt::Write as _;

use model::float::NORMAL_NAN;

/// Why a text is no number, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    #[error("unsupported character in float")]
    UnsupportedCharacter,
    #[error("strconv.{function}: parsing {}: {reason}", model::labels::quote_bytes(.text))]
    Syntax { function: &'static str, text: Vec<u8>, reason: &'static str },
}

/// The float in `text`; any NaN is the ordinary one.
pub(crate) fn parse_float(text: &[u8]) -> Result<f64, NumberError> {
    if let Some(value) = small_integer(text) {
        return Ok(value);
    }
    let fail = |reason| NumberError::Syntax { function: "ParseFloat", text: text.to_vec(), reason };
    let invalid = || match text.iter().any(|byte| matches!(byte, b'p' | b'P' | b'_')) {
        true => NumberError::UnsupportedCharacter,
        false => fail("invalid syntax"),
    };
    let number = std::str::from_utf8(text).map_err(|_| invalid())?;
    let value: f64 = number.parse().map_err(|_| invalid())?;
    if value.is_nan() {
        // Go knows no NaN with a sign.
        let is_signed = matches!(text.first(), Some(b'+' | b'-'));
        return if is_signed { Err(fail("invalid syntax")) } else { Ok(NORMAL_NAN) };
    }
    if value.is_infinite() && !text.iter().any(|byte| byte.eq_ignore_ascii_case(&b'n')) {
        return Err(fail("value out of range"));
    }
    Ok(value)
}

/// Most values are small whole numbers, which need no correct rounding.
fn small_integer(text: &[u8]) -> Option<f64> {
    if text.is_empty() || text.len() > 15 {
        return None;
    }
    let mut value = 0u64;
    for byte in text {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + u64::from(byte - b'0');
    }
    Some(value as f64)
}

/// The milliseconds in `text`.
pub(crate) fn parse_millis(text: &[u8]) -> Result<i64, NumberError> {
    let fail = |reason| NumberError::Syntax { function: "ParseInt", text: text.to_vec(), reason };
    let number = std::str::from_utf8(text).map_err(|_| fail("invalid syntax"))?;
    // Only digits get here, so the one thing that can be wrong is their number.
    number.parse().map_err(|_| fail("value out of range"))
}

/// Appends `value` as Go's `FormatFloat(value, 'g', -1, 64)`: with an exponent when that is below -4
/// or above 5.
pub(crate) fn write_float(value: f64, out: &mut String) {
    let magnitude = value.abs();
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else if magnitude != 0.0 && !(1e-4..1e6).contains(&magnitude) {
        model::float::write_exponent(value, out);
    } else {
        write!(out, "{value}").expect("writing to a string cannot fail");
    }
}

/// Appends `value` as OpenMetrics wants it: with a point or an exponent, also when it is whole.
pub(crate) fn write_openmetrics_float(value: f64, out: &mut String) {
    let begin = out.len();
    write_float(value, out);
    let is_whole = out.bytes().skip(begin).all(|byte| byte.is_ascii_digit() || byte == b'-');
    if is_whole {
        out.push_str(".0");
    }
}
