use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use axum::http::Method;
use model::{Labels, Metadata, MetricType};
use relabel::{RawRule, Rule};
use runtime::Simulation;
use serde_json::{Value, json};
use storage::Queryable;

use super::{
    encoding::{exemplar, labels},
    status::query,
};
use crate::prometheus::{
    State,
    engine::SeriesExemplars,
    rules::{
        Alert, AlertState, Alerting, Evaluation, Group, Health as RuleHealth, Rule as RuleView,
    },
    targets::{Health, Pool, Target},
    tests::{Answer, ask, fakes, load::load, promql_engine::PromQl, state},
};

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is a text in {value}"))
}

/// What upstream's own test sets up before it asks.
struct Setup {
    simulation: Simulation,
    storage: Arc<dyn Queryable>,
    exemplars: Vec<SeriesExemplars>,
    rules: Vec<Group>,
    rest: Value,
}

impl Setup {
    fn new(setup: &Value) -> Setup {
        let simulation = Simulation::new(1);
        let database = tsdb::Database::open(
            &simulation.runtime(),
            Path::new("data"),
            tsdb::Options::default(),
        )
        .expect("it opens");
        load(&database, text(setup, "load"));
        let groups = setup["rule_groups"].as_array().expect("a list");
        Setup {
            simulation,
            storage: Arc::new(database),
            exemplars: exemplars(&setup["exemplars"]),
            rules: groups.iter().map(group).collect(),
            rest: setup.clone(),
        }
    }

    fn state(&self, case: &Value) -> State {
        let runtime = self.simulation.runtime();
        let urls = |which: &str| {
            let urls = self.rest["alertmanagers"][which].as_array().expect("a list");
            urls.iter().map(|url| url.as_str().expect("a text").to_owned()).collect()
        };
        let flags = self.rest["flags"].as_object().expect("an object").iter();
        let status = fakes::Status {
            flags: flags
                .map(|(k, v)| (k.clone(), v.as_str().expect("a text").to_owned()))
                .collect(),
            active_alertmanagers: urls("active"),
            dropped_alertmanagers: urls("dropped"),
            ..fakes::Status::default()
        };
        let engine = fakes::Engine {
            real: Some(PromQl::new(self.storage.clone(), runtime.clock.clone())),
            exemplars: self.exemplars.clone(),
            ..fakes::Engine::default()
        };
        State {
            engine: Arc::new(engine),
            storage: self.storage.clone(),
            targets: Arc::new(fakes::Targets(pools(&case["target_metadata"]))),
            rules: Arc::new(fakes::Rules(self.rules.clone())),
            status: Arc::new(status),
            runtime,
            ..state()
        }
    }
}

fn exemplars(setup: &Value) -> Vec<SeriesExemplars> {
    let mut by_series: BTreeMap<Labels, Vec<_>> = BTreeMap::new();
    for entry in setup.as_array().expect("a list") {
        by_series.entry(labels(&entry["series"])).or_default().push(exemplar(entry));
    }
    let series = by_series.into_iter();
    series.map(|(labels, exemplars)| SeriesExemplars { labels, exemplars }).collect()
}

fn group(setup: &Value) -> Group {
    let rules = setup["rules"].as_array().expect("a list");
    Group {
        name: text(setup, "name").to_owned(),
        file: text(setup, "file").to_owned(),
        interval: Duration::from_secs(1),
        rules: rules.iter().map(rule).collect(),
        ..Group::default()
    }
}

fn rule(setup: &Value) -> RuleView {
    let labels = setup.get("labels").map(labels).unwrap_or_default();
    let alerting = setup["alert"].as_str().map(|name| {
        // Of the rules only this one finds something in an empty storage.
        let is_pending = name == "test_metric5";
        let alert = Alert {
            labels: Labels::from_pairs([("alertname", name), ("name", "tm5")]),
            annotations: Labels::default(),
            state: AlertState::Pending,
            active_at: Some(Duration::from_secs(1)),
            keep_firing_since: None,
            value: 1.0,
        };
        Alerting {
            hold_duration: Duration::from_secs(1),
            state: if is_pending { AlertState::Pending } else { AlertState::Inactive },
            alerts: if is_pending { vec![alert] } else { Vec::new() },
            ..Alerting::default()
        }
    });
    let name = setup["alert"].as_str().unwrap_or_else(|| text(setup, "record"));
    RuleView {
        name: name.to_owned(),
        query: text(setup, "expr").to_owned(),
        labels,
        health: RuleHealth::Ok,
        last_error: String::new(),
        evaluation: Evaluation::default(),
        alerting,
    }
}

