//! Upstream's tables as our types.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use conformance::{Cases, Score};
use model::{Labels, MatchKind};
use serde_json::Value;

use crate::{
    alert::Alert,
    matcher::{Matcher, Mode},
    route::{GroupBy, Route, RouteConfig},
    silence::{Pattern, Silence},
    time::Time,
};

/// "Now" of tables whose times are relative.
pub(crate) fn base() -> Time {
    Time::from_millis(1_767_225_600_000)
}

/// Runs all cases of a table. A case that [`does_not_apply`] counts as a known failure.
pub(crate) fn run_table(
    table: &str,
    known: &[(&str, &str)],
    mut check: impl FnMut(&Cases, &Value) -> Result<(), String>,
) {
    let table = format!("alertmanager/{table}.json");
    let Some(cases) = conformance::cases(&table) else { return };
    let mut score = Score::new(&table);
    let mut elsewhere: Vec<(String, String)> = Vec::new();
    for (idx, case) in cases.cases.iter().enumerate() {
        let name = case["name"].as_str().or(case["test"].as_str()).unwrap_or_default();
        let name = format!("{idx} {name}");
        let outcome = check(&cases, case);
        if let Err(reason) = &outcome
            && let Some(reason) = reason.strip_prefix(DOES_NOT_APPLY)
        {
            elsewhere.push((name.clone(), reason.to_owned()));
        }
        score.add(name, outcome);
    }
    let elsewhere = elsewhere.iter().map(|(name, reason)| (name.as_str(), reason.as_str()));
    let known: Vec<(&str, &str)> = known.iter().copied().chain(elsewhere).collect();
    score.finish(&known);
}

const DOES_NOT_APPLY: &str = "does not apply: ";

/// What a case asks for can't happen here, and why.
pub(crate) fn does_not_apply(reason: &str) -> Result<(), String> {
    Err(format!("{DOES_NOT_APPLY}{reason}"))
}

/// Compares what came out with what the table says.
pub(crate) fn expect<T: PartialEq<U> + std::fmt::Debug, U: std::fmt::Debug>(
    found: T,
    wanted: U,
) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{found:?} instead of {wanted:?}")) }
}

/// Seconds from now, or a text; `None` where nothing is said.
pub(crate) fn time(value: &Value) -> Option<Time> {
    match value {
        Value::Number(seconds) => Some(seconds_after(base(), seconds.as_f64()?)),
        Value::String(text) => Some(Time::parse(text).unwrap_or_else(|| panic!("no time: {text}"))),
        _ => None,
    }
}

pub(crate) fn seconds_after(start: Time, seconds: f64) -> Time {
    let distance = Duration::from_secs_f64(seconds.abs());
    if seconds < 0.0 { start - distance } else { start + distance }
}

pub(crate) fn duration(value: &Value) -> Duration {
    Duration::from_secs_f64(value.as_f64().unwrap_or_default())
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(crate) fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|it| text(it).to_owned()).collect()
}

pub(crate) fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
}

pub(crate) fn labels(value: &Value) -> Labels {
    Labels::from_pairs(
        value.as_object().into_iter().flatten().map(|(name, value)| (name, text(value))),
    )
}

pub(crate) fn text_map(value: &Value) -> BTreeMap<String, String> {
    let entries = value.as_object().into_iter().flatten();
    entries.map(|(name, value)| (name.clone(), text(value).to_owned())).collect()
}

pub(crate) fn alert(value: &Value) -> Alert {
    Alert {
        labels: labels(&value["labels"]),
        annotations: Arc::new(text_map(&value["annotations"])),
        starts_at: time(&value["starts_at"]).unwrap_or(base()),
        ends_at: time(&value["ends_at"]),
        generator_url: String::new(),
        updated_at: time(&value["updated_at"]).unwrap_or(base()),
        is_timeout: value["timeout"] == true,
    }
}

pub(crate) fn kind(operator: &Value) -> Option<MatchKind> {
    match operator.as_str()? {
        "=" => Some(MatchKind::Equal),
        "!=" => Some(MatchKind::NotEqual),
        "=~" => Some(MatchKind::Regex),
        "!~" => Some(MatchKind::NotRegex),
        _ => None,
    }
}

