//! Moments as people write them on the command line.

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
