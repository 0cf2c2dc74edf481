//! Go's layouts: times written as the reference moment would be, `Mon Jan 2 15:04:05 MST 2006`.

use std::fmt::Write as _;

use jiff::{Zoned, civil::DateTime, tz, tz::TimeZone};

use super::{MONTHS, WEEKDAYS, month_name, weekday_name};
use crate::quote::quote;

/// A piece of a layout that stands for a part of the time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    LongMonth,
    ShortMonth,
    Month {
        width: usize,
    },
    LongWeekday,
    ShortWeekday,
    Day {
        width: usize,
        fill: char,
    },
    YearDay {
        fill: char,
    },
    Hour24,
    Hour12 {
        width: usize,
    },
    Minute {
        width: usize,
    },
    Second {
        width: usize,
    },
    Year,
    ShortYear,
    HalfDay {
        upper: bool,
    },
    ZoneName,
    /// `Z` where the offset is zero and `iso`.
    Offset {
        iso: bool,
        colon: bool,
        seconds: bool,
        minutes: bool,
    },
    /// `.000` (fixed) or `.999` (trailing zeros cut).
    Fraction {
        digits: usize,
        fixed: bool,
        separator: char,
    },
}

/// Longer spellings stand before their prefixes.
const PARTS: [(&str, Part); 33] = [
    ("January", Part::LongMonth),
    ("Jan", Part::ShortMonth),
    ("Monday", Part::LongWeekday),
    ("Mon", Part::ShortWeekday),
    ("MST", Part::ZoneName),
    ("2006", Part::Year),
    ("__2", Part::YearDay { fill: ' ' }),
    ("002", Part::YearDay { fill: '0' }),
    ("01", Part::Month { width: 2 }),
    ("02", Part::Day { width: 2, fill: '0' }),
    ("03", Part::Hour12 { width: 2 }),
    ("04", Part::Minute { width: 2 }),
    ("05", Part::Second { width: 2 }),
    ("06", Part::ShortYear),
    ("15", Part::Hour24),
    ("_2", Part::Day { width: 2, fill: ' ' }),
    ("1", Part::Month { width: 1 }),
    ("2", Part::Day { width: 1, fill: ' ' }),
    ("3", Part::Hour12 { width: 1 }),
    ("4", Part::Minute { width: 1 }),
    ("5", Part::Second { width: 1 }),
    ("PM", Part::HalfDay { upper: true }),
    ("pm", Part::HalfDay { upper: false }),
    ("-07:00:00", Part::Offset { iso: false, colon: true, seconds: true, minutes: true }),
    ("-070000", Part::Offset { iso: false, colon: false, seconds: true, minutes: true }),
    ("-07:00", Part::Offset { iso: false, colon: true, seconds: false, minutes: true }),
    ("-0700", Part::Offset { iso: false, colon: false, seconds: false, minutes: true }),
    ("-07", Part::Offset { iso: false, colon: false, seconds: false, minutes: false }),
    ("Z07:00:00", Part::Offset { iso: true, colon: true, seconds: true, minutes: true }),
    ("Z070000", Part::Offset { iso: true, colon: false, seconds: true, minutes: true }),
    ("Z07:00", Part::Offset { iso: true, colon: true, seconds: false, minutes: true }),
    ("Z0700", Part::Offset { iso: true, colon: false, seconds: false, minutes: true }),
    ("Z07", Part::Offset { iso: true, colon: false, seconds: false, minutes: false }),
];

/// The first part in `layout`: the text before it, the part, its spelling and the text after it.
fn next_part(layout: &str) -> Option<(&str, Part, &str, &str)> {
    for (start, _) in layout.char_indices() {
        let (before, rest) = layout.split_at(start);
        // `_2006` is an underscore and a year.
        if let Some(after) = rest.strip_prefix("_2006") {
            let before = layout.get(..start + 1).unwrap_or_default();
            return Some((before, Part::Year, "2006", after));
        }
        if let Some((part, length)) = fraction(rest) {
            let (spelling, after) = rest.split_at(length);
            return Some((before, part, spelling, after));
        }
        for (spelling, part) in PARTS {
            let Some(after) = rest.strip_prefix(spelling) else { continue };
            // `Januaryx` is still January, but `Janet` is a name.
            let in_word = matches!(spelling, "Jan" | "Mon")
                && after.starts_with(|c: char| c.is_ascii_lowercase());
            if !in_word {
                let (spelling, _) = rest.split_at(spelling.len());
                return Some((before, part, spelling, after));
            }
        }
    }
    None
}

/// `.000` or `,999`, unless another digit follows.
fn fraction(text: &str) -> Option<(Part, usize)> {
    let mut chars = text.chars();
    let separator = chars.next().filter(|c| matches!(c, '.' | ','))?;
    let digit = chars.next().filter(|c| matches!(c, '0' | '9'))?;
    let digits = text.chars().skip(1).take_while(|c| *c == digit).count();
    let ends = !text.chars().nth(1 + digits).is_some_and(|c| c.is_ascii_digit());
    ends.then_some((Part::Fraction { digits, fixed: digit == '0', separator }, 1 + digits))
}

