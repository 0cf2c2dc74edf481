//! One test: its groups evaluated step by step, its alerts and expressions compared.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc, time::Duration};

use model::{Labels, Timestamp, labels::quote};
use promql::{Engine, QueryOptions, Value};
use promql_syntax::{SequenceValue, parse_metric, parse_series};
use rules::{
    Definition, Group, Metrics, Notify, Query, Sample, SampleValue, Settings, State,
    alerting::Restore, file,
};
use runtime::Clock;
use telemetry::Registry;

use super::{
    compare::{self, AlertTexts, ShownSample},
    file::{AlertTest, ExpectedSample, ExprTest, Test},
    store::Store,
};
use crate::arguments::{Global, TestRules};

/// Plays the tests of one file.
pub(super) struct Player<'a> {
    pub(super) global: &'a Global,
    pub(super) test: &'a TestRules,
    pub(super) clock: Arc<dyn Clock>,
    /// Between two evaluations.
    pub(super) interval: Duration,
    pub(super) fuzzy: bool,
    /// With the files that they are in, in order of evaluation.
    pub(super) groups: &'a [(String, file::Group)],
}

/// What came of a test.
pub(super) struct Outcome {
    pub(super) failures: Vec<String>,
    /// What `--debug` has to say.
    pub(super) debug: String,
}

impl Player<'_> {
    pub(super) fn play(&self, name: &str, test: &Test) -> Outcome {
        let (mut debug, began) = (String::new(), self.clock.monotonic());
        if self.test.debug {
            note(&mut debug, format_args!("Starting test {name}"));
        }
        let failures = match self.try_play(test, &mut debug) {
            Ok(failures) => failures,
            Err(error) => vec![error],
        };
        if self.test.debug {
            let took = self.clock.monotonic().saturating_sub(began);
            note(&mut debug, format_args!("Test {name} finished, took {took:?}"));
        }
        Outcome { failures, debug }
    }

    /// What differs from the expectation; an error if the test cannot be played at all.
    fn try_play(&self, test: &Test, debug: &mut String) -> Result<Vec<String>, String> {
        let sample_interval = test.interval.unwrap_or(self.interval);
        let store = Store::new(&test.input_series, test.start_timestamp, sample_interval)
            .map_err(|error| error.to_string())?;
        if let Some(nameless) = test.alert_rule_test.iter().find(|it| it.alertname.is_empty()) {
            return Err(without_name(test, nameless));
        }
        let scene = Scene {
            player: self,
            test,
            queries: Arc::new(Queries { engine: self.engine(), store: store.clone() }),
            store,
        };
        let (mut failures, is_whole) = scene.evaluate(sample_interval);
        if is_whole {
            failures.extend(test.promql_expr_test.iter().filter_map(|it| scene.check_expr(it)));
        }
        if self.test.debug {
            scene.dump(debug);
        }
        Ok(failures)
    }

    fn engine(&self) -> Engine {
        let options = promql::Options {
            subquery_step: self.interval,
            syntax: self.global.syntax,
            delayed_name_removal: self.global.delayed_name_removal,
            at_modifier: self.test.at_modifier,
            negative_offset: self.test.negative_offset,
            ..promql::Options::default()
        };
        Engine::new(options, self.clock.clone())
    }
}

fn note(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "DEBUG: {text}").expect("writing to a string cannot fail");
}

fn without_name(test: &Test, alert: &AlertTest) -> String {
    let time = model::duration::format(alert.eval_time);
    let group = match test.name.as_str() {
        "" => String::new(),
        name => format!(" (in TestGroup {name})"),
    };
    format!(
        "an item under alert_rule_test misses required attribute alertname at eval_time {time}{group}"
    )
}

/// A test with its series.
struct Scene<'a> {
    player: &'a Player<'a>,
    test: &'a Test,
    store: Store,
    queries: Arc<Queries>,
}

