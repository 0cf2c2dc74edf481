//! Moments as people write them on the command line.

use std::time::Duration;

use model::Timestamp;

/// Reads seconds since the epoch, with a fraction, or RFC 3339.
pub(crate) fn parse(text: &str) -> Result<Timestamp, String> {
    if let Ok(seconds) = text.parse::<f64>()
        && seconds.is_finite()
    {
        return Ok(Timestamp::from_millis((seconds * 1000.0).round() as i64));
    }
    let moment: jiff::Timestamp = text
        .parse()
        .map_err(|_| format!("cannot parse {} to a valid timestamp", model::labels::quote(text)))?;
    Ok(Timestamp::from_millis(moment.as_millisecond()))
}

/// Seconds as Go prints them: shortest, without exponent.
pub(crate) fn seconds(timestamp: Timestamp) -> String {
    plain(timestamp.as_millis() as f64 / 1000.0)
}

/// A float as Go's `FormatFloat(v, 'f', -1, 64)`.
pub(crate) fn plain(value: f64) -> String {
    let mut out = String::new();
    model::float::write_plain(value, &mut out);
    out
}

/// A duration as Go prints one: `1h0m0s`, `1.5s`.
pub(crate) fn go_duration(duration: Duration) -> String {
    let seconds = plain((duration.as_millis() % 60_000) as f64 / 1000.0);
    let minutes = duration.as_secs() / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) if duration < Duration::from_secs(1) && !duration.is_zero() => {
            format!("{}ms", duration.as_millis())
        }
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m{seconds}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
    }
}
