use gotemplate::{Value, format::sprintf};

const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];

/// The seconds that a value of a template is or spells.
pub(super) fn number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(number) => Ok(*number),
        Value::Int(number) => Ok(*number as f64),
        Value::Uint(number) => Ok(*number as f64),
        Value::Duration(nanos) => Ok(*nanos as f64 / 1e9),
        Value::String(text) => text.parse().map_err(|_| {
            let text = gotemplate::quote::quote(text);
            format!("strconv.ParseFloat: parsing {text}: invalid syntax")
        }),
        other => Err(format!("can't convert {} to float", other.type_name())),
    }
}

/// `1d 2h 3m 4s`, `12.35s`, `100ms`, of seconds.
pub(super) fn duration(seconds: f64) -> String {
    let four_digits = |value: f64| sprintf("%.4g", &[Value::Float(value)]);
    if !seconds.is_finite() {
        return four_digits(seconds);
    }
    if seconds == 0.0 {
        return "0s".to_owned();
    }
    if seconds.abs() < 1.0 {
        let mut value = seconds;
        let mut prefix = "";
        for next in SMALL {
            if value.abs() >= 1.0 {
                break;
            }
            prefix = next;
            value *= 1000.0;
        }
        return format!("{}{prefix}s", four_digits(value));
    }
    let sign = if seconds < 0.0 { "-" } else { "" };
    let seconds = seconds.abs();
    // On amd64 Go converts what doesn't fit to the smallest integer; so does the text show it.
    let whole = if seconds >= i64::MAX as f64 { i64::MIN } else { seconds as i64 };
    match (whole / 86_400, whole / 3600 % 24, whole / 60 % 60) {
        (0, 0, 0) => format!("{sign}{}s", four_digits(seconds)),
        (0, 0, minutes) => format!("{sign}{minutes}m {}s", whole % 60),
        (0, hours, minutes) => format!("{sign}{hours}h {minutes}m {}s", whole % 60),
        (days, hours, minutes) => format!("{sign}{days}d {hours}h {minutes}m {}s", whole % 60),
    }
}