impl Scene<'_> {
    /// Evaluates all groups from the start to the last moment that a test asks for, and compares
    /// alerts on the way. False if a rule failed, which ends it.
    fn evaluate(&self, sample_interval: Duration) -> (Vec<String>, bool) {
        let (world, settings) = (self.world(), self.settings(sample_interval));
        let mut groups: Vec<Group> = self
            .player
            .groups
            .iter()
            // As if restored: alerts are written from the first evaluation on.
            .map(|(file, group)| Group::new(definition(file, group, sample_interval), true))
            .collect();
        let mut failures = Vec::new();
        let mut alert_tests = self.test.alert_rule_test.iter().collect::<Vec<_>>();
        alert_tests.sort_by_key(|test| test.eval_time);
        let mut alert_tests = alert_tests.into_iter().peekable();
        let mut elapsed = Duration::ZERO;
        while elapsed <= self.last_moment() {
            let now = self.test.start_timestamp + elapsed;
            self.store.advance(now);
            let errors = evaluate_all(&mut groups, &world, &settings, now, elapsed);
            if !errors.is_empty() {
                failures.extend(errors);
                return (failures, false);
            }
            let next = elapsed + self.player.interval;
            let mut known = None;
            while let Some(test) = alert_tests.next_if(|test| test.eval_time < next) {
                let firing = known.get_or_insert_with(|| firing(&groups));
                failures.extend(self.check_alerts(test, firing));
            }
            elapsed = next;
        }
        (failures, true)
    }

    fn last_moment(&self) -> Duration {
        let alerts = self.test.alert_rule_test.iter().map(|test| test.eval_time);
        let exprs = self.test.promql_expr_test.iter().map(|test| test.eval_time);
        alerts.chain(exprs).max().unwrap_or_default()
    }

    fn world(&self) -> rules::World {
        rules::World {
            query: self.queries.clone(),
            storage: Arc::new(self.store.clone()),
            history: Arc::new(self.store.clone()),
            notify: Arc::new(Nobody),
            clock: self.player.clock.clone(),
            metrics: Metrics::register(&Registry::default()),
        }
    }

    fn settings(&self, interval: Duration) -> Settings {
        Settings {
            interval,
            query_offset: Duration::ZERO,
            resend_delay: Duration::ZERO,
            restore: Restore { outage_tolerance: Duration::ZERO, grace_period: Duration::ZERO },
            external_labels: Labels::from_pairs(self.test.external_labels.iter()),
            external_url: self.test.external_url.clone(),
        }
    }

    fn check_alerts(
        &self,
        test: &AlertTest,
        firing: &BTreeMap<String, Vec<AlertTexts>>,
    ) -> Option<String> {
        let name = &test.alertname;
        let mut got = firing.get(name).cloned().unwrap_or_default();
        let mut expected: Vec<AlertTexts> = test
            .exp_alerts
            .iter()
            .map(|alert| {
                // The rule's name is known; nobody has to write it.
                let mut labels = alert.exp_labels.clone();
                labels.insert("alertname".to_owned(), name.clone());
                let (labels, annotations) = (labels.iter(), alert.exp_annotations.iter());
                (Labels::from_pairs(labels), Labels::from_pairs(annotations))
            })
            .collect();
        got.sort();
        expected.sort();
        if got == expected {
            return None;
        }
        let mut text = String::new();
        if !self.test.name.is_empty() {
            text = format!("    name: {},\n", self.test.name);
        }
        let time = model::duration::format(test.eval_time);
        if self.player.test.diff {
            let diff = compare::diff_alerts(&expected, &got);
            return Some(format!("{text}    alertname: {name}, time: {time}, \n    diff:\n{diff}"));
        }
        let (expected, got) = (compare::show_alerts(&expected), compare::show_alerts(&got));
        text += &format!(
            "    alertname: {name}, time: {time}, \n        exp:{expected}, \n        got:{got}"
        );
        Some(text)
    }

    fn check_expr(&self, test: &ExprTest) -> Option<String> {
        let what = format!(
            "    expr: {}, time: {}",
            quote(&test.expr),
            model::duration::format(test.eval_time)
        );
        let at = self.test.start_timestamp + test.eval_time;
        let answer = self.queries.instant(&test.expr, at);
        let mut got: Vec<ShownSample> = match answer {
            Ok(samples) => samples.into_iter().map(ShownSample::from).collect(),
            Err(error) => return Some(format!("{what}, err: {error}")),
        };
        let expected = test.exp_samples.iter().map(expected_sample).collect::<Result<Vec<_>, _>>();
        let mut expected = match expected {
            Ok(expected) => expected,
            Err(error) => return Some(format!("{what}, err: {error}")),
        };
        got.sort_by(|a, b| a.labels.cmp(&b.labels));
        expected.sort_by(|a, b| a.labels.cmp(&b.labels));
        if compare::same_samples(&expected, &got, self.player.fuzzy) {
            return None;
        }
        if self.player.test.diff {
            let diff = compare::diff_samples(&expected, &got);
            return Some(format!("{what},\n    diff:\n{diff}"));
        }
        let (expected, got) = (compare::show_samples(&expected), compare::show_samples(&got));
        Some(format!("{what},\n        exp: {expected}\n        got: {got}"))
    }

    /// All samples of the test, given and recorded.
    fn dump(&self, out: &mut String) {
        // Whole seconds: the query language has no fractions of them in a range.
        let length = Duration::from_secs(self.last_moment().as_secs() + 1);
        let shown = model::duration::format(length);
        note(out, format_args!("Dump of all data (input_series and rules) at {shown}:"));
        let query = format!("{{__name__=~\".+\"}}[{shown}]");
        let at = self.test.start_timestamp + length - Duration::from_millis(1);
        match self.queries.engine.instant(&self.store, &query, at, &QueryOptions::default()) {
            Ok(result) => out.push_str(&compare::show_value(&result.value)),
            Err(error) => note(out, format_args!("querying {query} failed: {error}")),
        }
    }
}

