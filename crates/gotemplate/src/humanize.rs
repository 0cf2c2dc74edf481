//! Numbers for people: what upstream's programs, not Go itself, add to templates.

use crate::{Time, Value, format::sprintf, quote::quote};

const LARGE: [&str; 8] = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];
const BINARY: [&str; 8] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];

/// The number that a value of a template is or spells.
pub fn number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(number) => Ok(*number),
        Value::Int(number) => Ok(*number as f64),
        Value::Uint(number) => Ok(*number as f64),
        Value::Duration(nanos) => Ok(*nanos as f64 / 1e9),
        Value::String(text) => parse_float(text),
        other => Err(format!("can't convert {} to float", other.type_name())),
    }
}

fn parse_float(text: &str) -> Result<f64, String> {
    // Rust and Go read the same decimals and the same names of NaN and infinity.
    text.parse().map_err(|_| {
        let text = quote(text);
        format!("strconv.ParseFloat: parsing {text}: invalid syntax")
    })
}

fn four_digits(value: f64) -> String {
    sprintf("%.4g", &[Value::Float(value)])
}

/// `1.235M`, `120m`.
pub fn humanize(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return four_digits(value);
    }
    let (value, prefix) =
        if value.abs() >= 1.0 { scale_down(value, 1000.0, &LARGE) } else { scale_up(value) };
    four_digits(value) + prefix
}

/// `1.177Mi`.
pub fn humanize_1024(value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        return four_digits(value);
    }
    let (value, prefix) = scale_down(value, 1024.0, &BINARY);
    four_digits(value) + prefix
}

fn scale_down(mut value: f64, base: f64, prefixes: &[&'static str]) -> (f64, &'static str) {
    let mut prefix = "";
    for next in prefixes {
        if value.abs() < base {
            break;
        }
        prefix = next;
        value /= base;
    }
    (value, prefix)
}

fn scale_up(mut value: f64) -> (f64, &'static str) {
    let mut prefix = "";
    for next in SMALL {
        if value.abs() >= 1.0 {
            break;
        }
        prefix = next;
        value *= 1000.0;
    }
    (value, prefix)
}

/// `1d 2h 3m 4s`, `12.35s`, `100ms`, of seconds.
pub fn duration(value: f64) -> String {
    if !value.is_finite() {
        return four_digits(value);
    }
    if value == 0.0 {
        return four_digits(value) + "s";
    }
    if value.abs() < 1.0 {
        let (value, prefix) = scale_up(value);
        return format!("{}{prefix}s", four_digits(value));
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let value = value.abs();
    // On amd64 Go converts what doesn't fit to the smallest integer; so does the text show it.
    let whole = if value >= i64::MAX as f64 { i64::MIN } else { value as i64 };
    let (days, hours) = (whole / 86_400, whole / 3600 % 24);
    let (minutes, seconds) = (whole / 60 % 60, whole % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{sign}{}s", four_digits(value)),
        (0, 0, _) => format!("{sign}{minutes}m {seconds}s"),
        (0, ..) => format!("{sign}{hours}h {minutes}m {seconds}s"),
        _ => format!("{sign}{days}d {hours}h {minutes}m {seconds}s"),
    }
}

/// `12.35%` of 0.12345.
pub fn percentage(value: f64) -> String {
    four_digits(value * 100.0) + "%"
}

/// A moment as text, of seconds since the epoch.
pub fn timestamp(value: f64) -> Result<String, String> {
    if !value.is_finite() {
        return Ok(four_digits(value));
    }
    float_to_time(value).map(|time| time.to_string())
}

/// The moment so many seconds after the epoch, to the millisecond.
pub fn float_to_time(seconds: f64) -> Result<Time, String> {
    if !seconds.is_finite() {
        return Err("value is NaN or Inf".to_owned());
    }
    let nanos = seconds * 1e9;
    if !(i64::MIN as f64..=i64::MAX as f64).contains(&nanos) {
        let seconds = sprintf("%v", &[Value::Float(seconds)]);
        return Err(format!(
            "{seconds} cannot be represented as a nanoseconds timestamp since it overflows int64"
        ));
    }
    Ok(Time::from_millis(nanos as i64 / 1_000_000))
}
