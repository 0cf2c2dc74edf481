//! What a scalar means: YAML 1.1 as Go's `yaml.v2` reads it.

use base64::Engine as _;

use super::Meaning;

/// The meaning of an unquoted scalar without a tag; `None` is null.
pub(super) fn plain(text: &str) -> Option<Meaning> {
    let meaning = match text {
        "" | "~" | "null" | "Null" | "NULL" => return None,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Meaning::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Meaning::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" => Meaning::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Meaning::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Meaning::Float(f64::NEG_INFINITY),
        text => number(text).unwrap_or(Meaning::Text),
    };
    Some(meaning)
}

/// The meaning of a scalar under a tag of YAML's own, such as `str` or `int`.
pub(super) fn tagged(tag: &str, text: &str) -> Result<Option<Meaning>, String> {
    let meaning = match tag {
        "str" | "timestamp" => return Ok(Some(Meaning::Text)),
        _ => plain(text),
    };
    match (tag, &meaning) {
        ("null", None)
        | ("bool", Some(Meaning::Bool(_)))
        | ("int", Some(Meaning::Int(_) | Meaning::Unsigned(_)))
        | ("float", Some(Meaning::Float(_))) => Ok(meaning),
        ("float", Some(Meaning::Int(int))) => Ok(Some(Meaning::Float(*int as f64))),
        ("null" | "bool" | "int" | "float", _) => {
            Err(format!("cannot decode `{text}` as a !!{tag}"))
        }
        _ => Ok(Some(Meaning::Text)),
    }
}

/// The bytes of a `!!binary`.
pub(super) fn binary(text: &str) -> Result<Meaning, String> {
    let digits: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    base64::engine::general_purpose::STANDARD
        .decode(digits)
        .map(Meaning::Binary)
        .map_err(|_| "!!binary value contains invalid base64 data".to_owned())
}

fn number(text: &str) -> Option<Meaning> {
    let first = text.bytes().next()?;
    if !matches!(first, b'0'..=b'9' | b'+' | b'-' | b'.') {
        return None;
    }
    let digits = text.replace('_', "");
    integer(&digits).or_else(|| float(&digits))
}

/// Go's `ParseInt(text, 0, 64)`: decimal, `0x`, `0o`, `0b` and the old octal `017`.
fn integer(text: &str) -> Option<Meaning> {
    let (negative, magnitude) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = magnitude.to_ascii_lowercase();
    let (radix, digits) = match () {
        () if lower.starts_with("0x") => (16, lower.strip_prefix("0x")),
        () if lower.starts_with("0o") => (8, lower.strip_prefix("0o")),
        () if lower.starts_with("0b") => (2, lower.strip_prefix("0b")),
        () if lower.len() > 1 && lower.starts_with('0') => (8, lower.strip_prefix('0')),
        () => (10, Some(lower.as_str())),
    };
    let digits = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_alphanumeric()))?;
    let value = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        return 0i64.checked_sub_unsigned(value).map(Meaning::Int);
    }
    Some(i64::try_from(value).map_or(Meaning::Unsigned(value), Meaning::Int))
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn float(text: &str) -> Option<Meaning> {
    let digits_and_signs =
        text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    if !digits_and_signs {
        return None;
    }
    text.parse().ok().map(Meaning::Float)
}
