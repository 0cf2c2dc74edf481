//! `time_intervals`: stretches of the calendar, by name.

use alertmanager::interval::{
    self, DayOfMonthRange, MonthRange, TimeInterval, TimeRange, WeekdayRange, YearRange,
};

use crate::{
    decode::{Broken, Decoder, List, Section, Setting, Style},
    record,
    yaml::{Node, Yaml},
};

record! {
    pub struct NamedInterval: "config.plain" {
        name: String = always,
        time_intervals: List<Interval> = always,
    }
}

record! {
    /// All fields that are there must hold; of the ranges in one field any may.
    pub struct Interval: "timeinterval.TimeInterval" {
        times: Vec<Times>,
        weekdays: Ranges<Weekdays>,
        days_of_month: Ranges<DaysOfMonth>,
        months: Ranges<Months>,
        years: Ranges<Years>,
        location: Location,
    }
}

record! {
    pub struct Times: "timeinterval.yamlTimeRange" {
        start_time: String = always,
        end_time: String = always,
    }
}

impl Section for Times {
    fn check(&mut self) -> Result<(), Broken> {
        self.meaning().map(drop)
    }
}

impl Times {
    pub(super) fn meaning(&self) -> Result<TimeRange, Broken> {
        TimeRange::parse(&self.start_time, &self.end_time).map_err(|error| error.to_string().into())
    }
}

/// A list that is printed on one line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ranges<T>(Vec<T>);

impl<T: Setting> Setting for Ranges<T> {
    const GO_TYPE: &'static str = "[]string";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<Ranges<T>>, Broken> {
        Ok(Vec::decode(node, decoder)?.map(Ranges))
    }

    fn encode(&self, style: Style) -> Yaml {
        Yaml::FlowList(self.0.iter().map(|range| range.encode(style)).collect())
    }
}

/// Defines a setting whose text a type of `alertmanager` reads and prints.
macro_rules! range {
    ($(#[$meta:meta])* $name:ident: $range:ty) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $name(Option<$range>);

        impl Setting for $name {
            const GO_TYPE: &'static str = "string";

            fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<$name>, Broken> {
                let Some(text) = String::decode(node, decoder)? else { return Ok(None) };
                match <$range>::parse(&text) {
                    Ok(range) => Ok(Some($name(Some(range)))),
                    Err(error) => Err(error.to_string().into()),
                }
            }

            fn encode(&self, _: Style) -> Yaml {
                self.0.as_ref().map_or(Yaml::Null, |range| Yaml::Text(range.to_string()))
            }
        }
    };
}

range! {
    /// `monday:friday`.
    Weekdays: WeekdayRange
}
range! {
    /// `1:15`, or `-3:-1` from the end.
    DaysOfMonth: DayOfMonthRange
}
range! {
    /// `january:march`, or `1:3`.
    Months: MonthRange
}
range! {
    /// `2020:2022`.
    Years: YearRange
}

/// The name of a time zone.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Location(String);

impl Setting for Location {
    const GO_TYPE: &'static str = "string";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<Location>, Broken> {
        let Some(name) = String::decode(node, decoder)? else { return Ok(None) };
        interval::location(&name).map_err(|error| error.to_string())?;
        Ok(Some(Location(name)))
    }

    fn encode(&self, _: Style) -> Yaml {
        Yaml::Text(self.0.clone())
    }
}

impl Section for Interval {}

impl Section for NamedInterval {
    fn check(&mut self) -> Result<(), Broken> {
        if self.name.is_empty() {
            return Err("missing name in time interval".into());
        }
        Ok(())
    }
}

impl NamedInterval {
    pub(super) fn meaning(&self) -> Vec<TimeInterval> {
        self.time_intervals.iter().map(Interval::meaning).collect()
    }
}

impl Interval {
    /// The interval as it is meant. Null among ranges means nothing and is left out.
    pub fn meaning(&self) -> TimeInterval {
        TimeInterval {
            times: self.times.iter().filter_map(|times| times.meaning().ok()).collect(),
            weekdays: self.weekdays.0.iter().filter_map(|it| it.0).collect(),
            days_of_month: self.days_of_month.0.iter().filter_map(|it| it.0).collect(),
            months: self.months.0.iter().filter_map(|it| it.0).collect(),
            years: self.years.0.iter().filter_map(|it| it.0).collect(),
            location: match self.location.0.as_str() {
                "" => None,
                name => interval::location(name).ok(),
            },
        }
    }
}