/// The pools of the setup; what their targets say of metrics differs from case to case.
fn pools(metadata: &Value) -> Vec<Pool> {
    let said = |pool: &str| -> Arc<BTreeMap<String, Metadata>> {
        let mut metrics = BTreeMap::new();
        let pools = metadata.as_array().into_iter().flatten();
        for of_pool in pools.filter(|of_pool| text(of_pool, "scrape_pool") == pool) {
            for metric in of_pool["metadata"].as_array().expect("a list") {
                let kind = match text(metric, "type") {
                    "summary" => MetricType::Summary,
                    _ => MetricType::Gauge,
                };
                let [help, unit] = ["help", "unit"].map(|key| text(metric, key).to_owned());
                // Of what a target says twice the first holds.
                let name = text(metric, "metric").to_owned();
                metrics.entry(name).or_insert(Metadata { kind, help, unit });
            }
        }
        Arc::new(metrics)
    };
    let common = [
        ("__always_scrape_classic_histograms__", "false"),
        ("__convert_classic_histograms_to_nhcb__", "false"),
        ("__scrape_native_histograms__", "false"),
    ];
    let discovered = |more: &[(&str, &str)]| Labels::from_pairs(common.iter().chain(more).copied());
    let dropped = discovered(&[
        ("__address__", "http://dropped.example.com:9115"),
        ("__metrics_path__", "/probe"),
        ("__scheme__", "http"),
        ("job", "blackbox"),
        ("__scrape_interval__", "30s"),
        ("__scrape_timeout__", "15s"),
    ]);
    let zero = [("__scrape_interval__", "0s"), ("__scrape_timeout__", "0s")];
    let probe = [("__param_target", "example.com"), zero[0], zero[1]];
    let blackbox = Target {
        discovered_labels: discovered(&probe),
        labels: Labels::from_pairs([("job", "blackbox")]),
        url: "http://localhost:9115/probe?target=example.com".to_owned(),
        health: Health::Down,
        last_error: "failed".to_owned(),
        last_scrape: None,
        last_scrape_duration: Duration::from_millis(100),
        interval: Duration::from_secs(20),
        timeout: Duration::from_secs(10),
        owners: Vec::new(),
        metadata: said("blackbox"),
    };
    let test = Target {
        discovered_labels: discovered(&zero),
        labels: Labels::from_pairs([("job", "test")]),
        url: "http://example.com:8080/metrics".to_owned(),
        health: Health::Up,
        last_error: String::new(),
        last_scrape: None,
        last_scrape_duration: Duration::from_millis(70),
        interval: Duration::from_secs(15),
        timeout: Duration::from_secs(5),
        owners: Vec::new(),
        metadata: said("test"),
    };
    vec![
        Pool {
            name: "blackbox".to_owned(),
            active: vec![blackbox],
            dropped: vec![dropped],
            n_dropped: 1,
        },
        Pool { name: "test".to_owned(), active: vec![test], ..Pool::default() },
    ]
}

/// The rules of the table's pools.
pub(in crate::prometheus::tests) fn relabel_rules(pool: &str) -> Vec<Rule> {
    let raw = |target: &str, regex: &str, replacement: &str| RawRule {
        separator: String::new(),
        regex: Some(regex.to_owned()),
        target_label: target.to_owned(),
        replacement: replacement.to_owned(),
        ..RawRule::default()
    };
    let drop = RawRule {
        source_labels: vec!["__address__".to_owned()],
        action: "drop".to_owned(),
        ..raw("", "example\\.com:.*", "")
    };
    let mut rules = vec![raw("__address__", "", "example.com:443"), drop];
    if pool == "testpool3" {
        rules.push(raw("job", ".*", "should_not_apply"));
    }
    let compile = |rule| Rule::new(rule, model::names::ValidationScheme::Utf8);
    let mut rules: Vec<Rule> =
        rules.into_iter().map(|rule| compile(rule).expect("it makes sense")).collect();
    // Upstream's test builds this rule past all checks: an empty regex that matches everything.
    if let Some(first) = rules.first_mut() {
        first.regex = re2::Regex::new("").expect("it is a pattern");
    }
    rules
}