/// Formats `time` as `layout` shows.
pub(super) fn format(time: &Zoned, layout: &str) -> String {
    let mut out = String::new();
    let mut rest = layout;
    while let Some((before, part, _, after)) = next_part(rest) {
        out.push_str(before);
        write_part(time, part, &mut out).expect("writing to a string cannot fail");
        rest = after;
    }
    out.push_str(rest);
    out
}

fn write_part(time: &Zoned, part: Part, out: &mut String) -> std::fmt::Result {
    let short = |name: &'static str| name.get(..3).unwrap_or(name);
    match part {
        Part::LongMonth => out.write_str(month_name(time)),
        Part::ShortMonth => out.write_str(short(month_name(time))),
        Part::Month { width } => write!(out, "{:0width$}", time.month()),
        Part::LongWeekday => out.write_str(weekday_name(time)),
        Part::ShortWeekday => out.write_str(short(weekday_name(time))),
        Part::Day { width, fill: '0' } => write!(out, "{:0width$}", time.day()),
        Part::Day { width, .. } => write!(out, "{:width$}", time.day()),
        Part::YearDay { fill: '0' } => write!(out, "{:03}", time.day_of_year()),
        Part::YearDay { .. } => write!(out, "{:3}", time.day_of_year()),
        Part::Hour24 => write!(out, "{:02}", time.hour()),
        Part::Hour12 { width } => write!(out, "{:0width$}", (time.hour() + 11) % 12 + 1),
        Part::Minute { width } => write!(out, "{:0width$}", time.minute()),
        Part::Second { width } => write!(out, "{:0width$}", time.second()),
        Part::Year => write!(out, "{:04}", time.year()),
        Part::ShortYear => write!(out, "{:02}", time.year().rem_euclid(100)),
        Part::HalfDay { upper } => out.write_str(match (time.hour() >= 12, upper) {
            (true, true) => "PM",
            (true, false) => "pm",
            (false, true) => "AM",
            (false, false) => "am",
        }),
        Part::ZoneName => out.write_str(&zone_name(time)),
        Part::Offset { .. } => write_offset(time.offset().seconds(), part, out),
        Part::Fraction { digits, fixed, separator } => {
            let nanos = format!("{:09}", time.subsec_nanosecond());
            let shown = nanos.get(..digits.min(9)).unwrap_or(&nanos);
            let shown = if fixed { shown } else { shown.trim_end_matches('0') };
            if shown.is_empty() { Ok(()) } else { write!(out, "{separator}{shown}") }
        }
    }
}

fn zone_name(time: &Zoned) -> String {
    let info = time.time_zone().to_offset_info(time.timestamp());
    let name = info.abbreviation();
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return name.to_owned();
    }
    // A zone that is only an offset has that for a name.
    let mut out = String::new();
    let part = Part::Offset { iso: false, colon: false, seconds: false, minutes: true };
    write_offset(time.offset().seconds(), part, &mut out).expect("writing to a string cannot fail");
    out
}

fn write_offset(offset: i32, part: Part, out: &mut String) -> std::fmt::Result {
    let Part::Offset { iso, colon, seconds, minutes } = part else { return Ok(()) };
    if iso && offset == 0 {
        return out.write_str("Z");
    }
    let colon = if colon { ":" } else { "" };
    let size = offset.unsigned_abs();
    write!(out, "{}{:02}", if offset < 0 { '-' } else { '+' }, size / 3600)?;
    if minutes {
        write!(out, "{colon}{:02}", size / 60 % 60)?;
    }
    if seconds {
        write!(out, "{colon}{:02}", size % 60)?;
    }
    Ok(())
}

/// What has been read so far.
struct Reading {
    year: i16,
    month: i8,
    day: i8,
    year_day: Option<i16>,
    hour: i8,
    minute: i8,
    second: i8,
    nanos: i32,
    afternoon: Option<bool>,
    offset: Option<i32>,
}

/// Reads `text` as `layout` shows.
pub(super) fn parse(layout: &str, text: &str) -> Result<Zoned, String> {
    let mut reading = Reading {
        year: 0,
        month: 1,
        day: 1,
        year_day: None,
        hour: 0,
        minute: 0,
        second: 0,
        nanos: 0,
        afternoon: None,
        offset: None,
    };
    let cannot = |value: &str, part: &str| {
        let (text, layout) = (quote(text), quote(layout));
        format!("parsing time {text} as {layout}: cannot parse {} as {}", quote(value), quote(part))
    };
    let (mut left, mut value) = (layout, text);
    loop {
        let next = next_part(left);
        let literal = next.map_or(left, |(before, ..)| before);
        value = value.strip_prefix(literal).ok_or_else(|| cannot(value, literal))?;
        let Some((_, part, spelling, after)) = next else { break };
        value = reading.take(part, value).ok_or_else(|| cannot(value, spelling))?;
        left = after;
    }
    if !value.is_empty() {
        return Err(format!("parsing time {}: extra text: {}", quote(text), quote(value)));
    }
    reading.finish().ok_or_else(|| format!("parsing time {}: day out of range", quote(text)))
}

