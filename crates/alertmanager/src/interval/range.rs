use std::fmt;

use jiff::Zoned;

/// Minutes of the day; the end does not belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    pub start_minute: u16,
    /// Up to 1440, the end of the day.
    pub end_minute: u16,
}

/// Days of the week from sunday, which is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeekdayRange {
    pub begin: i32,
    pub end: i32,
}

/// Days of the month from 1; negative ones count from its end, which is -1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayOfMonthRange {
    pub begin: i32,
    pub end: i32,
}

/// Months from january, which is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthRange {
    pub begin: i32,
    pub end: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YearRange {
    pub begin: i32,
    pub end: i32,
}

pub(super) const WEEKDAYS: [&str; 7] =
    ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

pub(super) const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

impl TimeRange {
    pub(super) fn contains(&self, local: &Zoned) -> bool {
        let minute = local.hour() as u16 * 60 + local.minute() as u16;
        (self.start_minute..self.end_minute).contains(&minute)
    }

    /// `09:00`, as configurations write the start.
    pub fn start_text(&self) -> String {
        clock_text(self.start_minute)
    }

    pub fn end_text(&self) -> String {
        clock_text(self.end_minute)
    }
}

fn clock_text(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

impl WeekdayRange {
    pub(super) fn contains(&self, local: &Zoned) -> bool {
        let weekday = i32::from(local.weekday().to_sunday_zero_offset());
        (self.begin..=self.end).contains(&weekday)
    }
}

impl DayOfMonthRange {
    pub(super) fn contains(&self, local: &Zoned) -> bool {
        let n_days = i32::from(local.days_in_month());
        let from_start = |day: i32| if day < 0 { n_days + day + 1 } else { day };
        let (begin, end) = (from_start(self.begin), from_start(self.end));
        // Such as 30:31 in February: not its last day, but none.
        if begin > n_days {
            return false;
        }
        let day = i32::from(local.day());
        (begin.clamp(1, n_days)..=end.clamp(1, n_days)).contains(&day)
    }
}

impl MonthRange {
    pub(super) fn contains(&self, local: &Zoned) -> bool {
        (self.begin..=self.end).contains(&i32::from(local.month()))
    }
}

impl YearRange {
    pub(super) fn contains(&self, local: &Zoned) -> bool {
        (self.begin..=self.end).contains(&i32::from(local.year()))
    }
}

/// `begin:end`, or one of them where they are the same.
fn write_range(
    f: &mut fmt::Formatter<'_>,
    begin: &dyn fmt::Display,
    end: &dyn fmt::Display,
    is_single: bool,
) -> fmt::Result {
    if is_single { write!(f, "{begin}") } else { write!(f, "{begin}:{end}") }
}

/// As configurations write it: `monday:friday`.
impl fmt::Display for WeekdayRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |day: i32| WEEKDAYS[day.rem_euclid(7) as usize];
        write_range(f, &name(self.begin), &name(self.end), self.begin == self.end)
    }
}

/// As configurations write it: `-3:-1`.
impl fmt::Display for DayOfMonthRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_range(f, &self.begin, &self.end, self.begin == self.end)
    }
}

/// By numbers, as upstream prints months.
impl fmt::Display for MonthRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_range(f, &self.begin, &self.end, self.begin == self.end)
    }
}

impl fmt::Display for YearRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_range(f, &self.begin, &self.end, self.begin == self.end)
    }
}
