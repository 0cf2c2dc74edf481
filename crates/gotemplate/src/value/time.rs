mod layout;

use jiff::{SignedDuration, Span, Timestamp, Zoned, tz::TimeZone};

use super::{Func, Member, Type, Value, month::Named};

/// A moment with a time zone; Go's `time.Time`.
#[derive(Clone, PartialEq, Eq)]
pub struct Time(pub Zoned);

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Seconds from the epoch to Go's zero time, the year 1.
const ZERO_SECONDS: i64 = -62_135_596_800;

impl Time {
    /// The moment `millis` after the epoch, in UTC; clamped to the years -9999 to 9999.
    pub fn from_millis(millis: i64) -> Time {
        let limit = if millis < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Time(Timestamp::from_millisecond(millis).unwrap_or(limit).to_zoned(TimeZone::UTC))
    }

    /// Go's zero time, the first moment of the year 1.
    pub fn zero() -> Time {
        Time::from_millis(ZERO_SECONDS * 1000)
    }

    pub fn is_zero(&self) -> bool {
        self.0.timestamp().as_nanosecond() == i128::from(ZERO_SECONDS) * 1_000_000_000
    }

    /// Formats by one of Go's layouts, such as `2006-01-02T15:04:05Z07:00`.
    pub fn format(&self, layout: &str) -> String {
        layout::format(&self.0, layout)
    }

    /// Reads `text` by one of Go's layouts; the error is Go's. Without a zone it is UTC.
    pub fn parse(layout: &str, text: &str) -> Result<Time, String> {
        layout::parse(layout, text).map(Time)
    }

    fn add(&self, nanos: i64) -> Time {
        let limit = if nanos < 0 { Timestamp::MIN } else { Timestamp::MAX };
        let moved = self.0.timestamp().checked_add(SignedDuration::from_nanos(nanos));
        Time(moved.unwrap_or(limit).to_zoned(self.0.time_zone().clone()))
    }

    fn nanos_since(&self, earlier: &Time) -> i64 {
        let nanos = self.0.timestamp().as_nanosecond() - earlier.0.timestamp().as_nanosecond();
        nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }

    /// How far it is beyond a multiple of `unit` since Go's zero time.
    fn nanos_beyond(&self, unit: i64) -> i64 {
        let zero = i128::from(ZERO_SECONDS) * 1_000_000_000;
        (self.0.timestamp().as_nanosecond() - zero).rem_euclid(unit.into()) as i64
    }

    fn add_date(&self, years: i64, months: i64, days: i64) -> Time {
        // Go overflows days into the next month instead of stopping at its end.
        let date = self.0.date();
        let month = i64::from(date.year()) * 12 + i64::from(date.month()) - 1;
        let month = month.saturating_add(years.saturating_mul(12)).saturating_add(months);
        let moved = || {
            let year = i16::try_from(month.div_euclid(12)).ok()?;
            let first = jiff::civil::Date::new(year, month.rem_euclid(12) as i8 + 1, 1).ok()?;
            let days = days.checked_add(i64::from(date.day()) - 1)?;
            let day = first.checked_add(Span::new().try_days(days).ok()?).ok()?;
            day.to_datetime(self.0.time()).to_zoned(self.0.time_zone().clone()).ok()
        };
        Time(moved().unwrap_or_else(|| self.0.clone()))
    }
}

impl From<Timestamp> for Time {
    fn from(timestamp: Timestamp) -> Time {
        Time(timestamp.to_zoned(TimeZone::UTC))
    }
}

/// As Go's `Time.String`.
impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.format("2006-01-02 15:04:05.999999999 -0700 MST"))
    }
}

/// The methods of `time.Time`.
pub(crate) fn member(time: &Time, name: &str) -> Option<Member> {
    let method = match time_parts(time, name) {
        Some(value) => Func::new(&[], move |_| Ok(value.clone())),
        None => with_arguments(time.clone(), name)?,
    };
    Some(Member::Method(method))
}