impl Reading {
    /// Reads one part off the front of `text` and returns the rest.
    fn take<'a>(&mut self, part: Part, text: &'a str) -> Option<&'a str> {
        let rest;
        match part {
            Part::LongMonth => (self.month, rest) = name(text, &MONTHS, usize::MAX)?,
            Part::ShortMonth => (self.month, rest) = name(text, &MONTHS, 3)?,
            Part::LongWeekday => (_, rest) = name(text, &WEEKDAYS, usize::MAX)?,
            Part::ShortWeekday => (_, rest) = name(text, &WEEKDAYS, 3)?,
            Part::Month { width } => (self.month, rest) = number(text, width, 2)?,
            Part::Day { width, fill } => {
                let text = if fill == ' ' { text.trim_start_matches(' ') } else { text };
                let digits_min = if fill == ' ' { 1 } else { width };
                (self.day, rest) = number(text, digits_min, 2)?;
            }
            Part::YearDay { .. } => {
                let (day, after) = number(text.trim_start_matches(' '), 1, 3)?;
                (self.year_day, rest) = (Some(day), after);
            }
            Part::Hour24 => (self.hour, rest) = number(text, 2, 2)?,
            Part::Hour12 { width } => (self.hour, rest) = number(text, width, 2)?,
            Part::Minute { width } => (self.minute, rest) = number(text, width, 2)?,
            Part::Second { width } => (self.second, rest) = number(text, width, 2)?,
            Part::Year => (self.year, rest) = number(text, 4, 4)?,
            Part::ShortYear => {
                let (year, after) = number::<i16>(text, 2, 2)?;
                (self.year, rest) = (year + if year >= 69 { 1900 } else { 2000 }, after);
            }
            Part::HalfDay { upper } => {
                let (half, after) = text.split_at_checked(2)?;
                let names = if upper { ["AM", "PM"] } else { ["am", "pm"] };
                self.afternoon = Some(names.iter().position(|name| *name == half)? == 1);
                rest = after;
            }
            Part::ZoneName => {
                let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
                rest = if letters >= 3 { text.split_at(letters).1 } else { return None };
            }
            Part::Offset { iso, colon, seconds, minutes } => {
                if let Some(after) = text.strip_prefix('Z').filter(|_| iso) {
                    (self.offset, rest) = (Some(0), after);
                } else {
                    let (sign, text) = match text.strip_prefix('-') {
                        Some(text) => (-1, text),
                        None => (1, text.strip_prefix('+')?),
                    };
                    let (hours, mut after) = number::<i32>(text, 2, 2)?;
                    let mut offset = hours * 3600;
                    for unit in [(minutes, 60), (seconds, 1)].iter().filter(|u| u.0).map(|u| u.1) {
                        after = if colon { after.strip_prefix(':')? } else { after };
                        let count: i32;
                        (count, after) = number(after, 2, 2)?;
                        offset += count * unit;
                    }
                    (self.offset, rest) = (Some(sign * offset), after);
                }
            }
            Part::Fraction { .. } => {
                let after = text.strip_prefix(['.', ','])?;
                let digits = after.bytes().take_while(u8::is_ascii_digit).count();
                let (digits, after) = after.split_at(digits);
                self.nanos = format!("{digits:0<9}").get(..9)?.parse().ok()?;
                rest = after;
            }
        }
        Some(rest)
    }

    fn finish(self) -> Option<Zoned> {
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let time = jiff::civil::Time::new(hour, self.minute, self.second, self.nanos).ok()?;
        let mut date = jiff::civil::Date::new(self.year, self.month, self.day).ok()?;
        if let Some(day) = self.year_day {
            date = date.with().day_of_year(day).build().ok()?;
        }
        let zone = match self.offset {
            None | Some(0) => TimeZone::UTC,
            Some(offset) => tz::Offset::from_seconds(offset).ok()?.to_time_zone(),
        };
        DateTime::from_parts(date, time).to_zoned(zone).ok()
    }
}

/// A number of `digits_min` to `digits_max` digits at the front.
fn number<T: std::str::FromStr>(
    text: &str,
    digits_min: usize,
    digits_max: usize,
) -> Option<(T, &str)> {
    let digits = text.bytes().take(digits_max).take_while(u8::is_ascii_digit).count();
    let (digits, rest) = (digits >= digits_min).then(|| text.split_at(digits))?;
    Some((digits.parse().ok()?, rest))
}

/// One of `names`, of which `letters` are written; its number from 1.
fn name<'a>(text: &'a str, names: &[&str], letters: usize) -> Option<(i8, &'a str)> {
    names.iter().enumerate().find_map(|(idx, name)| {
        let name = name.get(..letters.min(name.len()))?;
        let (start, rest) = text.split_at_checked(name.len())?;
        start.eq_ignore_ascii_case(name).then_some((idx as i8 + 1, rest))
    })
}