fn path(case: &Value) -> String {
    let name = conformance_name(&case["path_params"]["name"]);
    let name: String = url::form_urlencoded::byte_serialize(&name).collect();
    text(case, "path").replace("{name}", &name.replace('+', "%20"))
}

fn conformance_name(name: &Value) -> Vec<u8> {
    if name.is_null() { Vec::new() } else { conformance::bytes(name) }
}

/// `got` as far as the table compares, with `<now>` where it says so.
fn compare(expected: &Value, got: &Value) -> bool {
    const IGNORED: [&str; 4] = ["lastScrape", "evaluationTime", "lastEvaluation", "activeAt"];
    match (expected, got) {
        (Value::String(now), Value::Number(_)) if now == "<now>" => true,
        (Value::Object(expected), Value::Object(got)) => {
            let is_rule = expected.contains_key("query");
            let is_ignored = |key: &str| {
                IGNORED.contains(&key) || is_rule && ["health", "lastError"].contains(&key)
            };
            let keys = |map: &serde_json::Map<String, Value>| -> Vec<String> {
                map.keys().filter(|key| !is_ignored(key)).cloned().collect()
            };
            keys(expected) == keys(got)
                && expected
                    .iter()
                    .filter(|(key, _)| !is_ignored(key))
                    .all(|(key, value)| got.get(key).is_some_and(|got| compare(value, got)))
        }
        (Value::Array(expected), Value::Array(got)) => {
            expected.len() == got.len()
                && expected.iter().zip(got).all(|(expected, got)| compare(expected, got))
        }
        (Value::Number(expected), Value::Number(got)) => expected.as_f64() == got.as_f64(),
        _ => expected == got,
    }
}

fn length(data: &Value) -> Option<usize> {
    data.as_array().map(Vec::len).or(data.as_object().map(serde_json::Map::len))
}

fn check(case: &Value, answer: &Answer) -> Result<(), String> {
    let fail = || Err(format!("{} {}", answer.status, answer.body));
    if case["status"].as_u64() != Some(u64::from(answer.status.as_u16())) {
        return fail();
    }
    let json = answer.json();
    if let Some(kind) = case.get("error_type") {
        return if *kind == json["errorType"] { Ok(()) } else { fail() };
    }
    let n_warnings = length(&json["warnings"]).unwrap_or_default() as u64;
    let has_warnings = case["warnings_count"].as_u64().is_none_or(|count| count == n_warnings);
    let has_length = case["data_length"]
        .as_u64()
        .is_none_or(|wanted| length(&json["data"]) == Some(wanted as usize));
    let mut data = json["data"].clone();
    let counts = data.get_mut("droppedTargetCounts").and_then(Value::as_object_mut);
    if let Some(counts) = counts {
        // Upstream's real scrape manager names pools that drop nothing; the one of this test doesn't.
        counts.retain(|_, count| *count != json!(0));
    }
    let mut expected = case.get("data").cloned();
    if case["list_order_significant"] == json!(false) {
        [Some(&mut data), expected.as_mut()].into_iter().flatten().for_each(sort);
    }
    let has_data = expected.is_none_or(|expected| compare(&expected, &data));
    if has_warnings && has_length && has_data { Ok(()) } else { fail() }
}

fn sort(value: &mut Value) {
    match value {
        Value::Array(list) => list.sort_by_key(Value::to_string),
        Value::Object(map) => map.values_mut().for_each(sort),
        _ => {}
    }
}

#[test]
fn endpoints() {
    let Some(table) = conformance::cases("prometheus/api/endpoints.json") else { return };
    let setup = Setup::new(&table.whole["setup"]);
    let mut score = conformance::Score::new("api/endpoints");
    for (idx, case) in table.cases.iter().enumerate() {
        let mut outcome = Ok(());
        for method in case["methods"].as_array().expect("a list") {
            let method: Method = method.as_str().expect("a text").parse().expect("a method");
            let answer = ask(setup.state(case), &method, &path(case), &query(&case["query"]));
            outcome = outcome.and(check(case, &answer));
        }
        score.add(format!("{idx} {}", text(case, "path")), outcome);
    }
    score.finish(&[]);
}
