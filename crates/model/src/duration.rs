//! Durations in Prometheus' grammar: `1y2w3d4h5m6s7ms`, units from large to small.

use std::{fmt::Write as _, time::Duration};

/// Why a text is no duration; the words are upstream's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("empty duration string")]
    Empty,
    #[error("not a valid duration string: {0:?}")]
    Invalid(String),
    #[error("duration out of range")]
    OutOfRange,
}

/// Unit, milliseconds in it, and whether printing uses it only when it divides what is left.
const UNITS: [(&str, u64, bool); 7] = [
    ("y", 365 * 24 * 3_600_000, true),
    ("w", 7 * 24 * 3_600_000, true),
    ("d", 24 * 3_600_000, false),
    ("h", 3_600_000, false),
    ("m", 60_000, false),
    ("s", 1000, false),
    ("ms", 1, false),
];

/// Parses `5m`, `1h30m`, `0`.
pub fn parse(text: &str) -> Result<Duration, Error> {
    match text {
        "" => return Err(Error::Empty),
        "0" => return Ok(Duration::ZERO),
        _ => {}
    }
    let invalid = || Error::Invalid(text.to_owned());
    let mut rest = text;
    let mut total: u64 = 0;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at(letters);
        if digits == 0 {
            return Err(invalid());
        }
        // `find` goes on where the last unit was found: units come from large to small, once each.
        let (_, millis, _) = units.find(|(name, ..)| *name == unit).ok_or_else(invalid)?;
        let number: u64 = number.parse().map_err(|_| Error::OutOfRange)?;
        total = number
            .checked_mul(*millis)
            .and_then(|part| total.checked_add(part))
            // Upstream counts nanoseconds in an int64.
            .filter(|sum| *sum <= i64::MAX as u64 / 1_000_000)
            .ok_or(Error::OutOfRange)?;
        rest = after;
    }
    Ok(Duration::from_millis(total))
}

/// Prints `duration` as upstream does: `1h30m`, years and weeks only when nothing is left over.
pub fn format(duration: Duration) -> String {
    let mut left = duration.as_millis() as u64;
    if left == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    for (unit, millis, exact) in UNITS {
        let uses_unit = if exact { left.is_multiple_of(millis) } else { left >= millis };
        if uses_unit && left >= millis {
            write!(out, "{}{unit}", left / millis).expect("writing to a string cannot fail");
            left %= millis;
        }
    }
    out
}
