//! Names of metrics, labels and units, from OpenTelemetry's to Prometheus'.
//!
//! The rules are those of OpenTelemetry's compatibility specification as upstream reads it.

use std::borrow::Cow;

use model::labels::quote;

use super::{
    Settings,
    point::{Kind, Metric},
};

/// UCUM's units, and what Prometheus calls them.
const UNITS: [(&str, &str); 26] = [
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("TiBy", "tibibytes"),
    ("KBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
    ("1", ""),
    ("%", "percent"),
];

/// What follows "per".
const PER_UNITS: [(&str, &str); 7] = [
    ("s", "second"),
    ("m", "minute"),
    ("h", "hour"),
    ("d", "day"),
    ("w", "week"),
    ("mo", "month"),
    ("y", "year"),
];

/// The name of a metric's family; the error is upstream's.
pub(super) fn metric(metric: &Metric<'_>, settings: &Settings) -> Result<String, String> {
    let name = &*metric.name;
    if !settings.strategy.escapes() {
        return Ok(match settings.strategy.has_suffixes() {
            true => with_suffixes(name, metric),
            false => name.to_owned(),
        });
    }
    let mut built = match settings.strategy.has_suffixes() {
        true => escaped_with_suffixes(metric),
        false => join(name.split(|c: char| !is_metric_char(c) && c != '_')),
    };
    if built.starts_with(|c: char| c.is_ascii_digit()) {
        built.insert(0, '_');
    }
    if built.is_empty() {
        return Err(format!("normalization for metric {} resulted in empty name", quote(name)));
    }
    if built != name && built.bytes().all(|byte| byte == b'_') {
        let (name, built) = (quote(name), quote(&built));
        return Err(format!("normalization for metric {name} resulted in invalid name {built}"));
    }
    Ok(built)
}

/// Words between underscores: the metric's, its unit, what is counted. A word that is there already
/// is not put in again.
fn escaped_with_suffixes(metric: &Metric<'_>) -> String {
    let (unit, per) = unit_parts(&metric.unit);
    let (unit, per) = (clean_unit(&unit), clean_unit(&per));
    let unit = unit.trim_end_matches('_');
    let per = per.trim_end_matches('_');
    let mut words: Vec<&str> =
        metric.name.split(|c: char| !is_metric_char(c)).filter(|word| !word.is_empty()).collect();
    let has_per = !per.is_empty() && per != "per" && !words.contains(&per);
    if !unit.is_empty() && !words.contains(&unit) {
        words.push(unit);
    }
    if has_per {
        words.push(per);
    }
    if let Some(suffix) = suffix(metric) {
        words.retain(|word| *word != suffix);
        words.push(suffix);
    }
    join(words.into_iter())
}

/// The name as it is, with suffixes that it does not have yet.
fn with_suffixes(name: &str, metric: &Metric<'_>) -> String {
    let suffix = suffix(metric);
    let (unit, per) = unit_parts(&metric.unit);
    let mut stem = name;
    if let Some(suffix) = suffix {
        stem = without_suffix(stem, suffix);
    }
    if !per.is_empty() {
        stem = without_suffix(stem, &per);
    }
    let mut built = stem.to_owned();
    if !unit.is_empty() && !stem.ends_with(&*unit) {
        built = format!("{built}_{unit}");
    }
    if !per.is_empty() {
        built = format!("{built}_{per}");
    }
    match suffix {
        Some(suffix) => format!("{built}_{suffix}"),
        None => built,
    }
}

/// What every counter, and every gauge of a ratio, ends with.
fn suffix(metric: &Metric<'_>) -> Option<&'static str> {
    match metric.kind {
        Kind::Sum if metric.is_monotonic => Some("total"),
        Kind::Gauge if metric.unit == "1" => Some("ratio"),
        _ => None,
    }
}

/// Without `suffix` and the character before it, if more than that is there.
fn without_suffix<'a>(name: &'a str, suffix: &str) -> &'a str {
    let Some(stem) = name.strip_suffix(suffix) else { return name };
    let mut chars = stem.chars();
    match (chars.next_back(), chars.as_str()) {
        (Some(_), rest) if !rest.is_empty() => rest,
        _ => name,
    }
}

/// The name of a unit, for those who show it.
pub(super) fn unit(unit: &str, settings: &Settings) -> String {
    let (mut main, mut per) = unit_parts(unit);
    if settings.strategy.escapes() {
        (main, per) = (Cow::Owned(clean_unit(&main)), Cow::Owned(clean_unit(&per)));
    }
    let both = match (main.is_empty(), per.is_empty()) {
        (false, false) => format!("{main}_{per}"),
        (_, true) => main.into_owned(),
        (true, false) => per.into_owned(),
    };
    let both = both.strip_prefix('_').unwrap_or(&both);
    both.strip_suffix('_').unwrap_or(both).to_owned()
}

/// What is measured, and per what; what stands in braces is a remark.
fn unit_parts(unit: &str) -> (Cow<'_, str>, Cow<'_, str>) {
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let known = |units: &[(&str, &'static str)], unit: &str| {
        units.iter().find(|(known, _)| *known == unit).map(|(_, name)| *name)
    };
    let said = |part: &str| !part.is_empty() && !part.contains(['{', '}']);
    let (main, per) = (main.trim(), per.trim());
    let main = if said(main) { known(&UNITS, main).unwrap_or(main) } else { "" };
    let per = if said(per) { known(&PER_UNITS, per).unwrap_or(per) } else { "" };
    let per = if per.is_empty() { Cow::Borrowed("") } else { Cow::Owned(format!("per_{per}")) };
    (Cow::Borrowed(main), per)
}

fn clean_unit(unit: &str) -> String {
    let mut clean = String::with_capacity(unit.len());
    for c in unit.chars() {
        match c {
            c if is_metric_char(c) => clean.push(c),
            _ if clean.ends_with('_') || clean.is_empty() => {}
            _ => clean.push('_'),
        }
    }
    clean
}

/// The name of a label; the error is upstream's.
pub(super) fn label<'a>(name: &'a str, settings: &Settings) -> Result<Cow<'a, str>, String> {
    if name.is_empty() {
        return Err("normalization for label name \"\" resulted in empty name".to_owned());
    }
    if !settings.strategy.escapes() {
        return Ok(Cow::Borrowed(name));
    }
    let is_reserved = name.len() > 4 && name.starts_with("__") && name.ends_with("__");
    let merges = !settings.label_name_preserve_multiple_underscores && !is_reserved;
    let is_good = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let mut built = Cow::Borrowed(name);
    if !is_good(name) || (merges && name.contains("__")) {
        built = Cow::Owned(escape_label(name, merges));
    }
    let has_one_underscore = built.starts_with('_') && !built.starts_with("__");
    if built.starts_with(|c: char| c.is_ascii_digit()) {
        built = Cow::Owned(format!("key_{built}"));
    } else if settings.label_name_underscore_sanitization && has_one_underscore {
        built = Cow::Owned(format!("key{built}"));
    }
    if built != name && built.bytes().all(|byte| byte == b'_') {
        let (name, built) = (quote(name), quote(&built));
        return Err(format!(
            "normalization for label name {name} resulted in invalid name {built}"
        ));
    }
    Ok(built)
}

fn escape_label(name: &str, merges: bool) -> String {
    let mut built = String::with_capacity(name.len());
    for c in name.chars() {
        let c = if c.is_ascii_alphanumeric() { c } else { '_' };
        if !(merges && c == '_' && built.ends_with('_')) {
            built.push(c);
        }
    }
    built
}

fn is_metric_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == ':'
}

/// Those that are not empty, with underscores between.
fn join<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_")
}
