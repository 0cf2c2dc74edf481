//! The rules of thumb for metrics, one function each; they are upstream's.

use model::MetricType;

use super::families::Family;

/// A metric's name and what is wrong with it.
pub(super) type Problem = (String, String);

/// Every rule.
static RULES: &[fn(&Family) -> Vec<String>] = &[
    help,
    base_units,
    counter_suffix,
    reserved_words,
    type_in_name,
    colons,
    camel_case,
    abbreviated_units,
    unique,
];

/// Everything that is wrong, sorted by metric.
pub(super) fn problems(families: &[Family]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for family in families {
        for rule in RULES {
            problems.extend(rule(family).into_iter().map(|text| (family.name.clone(), text)));
        }
    }
    problems.sort();
    problems
}

/// One problem, if there is one.
fn one(is_wrong: bool, text: &str) -> Vec<String> {
    if is_wrong { vec![text.to_owned()] } else { Vec::new() }
}

fn help(family: &Family) -> Vec<String> {
    one(!family.has_help, "no help text")
}

/// Units, and the base unit to use instead.
const UNITS: [(&str, &str); 27] = [
    ("amperes", "amperes"),
    ("bytes", "bytes"),
    ("celsius", "celsius"),
    ("grams", "grams"),
    ("joules", "joules"),
    ("kelvin", "kelvin"),
    ("meters", "meters"),
    ("metres", "metres"),
    ("moles", "moles"),
    ("seconds", "seconds"),
    ("volts", "volts"),
    ("minutes", "seconds"),
    ("hours", "seconds"),
    ("days", "seconds"),
    ("weeks", "seconds"),
    ("kelvins", "kelvin"),
    ("fahrenheit", "celsius"),
    ("rankine", "celsius"),
    ("inches", "meters"),
    ("yards", "meters"),
    ("miles", "meters"),
    ("bits", "bytes"),
    ("calories", "joules"),
    ("pounds", "grams"),
    ("ounces", "grams"),
    ("candelas", "candelas"),
    ("hertz", "hertz"),
];

const PREFIXES: [&str; 18] = [
    "pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo", "kibi", "mega",
    "mibi", "giga", "gibi", "tera", "tebi", "peta", "pebi",
];

const ABBREVIATIONS: [&str; 14] =
    ["s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d"];

fn base_units(family: &Family) -> Vec<String> {
    let base = |word: &str| UNITS.iter().find(|(unit, _)| *unit == word).map(|(_, base)| *base);
    let found = family.name.split('_').find_map(|word| {
        let prefixed = || PREFIXES.iter().find_map(|prefix| base(word.strip_prefix(prefix)?));
        base(word).or_else(prefixed).map(|base| (word, base))
    });
    match found {
        Some((unit, base)) if unit != base => {
            vec![format!("use base unit {base:?} instead of {unit:?}")]
        }
        _ => Vec::new(),
    }
}

fn counter_suffix(family: &Family) -> Vec<String> {
    let (is_counter, has_suffix) =
        (family.is(MetricType::Counter), family.name.ends_with("_total"));
    if is_counter {
        return one(!has_suffix, "counter metrics should have \"_total\" suffix");
    }
    let is_wrong = !family.is_untyped() && has_suffix;
    one(is_wrong, "non-counter metrics should not have \"_total\" suffix")
}

/// Suffixes and labels that belong to histograms and summaries.
fn reserved_words(family: &Family) -> Vec<String> {
    if family.is_untyped() {
        return Vec::new();
    }
    let is_histogram = family.is(MetricType::Histogram);
    let is_summary = family.is(MetricType::Summary);
    let ends = |suffix| family.name.ends_with(suffix);
    let mut problems = one(
        !is_histogram && ends("_bucket"),
        "non-histogram metrics should not have \"_bucket\" suffix",
    );
    for suffix in ["_count", "_sum"] {
        let text =
            format!("non-histogram and non-summary metrics should not have {suffix:?} suffix");
        problems.extend(one(!is_histogram && !is_summary && ends(suffix), &text));
    }
    for labels in family.metrics() {
        let has = |name| labels.get(name).is_some();
        let text = "non-histogram metrics should not have \"le\" label";
        problems.extend(one(!is_histogram && has("le"), text));
        let text = "non-summary metrics should not have \"quantile\" label";
        problems.extend(one(!is_summary && has("quantile"), text));
    }
    problems
}

fn type_in_name(family: &Family) -> Vec<String> {
    let name = family.name.to_lowercase();
    let kinds = ["counter", "gauge", "summary", "histogram", "gauge_histogram"];
    let problems = kinds.into_iter().filter(|kind| has_word(&name, kind));
    problems.map(|kind| format!("metric name should not include type '{kind}'")).collect()
}

/// Whether a word stands within a name or at its end.
fn has_word(name: &str, word: &str) -> bool {
    name.contains(&format!("_{word}_")) || name.ends_with(&format!("_{word}"))
}

fn colons(family: &Family) -> Vec<String> {
    one(family.name.contains(':'), "metric names should not contain ':'")
}

fn camel_case(family: &Family) -> Vec<String> {
    let is_camel = |name: &str| {
        name.as_bytes()
            .windows(2)
            .any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
    };
    let text = "metric names should be written in 'snake_case' not 'camelCase'";
    let mut problems = one(is_camel(&family.name), text);
    let text = "label names should be written in 'snake_case' not 'camelCase'";
    for labels in family.metrics() {
        problems.extend(labels.iter().flat_map(|(name, _)| one(is_camel(name), text)));
    }
    problems
}

fn abbreviated_units(family: &Family) -> Vec<String> {
    let name = family.name.to_lowercase();
    let text = "metric names should not contain abbreviated units";
    let problems = ABBREVIATIONS.iter().filter(|unit| has_word(&name, unit));
    problems.map(|_| text.to_owned()).collect()
}

fn unique(family: &Family) -> Vec<String> {
    let mut series = family.series.clone();
    series.sort();
    let repeats = series.windows(2).any(|pair| pair[0] == pair[1]);
    one(repeats, "metric not unique")
}
