use jiff::tz::TimeZone;

use super::{
    DayOfMonthRange, MonthRange, TimeRange, WeekdayRange, YearRange,
    range::{MONTHS, WEEKDAYS},
};

/// Why a text is no range; the words are upstream's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub String);

impl TimeRange {
    /// Reads two times such as `09:00`; one that is missing is "".
    pub fn parse(start: &str, end: &str) -> Result<TimeRange, Error> {
        if start.is_empty() || end.is_empty() {
            return Err(Error("both start and end times must be provided".to_owned()));
        }
        let range =
            TimeRange { start_minute: minute_of_day(start)?, end_minute: minute_of_day(end)? };
        if range.start_minute >= range.end_minute {
            let message = "start time cannot be equal or greater than end time";
            return Err(Error(message.to_owned()));
        }
        Ok(range)
    }
}

impl WeekdayRange {
    /// Reads `monday:friday` or `monday`.
    pub fn parse(text: &str) -> Result<WeekdayRange, Error> {
        let (begin, end) = ends(text, |name| {
            position(&WEEKDAYS, name).ok_or_else(|| Error(format!("{name} is not a valid weekday")))
        })?;
        if begin > end {
            return Err(Error("start day cannot be before end day".to_owned()));
        }
        Ok(WeekdayRange { begin, end })
    }
}

impl DayOfMonthRange {
    /// Reads `1:5`, `-3:-1` or `15`.
    pub fn parse(text: &str) -> Result<DayOfMonthRange, Error> {
        let (begin, end) = ends(text, number)?;
        for day in [begin, end] {
            if day == 0 || !(-31..=31).contains(&day) {
                return Err(Error(format!("{day} is not a valid day of the month: out of range")));
            }
        }
        if begin < 0 && end > 0 {
            let message = "end day must be negative if start day is negative";
            return Err(Error(message.to_owned()));
        }
        // What is wrong even in the shortest month is wrong.
        let in_shortest = |day: i32| if day < 0 { 28 + day } else { day };
        if in_shortest(begin) > in_shortest(end) {
            return Err(Error(format!("end day {end} is always before start day {begin}")));
        }
        Ok(DayOfMonthRange { begin, end })
    }
}

impl MonthRange {
    /// Reads `january:march`, `1:3` or `may`.
    pub fn parse(text: &str) -> Result<MonthRange, Error> {
        let (begin, end) = ends(text, |name| {
            let invalid = || Error(format!("{name} is not a valid month"));
            match position(&MONTHS, name) {
                Some(idx) => Ok(idx + 1),
                None => number(name).map_err(|_| invalid()),
            }
        })?;
        if begin > end {
            let name = |month: i32| {
                let idx = usize::try_from(month - 1).ok();
                idx.and_then(|idx| MONTHS.get(idx)).copied().unwrap_or_default()
            };
            let (begin, end) = (name(begin), name(end));
            return Err(Error(format!("end month {end} is before start month {begin}")));
        }
        Ok(MonthRange { begin, end })
    }
}

impl YearRange {
    /// Reads `2020:2022` or `2020`.
    pub fn parse(text: &str) -> Result<YearRange, Error> {
        let (begin, end) = ends(text, number)?;
        if begin > end {
            return Err(Error(format!("end year {end} is before start year {begin}")));
        }
        Ok(YearRange { begin, end })
    }
}

/// Reads the name of a time zone, such as `Australia/Sydney`.
pub fn location(name: &str) -> Result<TimeZone, Error> {
    match name {
        "" | "UTC" => Ok(TimeZone::UTC),
        "Local" => Ok(TimeZone::system()),
        _ => TimeZone::get(name).map_err(|_| Error(format!("unknown time zone {name}"))),
    }
}

fn ends(text: &str, member: impl Fn(&str) -> Result<i32, Error>) -> Result<(i32, i32), Error> {
    let text = text.to_lowercase();
    match text.split_once(':') {
        None => {
            let both = member(&text)?;
            Ok((both, both))
        }
        Some((_, end)) if end.contains(':') => {
            Err(Error(format!("couldn't parse range {text}, invalid format")))
        }
        Some((begin, end)) => Ok((member(begin)?, member(end)?)),
    }
}

fn position(names: &[&str], name: &str) -> Option<i32> {
    names.iter().position(|known| *known == name).map(|idx| idx as i32)
}

fn number(text: &str) -> Result<i32, Error> {
    text.parse().map_err(|_| {
        let quoted = model::labels::quote(text);
        Error(format!("strconv.Atoi: parsing {quoted}: invalid syntax"))
    })
}

/// Minutes to `HH:MM`, up to 24:00.
fn minute_of_day(text: &str) -> Result<u16, Error> {
    let parse = || {
        let (hours, minutes) = text.split_once(':')?;
        let two_digits = |part: &str| {
            let is_right = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            if is_right { part.parse::<u16>().ok() } else { None }
        };
        let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
        let is_time = (hours < 24 && minutes < 60) || (hours == 24 && minutes == 0);
        if is_time { Some(hours * 60 + minutes) } else { None }
    };
    parse().ok_or_else(|| Error(format!("couldn't parse timestamp {text}, invalid format")))
}