pub(crate) fn pattern(value: &Value) -> Pattern {
    let mut pattern = Pattern::new(
        kind(&value["op"]).unwrap_or(MatchKind::Equal),
        repeated(&value["name"]),
        repeated(&value["pattern"]),
    );
    if let Some(number) = value["type_number"].as_i64() {
        pattern.type_number = number as i32;
    }
    pattern
}

pub(crate) fn pattern_sets(value: &Value) -> Vec<Vec<Pattern>> {
    let sets = value.as_array().into_iter().flatten();
    sets.map(|set| set.as_array().into_iter().flatten().map(pattern).collect()).collect()
}

/// `x*3` is `xxx`.
pub(crate) fn repeated(value: &Value) -> String {
    let text = text(value);
    match text.split_once('*').and_then(|(text, count)| Some((text, count.parse().ok()?))) {
        Some((text, count)) if !text.is_empty() => text.repeat(count),
        _ => text.to_owned(),
    }
}

pub(crate) fn silence(value: &Value) -> Silence {
    let mut matcher_sets = pattern_sets(&value["matcher_sets"]);
    if let Some(legacy) = value["legacy_matchers"].as_array()
        && matcher_sets.is_empty()
        && !legacy.is_empty()
    {
        matcher_sets = vec![legacy.iter().map(pattern).collect()];
    }
    Silence {
        id: text(&value["id"]).to_owned(),
        matcher_sets,
        starts_at: time(&value["starts_at"]),
        ends_at: time(&value["ends_at"]),
        updated_at: time(&value["updated_at"]),
        created_by: repeated(&value["created_by"]),
        comment: repeated(&value["comment"]),
        annotations: text_map(&value["annotations"]),
        receiver_matcher_sets: Vec::new(),
    }
}

pub(crate) fn mode(value: &Value) -> Mode {
    match value.as_str() {
        Some("classic") => Mode::Classic,
        Some("utf8-strict-mode") => Mode::Utf8Strict,
        _ => Mode::Fallback,
    }
}

pub(crate) fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The matchers of a node: `match`, `match_re` and `matchers`, under the names that it uses.
pub(crate) fn matchers(node: &Value, equal: &str, regex: &str, list: &str) -> Vec<Matcher> {
    let mut matchers = Vec::new();
    for (name, value) in text_map(&node[equal]) {
        matchers.push(Matcher::equal(name, value));
    }
    for (name, value) in text_map(&node[regex]) {
        let anchored = format!("^(?:{value})$");
        matchers.push(Matcher::new(MatchKind::Regex, name, anchored).expect("a regex"));
    }
    for line in texts(&node[list]) {
        matchers.extend(Mode::Fallback.parse_matchers(&line, "test").expect("matchers"));
    }
    matchers
}

/// As `crates/config` reads a route, without its checks.
pub(crate) fn route_config(node: &Value) -> RouteConfig {
    let duration = |key: &str| {
        let text = node[key].as_str()?;
        let millis = model::duration::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        Some(millis)
    };
    let group_by = node["group_by"].as_array().map(|names| {
        if names.iter().any(|name| name == "...") {
            GroupBy::All
        } else {
            GroupBy::Labels(names.iter().map(|name| text(name).to_owned()).collect())
        }
    });
    RouteConfig {
        receiver: node["receiver"].as_str().map(str::to_owned),
        group_by,
        group_wait: duration("group_wait"),
        group_interval: duration("group_interval"),
        repeat_interval: duration("repeat_interval"),
        matchers: matchers(node, "match", "match_re", "matchers"),
        continues: node["continue"] == true,
        mute_time_intervals: texts(&node["mute_time_intervals"]),
        active_time_intervals: texts(&node["active_time_intervals"]),
        labels: text_map(&node["labels"]),
        routes: node["routes"].as_array().into_iter().flatten().map(route_config).collect(),
    }
}

pub(crate) fn route(yaml_text: &str) -> Arc<Route> {
    Route::new(&route_config(&yaml(yaml_text)))
}
