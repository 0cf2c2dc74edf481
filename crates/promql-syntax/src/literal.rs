//! What literals are worth: numbers, durations, strings.

use model::{duration, float, labels::quote};

/// The value of a number as the lexer found it; the error is Go's.
pub(crate) fn number(text: &str) -> Result<f64, String> {
    if let Some(value) = integer(text) {
        return Ok(value as f64);
    }
    let problem = |what: &str| {
        Err(format!("error parsing number: strconv.ParseFloat: parsing {}: {what}", quote(text)))
    };
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "nan" => return Ok(float::NORMAL_NAN),
        "inf" => return Ok(f64::INFINITY),
        _ => {}
    }
    let is_decimal = lower.bytes().all(|byte| b"0123456789.e+-_".contains(&byte));
    if !is_decimal || !underscores_separate_digits(&lower) {
        return problem("invalid syntax");
    }
    match lower.replace('_', "").parse::<f64>() {
        Ok(value) if value.is_infinite() => problem("value out of range"),
        Ok(value) => Ok(value),
        Err(_) => problem("invalid syntax"),
    }
}

/// An integer of 64 bits: decimal, hexadecimal after `0x`, octal after `0`.
fn integer(text: &str) -> Option<i64> {
    let plain_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        // One underscore may stand right behind the prefix.
        Some(digits) => (digits.strip_prefix('_').unwrap_or(digits), 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    if !digits.contains('_') {
        return plain_digits(digits).then(|| i64::from_str_radix(digits, radix).ok()).flatten();
    }
    let digits = underscores_separate_digits(digits).then(|| digits.replace('_', ""))?;
    plain_digits(&digits).then(|| i64::from_str_radix(&digits, radix).ok()).flatten()
}

fn underscores_separate_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_digit = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at)).is_some_and(|byte| byte.is_ascii_hexdigit())
    };
    let underscores = (0..bytes.len()).filter(|at| bytes.get(*at) == Some(&b'_'));
    underscores.into_iter().all(|at| is_digit(at.checked_sub(1)) && is_digit(Some(at + 1)))
}

/// The seconds of a duration; the error is upstream's.
pub(crate) fn duration_seconds(text: &str) -> Result<f64, String> {
    let bad_unit = text
        .split(|c: char| c.is_ascii_digit())
        .find(|unit| !matches!(*unit, "" | "y" | "w" | "d" | "h" | "m" | "s" | "ms"));
    if let Some(unit) = bad_unit {
        return Err(format!("unknown unit {} in duration {}", quote(unit), quote(text)));
    }
    match duration::parse(text) {
        Ok(duration) => Ok(duration.as_millis() as f64 / 1000.0),
        Err(error) => Err(error.to_string()),
    }
}

/// Seconds to whole milliseconds.
pub(crate) fn millis(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

/// What a string literal, quotes included, stands for. The lexer has checked its escapes.
pub(crate) fn unquote(literal: &[u8]) -> Vec<u8> {
    let Some((quote, rest)) = literal.split_first() else { return Vec::new() };
    let inner = rest.strip_suffix(&[*quote]).unwrap_or(rest);
    if *quote == b'`' || !inner.contains(&b'\\') {
        return inner.to_vec();
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte == b'\\' {
            unescape(&mut bytes, &mut out);
        } else {
            out.push(byte);
        }
    }
    out
}

fn unescape(bytes: &mut impl Iterator<Item = u8>, out: &mut Vec<u8>) {
    let Some(kind) = bytes.next() else { return };
    let mut digits = |first: u32, count: usize, base: u32| {
        bytes.take(count).fold(first, |value, byte| {
            value.wrapping_mul(base) + char::from(byte).to_digit(base).unwrap_or(0)
        })
    };
    let code = match kind {
        b'a' => return out.push(0x07),
        b'b' => return out.push(0x08),
        b'f' => return out.push(0x0c),
        b'n' => return out.push(b'\n'),
        b'r' => return out.push(b'\r'),
        b't' => return out.push(b'\t'),
        b'v' => return out.push(0x0b),
        b'0'..=b'7' => return out.push(digits(u32::from(kind - b'0'), 2, 8) as u8),
        b'x' => return out.push(digits(0, 2, 16) as u8),
        b'u' => digits(0, 4, 16),
        b'U' => digits(0, 8, 16),
        other => return out.push(other),
    };
    let character = char::from_u32(code).unwrap_or('\u{fffd}');
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}
