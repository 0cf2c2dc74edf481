use serde_json::Value;

use super::{
    DayOfMonthRange, Error, MonthRange, TimeInterval, TimeIntervals, TimeRange, WeekdayRange,
    YearRange, containing, location,
};
use crate::{
    testing::{expect, run_table, text, texts, yaml},
    time::Time,
};

/// An interval in the form of the tables.
pub(crate) fn interval(node: &Value) -> TimeInterval {
    fn ranges<T>(list: &Value, build: impl Fn(i32, i32) -> T) -> Vec<T> {
        let number = |value: &Value| value.as_i64().expect("a number") as i32;
        let list = list.as_array().into_iter().flatten();
        list.map(|range| build(number(&range["begin"]), number(&range["end"]))).collect()
    }
    let times = node["times"].as_array().into_iter().flatten().map(time_range);
    TimeInterval {
        times: times.collect(),
        weekdays: ranges(&node["weekdays"], |begin, end| WeekdayRange { begin, end }),
        days_of_month: ranges(&node["days_of_month"], |begin, end| DayOfMonthRange { begin, end }),
        months: ranges(&node["months"], |begin, end| MonthRange { begin, end }),
        years: ranges(&node["years"], |begin, end| YearRange { begin, end }),
        location: node["location"].as_str().map(|name| location(name).expect("a zone")),
    }
}

fn time_range(node: &Value) -> TimeRange {
    let minute = |key: &str| node[key].as_u64().expect("a minute") as u16;
    TimeRange { start_minute: minute("start_minute"), end_minute: minute("end_minute") }
}

pub(crate) fn intervals(node: &Value) -> TimeIntervals {
    let lists = node.as_object().expect("a map").iter();
    lists
        .map(|(name, list)| {
            (name.clone(), list.as_array().expect("a list").iter().map(interval).collect())
        })
        .collect()
}

/// An interval as configurations write it.
fn parse(node: &Value) -> Result<TimeInterval, Error> {
    fn all<T>(list: &Value, parse: impl Fn(&str) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        texts(list).iter().map(|text| parse(text)).collect()
    }
    let times = node["times"].as_array().into_iter().flatten();
    Ok(TimeInterval {
        times: times
            .map(|range| TimeRange::parse(text(&range["start_time"]), text(&range["end_time"])))
            .collect::<Result<_, _>>()?,
        weekdays: all(&node["weekdays"], WeekdayRange::parse)?,
        days_of_month: all(&node["days_of_month"], DayOfMonthRange::parse)?,
        months: all(&node["months"], MonthRange::parse)?,
        years: all(&node["years"], YearRange::parse)?,
        location: node["location"].as_str().map(location).transpose()?,
    })
}

fn check_instants(list: &[TimeInterval], case: &Value) -> Result<(), String> {
    for (key, wanted) in [("contains", true), ("excludes", false)] {
        for instant in texts(&case[key]) {
            let moment = Time::parse(&instant).expect("a time");
            let found = list.iter().any(|interval| interval.contains(moment));
            expect(found, wanted).map_err(|error| format!("{instant}: {error}"))?;
        }
    }
    Ok(())
}

#[test]
fn intervals_contain_as_upstream() {
    run_table("timeintervals/contains", &[], |_, case| {
        check_instants(&[interval(&case["interval"])], case)
    });
    run_table("timeintervals/yaml_contains", &[], |_, case| {
        let interval = parse(&yaml(text(&case["yaml"]))).map_err(|error| error.to_string())?;
        check_instants(&[interval], case)
    });
}

#[test]
fn intervals_parse_as_upstream() {
    run_table("timeintervals/yaml_parse", &[], |_, case| {
        let list = yaml(text(&case["yaml"]));
        let parsed: Result<Vec<_>, _> =
            list.as_array().expect("a list").iter().map(parse).collect();
        if let Some(error) = case["error"].as_str() {
            return expect(parsed, Err(Error(error.to_owned())));
        }
        let parsed = parsed.map_err(|error| error.to_string())?;
        let wanted = case["intervals"].as_array().expect("a list").iter().map(interval);
        expect(parsed.clone(), wanted.collect::<Vec<_>>())?;
        for interval in &parsed {
            check_round_trip(interval)?;
        }
        check_instants(&parsed, case)
    });
    run_table("timeintervals/time_range_parse", &[], |_, case| {
        let node = yaml(text(&case["yaml"]));
        let parsed = TimeRange::parse(text(&node["start_time"]), text(&node["end_time"]));
        if case["rejected"] == true {
            return expect(parsed.is_err(), true);
        }
        expect(parsed, Ok(time_range(case)))
    });
}

/// What is printed reads as the same.
fn check_round_trip(interval: &TimeInterval) -> Result<(), String> {
    for range in &interval.times {
        expect(TimeRange::parse(&range.start_text(), &range.end_text()), Ok(*range))?;
    }
    for range in &interval.weekdays {
        expect(WeekdayRange::parse(&range.to_string()), Ok(*range))?;
    }
    for range in &interval.days_of_month {
        expect(DayOfMonthRange::parse(&range.to_string()), Ok(*range))?;
    }
    for range in &interval.months {
        expect(MonthRange::parse(&range.to_string()), Ok(*range))?;
    }
    for range in &interval.years {
        expect(YearRange::parse(&range.to_string()), Ok(*range))?;
    }
    Ok(())
}

#[test]
fn names_of_intervals_are_found_as_upstream() {
    run_table("timeintervals/mutes", &[], |_, case| {
        let names = texts(&case["names_asked"]);
        let now = Time::parse(text(&case["now"])).expect("a time");
        let intervals = intervals(&case["intervals"]);
        let mut found =
            containing(&intervals, &names, now).map_err(|name| format!("{name} is not known"))?;
        found.sort_unstable();
        expect(found, texts(&case["muted_by"]))
    });
}