/// Methods without arguments.
fn time_parts(time: &Time, name: &str) -> Option<Value> {
    let Time(zoned) = time;
    let nanos = zoned.timestamp().as_nanosecond();
    Some(match name {
        "Unix" => Value::Int(nanos.div_euclid(1_000_000_000) as i64),
        "UnixMilli" => Value::Int(nanos.div_euclid(1_000_000) as i64),
        "UnixMicro" => Value::Int(nanos.div_euclid(1000) as i64),
        "UnixNano" => Value::Int(nanos as i64),
        "Year" => Value::Int(zoned.year().into()),
        "Month" => Value::object(Named {
            type_name: "time.Month",
            number: zoned.month().into(),
            text: month_name(zoned),
        }),
        "Weekday" => Value::object(Named {
            type_name: "time.Weekday",
            number: zoned.weekday().to_sunday_zero_offset().into(),
            text: weekday_name(zoned),
        }),
        "Day" => Value::Int(zoned.day().into()),
        "YearDay" => Value::Int(zoned.day_of_year().into()),
        "Hour" => Value::Int(zoned.hour().into()),
        "Minute" => Value::Int(zoned.minute().into()),
        "Second" => Value::Int(zoned.second().into()),
        "Nanosecond" => Value::Int(zoned.subsec_nanosecond().into()),
        "IsZero" => Value::Bool(time.is_zero()),
        // The server's own zone is unknown to a pure function; containers run in UTC.
        "UTC" | "Local" => Value::Time(Time(zoned.with_time_zone(TimeZone::UTC))),
        "String" => Value::string(time.to_string()),
        _ => return None,
    })
}

fn with_arguments(time: Time, name: &str) -> Option<Func> {
    Some(match name {
        "Format" => Func::new(&[Type::String], move |args| match args {
            [layout] => Ok(Value::string(time.format(layout.as_str().unwrap_or_default()))),
            _ => unexpected(),
        }),
        "Sub" => with_time(move |other| Value::Duration(time.nanos_since(other))),
        "Before" => with_time(move |other| Value::Bool(time.nanos_since(other) < 0)),
        "After" => with_time(move |other| Value::Bool(time.nanos_since(other) > 0)),
        "Equal" => with_time(move |other| Value::Bool(time.nanos_since(other) == 0)),
        "Compare" => with_time(move |other| Value::Int(time.nanos_since(other).signum())),
        "Add" => Func::new(&[Type::Duration], move |args| match args {
            [Value::Duration(nanos)] => Ok(Value::Time(time.add(*nanos))),
            _ => unexpected(),
        }),
        "AddDate" => Func::new(&[Type::Int, Type::Int, Type::Int], move |args| match args {
            [Value::Int(years), Value::Int(months), Value::Int(days)] => {
                Ok(Value::Time(time.add_date(*years, *months, *days)))
            }
            _ => unexpected(),
        }),
        "Truncate" => Func::new(&[Type::Duration], move |args| match args {
            [Value::Duration(unit)] if *unit > 0 => {
                Ok(Value::Time(time.add(-time.nanos_beyond(*unit))))
            }
            _ => Ok(Value::Time(time.clone())),
        }),
        _ => return None,
    })
}

fn with_time(answer: impl Fn(&Time) -> Value + Send + Sync + 'static) -> Func {
    Func::new(&[Type::Time], move |args| match args {
        [Value::Time(other)] => Ok(answer(other)),
        _ => unexpected(),
    })
}

/// The engine checks arguments before it calls.
fn unexpected() -> Result<Value, String> {
    Err("unexpected arguments".to_owned())
}

fn month_name(zoned: &Zoned) -> &'static str {
    MONTHS[zoned.month() as usize - 1]
}

fn weekday_name(zoned: &Zoned) -> &'static str {
    WEEKDAYS[zoned.weekday().to_sunday_zero_offset() as usize]
}
