//! Stretches of the calendar in which routes notify or keep quiet.

mod parse;
mod range;

use std::collections::BTreeMap;

use jiff::{Zoned, tz::TimeZone};

pub use parse::{Error, location};
pub use range::{DayOfMonthRange, MonthRange, TimeRange, WeekdayRange, YearRange};

use crate::time::Time;

/// All fields that are not empty must hold; of the ranges in one field any may.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimeInterval {
    pub times: Vec<TimeRange>,
    pub weekdays: Vec<WeekdayRange>,
    pub days_of_month: Vec<DayOfMonthRange>,
    pub months: Vec<MonthRange>,
    pub years: Vec<YearRange>,
    /// Where the calendar hangs; UTC if it isn't said.
    pub location: Option<TimeZone>,
}

/// Interval lists by their name in the configuration.
pub type TimeIntervals = BTreeMap<String, Vec<TimeInterval>>;

impl TimeInterval {
    pub fn contains(&self, moment: Time) -> bool {
        let zone = self.location.clone().unwrap_or(TimeZone::UTC);
        let local = moment.instant().to_zoned(zone);
        fn any<T>(ranges: &[T], local: &Zoned, holds: impl Fn(&T, &Zoned) -> bool) -> bool {
            ranges.is_empty() || ranges.iter().any(|range| holds(range, local))
        }
        any(&self.times, &local, TimeRange::contains)
            && any(&self.days_of_month, &local, DayOfMonthRange::contains)
            && any(&self.months, &local, MonthRange::contains)
            && any(&self.weekdays, &local, WeekdayRange::contains)
            && any(&self.years, &local, YearRange::contains)
    }
}

/// Those of `names` of which an interval contains `moment`, in order. A name that isn't known is
/// the error.
pub fn containing<'a>(
    intervals: &TimeIntervals,
    names: &'a [String],
    moment: Time,
) -> Result<Vec<&'a str>, &'a str> {
    let mut found = Vec::new();
    for name in names {
        let list = intervals.get(name).ok_or(name.as_str())?;
        if list.iter().any(|interval| interval.contains(moment)) {
            found.push(name.as_str());
        }
    }
    Ok(found)
}

#[cfg(test)]
pub(crate) mod tests;