fn definition(file: &str, group: &file::Group, interval: Duration) -> Definition {
    Definition {
        file: file.to_owned(),
        name: group.name.clone(),
        interval: group.interval.unwrap_or(interval),
        query_offset: group.query_offset,
        limit: group.limit,
        rules: group.rules.iter().cloned().map(Arc::new).collect(),
    }
}

/// Evaluates all groups; gives what went wrong.
fn evaluate_all(
    groups: &mut [Group],
    world: &rules::World,
    settings: &Settings,
    now: Timestamp,
    elapsed: Duration,
) -> Vec<String> {
    let mut errors = Vec::new();
    for group in groups {
        group.evaluate(world, settings, now);
        for rule in group.status().rules {
            if let Some(error) = rule.last_error {
                let (name, time) = (&rule.rule.name, crate::time::go_duration(elapsed));
                errors.push(format!("    rule: {name}, time: {time}, err: {error}"));
            }
        }
    }
    errors
}

/// The alerts that fire, by name; a name can be of several rules.
fn firing(groups: &[Group]) -> BTreeMap<String, Vec<AlertTexts>> {
    let mut firing: BTreeMap<String, Vec<AlertTexts>> = BTreeMap::new();
    for rule in groups.iter().flat_map(|group| group.status().rules) {
        let alerts = rule.alerts.into_iter().filter(|alert| alert.state == State::Firing);
        let texts = alerts.map(|alert| (alert.labels, alert.annotations));
        firing.entry(rule.rule.name.clone()).or_default().extend(texts);
    }
    firing
}

fn expected_sample(sample: &ExpectedSample) -> Result<ShownSample, String> {
    let wrong = |reason: String| format!("labels {}: {reason}", quote(&sample.labels));
    let labels = match sample.labels.trim() {
        "" => Labels::empty(),
        text => parse_metric(text).map_err(|error| wrong(error.to_string()))?,
    };
    let histogram = match sample.histogram.as_str() {
        "" => None,
        text => {
            let (_, values) =
                parse_series(&format!("{{}} {text}")).map_err(|error| wrong(error.to_string()))?;
            match values.as_slice() {
                [SequenceValue::Histogram(histogram)] => {
                    Some(promql_syntax::histogram_notation(histogram))
                }
                [_] => return Err(wrong("expected histogram, got value".to_owned())),
                values => return Err(wrong(format!("expected 1 value, got {}", values.len()))),
            }
        }
    };
    Ok(ShownSample { labels, value: sample.value, histogram })
}

/// Answers the queries of rules and tests.
struct Queries {
    engine: Engine,
    store: Store,
}

impl Query for Queries {
    fn instant(&self, expr: &str, time: Timestamp) -> Result<Vec<Sample>, String> {
        let options = QueryOptions::default();
        let answer = self.engine.instant(&self.store, expr, time, &options);
        match answer.map_err(|error| error.to_string())?.value {
            Value::Vector(samples) => Ok(samples.into_iter().map(to_sample).collect()),
            Value::Scalar(_, value) => {
                Ok(vec![Sample { labels: Labels::empty(), value: SampleValue::Float(value) }])
            }
            _ => Err("rule result is not a vector or scalar".to_owned()),
        }
    }
}

fn to_sample(sample: promql::Sample) -> Sample {
    let value = match sample.value {
        promql::SampleValue::Float(value) => SampleValue::Float(value),
        promql::SampleValue::Histogram(histogram) => SampleValue::Histogram(histogram),
    };
    Sample { labels: sample.labels, value }
}

/// Tests look at alerts themselves.
struct Nobody;

impl Notify for Nobody {
    fn send(&self, _: Vec<model::Alert>) {}
}
