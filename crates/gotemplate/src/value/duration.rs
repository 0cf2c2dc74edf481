use super::{Func, Member, Type, Value};

/// Prints nanoseconds as Go's `Duration.String`: `1h0m0.5s`, `1.5ms`, `0s`.
pub fn format_duration(nanos: i64) -> String {
    let magnitude = nanos.unsigned_abs();
    let sign = if nanos < 0 { "-" } else { "" };
    match magnitude {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{magnitude}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", decimal(magnitude, 1_000)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", decimal(magnitude, 1_000_000)),
        _ => {
            let minutes = magnitude / 60_000_000_000;
            let seconds = decimal(magnitude % 60_000_000_000, 1_000_000_000);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{sign}{seconds}s"),
                (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

/// `value / unit` with as many digits as it takes.
fn decimal(value: u64, unit: u64) -> String {
    let digits = unit.ilog10() as usize;
    let text = format!("{}.{:0digits$}", value / unit, value % unit);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The methods of `time.Duration`.
pub(crate) fn member(nanos: i64, name: &str) -> Option<Member> {
    // As Go: whole units and the rest apart, for the same last bit.
    let in_units =
        |unit: i64| Value::Float((nanos / unit) as f64 + (nanos % unit) as f64 / unit as f64);
    let value = match name {
        "Hours" => in_units(3_600_000_000_000),
        "Minutes" => in_units(60_000_000_000),
        "Seconds" => in_units(1_000_000_000),
        "Milliseconds" => Value::Int(nanos / 1_000_000),
        "Microseconds" => Value::Int(nanos / 1000),
        "Nanoseconds" => Value::Int(nanos),
        "String" => Value::string(format_duration(nanos)),
        "Abs" => Value::Duration(nanos.saturating_abs()),
        "Truncate" => return Some(with_unit(move |unit| nanos - nanos % unit)),
        "Round" => return Some(with_unit(move |unit| round(nanos, unit))),
        _ => return None,
    };
    Some(Member::Method(Func::new(&[], move |_| Ok(value.clone()))))
}

fn with_unit(calculate: impl Fn(i64) -> i64 + Send + Sync + 'static) -> Member {
    Member::Method(Func::new(&[Type::Duration], move |args| match args {
        [Value::Duration(unit), ..] if *unit > 0 => Ok(Value::Duration(calculate(*unit))),
        _ => Ok(Value::Duration(calculate(1))),
    }))
}

/// To the nearest multiple, halves away from zero.
fn round(nanos: i64, unit: i64) -> i64 {
    let rest = nanos % unit;
    let down = nanos - rest;
    let further = rest.unsigned_abs() >= unit.unsigned_abs() - rest.unsigned_abs();
    if further { down.saturating_add(unit * nanos.signum()) } else { down }
}
