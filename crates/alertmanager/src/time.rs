//! Moments, as the protocols of an Alertmanager carry them: to the nanosecond, with an offset.

use std::{cmp::Ordering, ops, time::Duration};

use jiff::{
    Timestamp,
    tz::{Offset, TimeZone},
};
use runtime::Clock;

/// A moment; compares by the instant alone.
#[derive(Clone, Copy)]
pub struct Time {
    instant: Timestamp,
    /// The offset in which the sender wrote it: upstream hands it on to receivers.
    offset: Offset,
}

impl Time {
    pub fn now(clock: &dyn Clock) -> Time {
        Time::UNIX_EPOCH + clock.now()
    }

    pub const UNIX_EPOCH: Time = Time { instant: Timestamp::UNIX_EPOCH, offset: Offset::UTC };

    pub fn from_millis(millis: i64) -> Time {
        let limit = if millis < 0 { Timestamp::MIN } else { Timestamp::MAX };
        let instant = Timestamp::from_millisecond(millis).unwrap_or(limit);
        Time { instant, offset: Offset::UTC }
    }

    /// Reads RFC 3339, with a `T` or a blank and any number of fractional digits.
    pub fn parse(text: &str) -> Option<Time> {
        let pieces = jiff::fmt::temporal::DateTimeParser::new();
        let has_zone_name = text.contains('[');
        let has_seconds = text.bytes().filter(|b| *b == b':').count() >= 2;
        if has_zone_name || !has_seconds {
            return None;
        }
        let instant = pieces.parse_timestamp(text).ok()?;
        let offset = match text.bytes().last()? {
            b'Z' | b'z' => Offset::UTC,
            _ => {
                let (hours, minutes) = text.get(text.len().checked_sub(6)?..)?.split_once(':')?;
                let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
                let sign = if text.get(text.len() - 6..)?.starts_with('-') { -1 } else { 1 };
                Offset::from_seconds(hours * 3600 + sign * minutes * 60).ok()?
            }
        };
        Some(Time { instant, offset })
    }

    pub fn as_nanos(self) -> i128 {
        self.instant.as_nanosecond()
    }

    /// Since the epoch, rounded down.
    pub fn as_seconds(self) -> i64 {
        self.as_nanos().div_euclid(1_000_000_000) as i64
    }

    pub fn as_secs_f64(self) -> f64 {
        self.as_nanos() as f64 / 1e9
    }

    /// Time since `earlier`; zero if `earlier` is later.
    pub fn since(self, earlier: Time) -> Duration {
        let nanos = (self.as_nanos() - earlier.as_nanos()).clamp(0, i128::from(u64::MAX));
        Duration::from_nanos(nanos as u64)
    }

    /// The moment with its offset as a zone.
    pub fn to_zoned(self) -> jiff::Zoned {
        let zone =
            if self.offset == Offset::UTC { TimeZone::UTC } else { self.offset.to_time_zone() };
        self.instant.to_zoned(zone)
    }

    pub fn instant(self) -> Timestamp {
        self.instant
    }

    /// `2006-01-02T15:04:05.999999999Z07:00`: no more digits than needed.
    pub fn to_rfc3339_nanos(self) -> String {
        gotemplate::Time(self.to_zoned()).format("2006-01-02T15:04:05.999999999Z07:00")
    }

    /// `2006-01-02T15:04:05Z07:00`
    pub fn to_rfc3339_seconds(self) -> String {
        gotemplate::Time(self.to_zoned()).format("2006-01-02T15:04:05Z07:00")
    }

    /// `2006-01-02T15:04:05.000Z07:00`, the form of the API.
    pub fn to_rfc3339_millis(self) -> String {
        gotemplate::Time(self.to_zoned()).format("2006-01-02T15:04:05.000Z07:00")
    }

    pub fn to_proto(self) -> proto::Timestamp {
        let nanos = self.as_nanos().rem_euclid(1_000_000_000) as i32;
        proto::Timestamp { seconds: self.as_seconds(), nanos }
    }

    /// `None` for what lies outside of all calendars, and for Go's zero time, which says "unset".
    pub fn from_proto(timestamp: proto::Timestamp) -> Option<Time> {
        let instant = Timestamp::new(timestamp.seconds, timestamp.nanos).ok()?;
        Some(Time { instant, offset: Offset::UTC }).filter(|time| !time.is_zero())
    }

    /// East of Greenwich, as the sender wrote it.
    pub(crate) fn offset_seconds(self) -> i32 {
        self.offset.seconds()
    }

    /// The same moment, written elsewhere; `None` if no clock is so far away.
    pub(crate) fn with_offset_seconds(self, seconds: i32) -> Option<Time> {
        Some(Time { offset: Offset::from_seconds(seconds).ok()?, ..self })
    }

    /// Whether it is Go's zero time, the first moment of the year 1, which says "unset".
    pub fn is_zero(self) -> bool {
        self.instant.as_nanosecond() == -62_135_596_800_000_000_000
    }
}

impl ops::Add<Duration> for Time {
    type Output = Time;
    fn add(self, duration: Duration) -> Time {
        let instant = self.instant.checked_add(duration).unwrap_or(Timestamp::MAX);
        Time { instant, ..self }
    }
}

impl ops::Sub<Duration> for Time {
    type Output = Time;
    fn sub(self, duration: Duration) -> Time {
        let instant = self.instant.checked_sub(duration).unwrap_or(Timestamp::MIN);
        Time { instant, ..self }
    }
}

impl PartialEq for Time {
    fn eq(&self, other: &Time) -> bool {
        self.instant == other.instant
    }
}

impl Eq for Time {}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Time) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Time) -> Ordering {
        self.instant.cmp(&other.instant)
    }
}

impl std::hash::Hash for Time {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.instant.hash(state);
    }
}

impl std::fmt::Debug for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_rfc3339_nanos())
    }
}

#[cfg(test)]
mod tests {
    use super::Time;

    fn check(text: &str, nanos: &str, millis: &str) {
        let time = Time::parse(text).unwrap_or_else(|| panic!("{text} is a time"));
        assert_eq!(
            (time.to_rfc3339_nanos().as_str(), time.to_rfc3339_millis().as_str()),
            (nanos, millis)
        );
        assert_eq!(Time::from_proto(time.to_proto()), Some(time));
    }

    #[test]
    fn offsets_survive() {
        check(
            "2024-01-01T00:00:00+11:00",
            "2024-01-01T00:00:00+11:00",
            "2024-01-01T00:00:00.000+11:00",
        );
        check(
            "2024-01-01T00:00:00.123456789Z",
            "2024-01-01T00:00:00.123456789Z",
            "2024-01-01T00:00:00.123Z",
        );
        check(
            "1960-01-01T00:00:00.5-03:30",
            "1960-01-01T00:00:00.5-03:30",
            "1960-01-01T00:00:00.500-03:30",
        );
    }

    #[test]
    fn what_is_no_rfc_3339_is_no_time() {
        for text in ["", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01T00:00Z", "now"] {
            assert_eq!(Time::parse(text), None, "{text}");
        }
    }
}
