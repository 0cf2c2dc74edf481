//! `/rules` and `/alerts`.

mod page;

use std::{sync::Arc, time::Duration};

use axum::extract::State;
use model::{Labels, Matcher};

use super::{
    Api,
    json::{Json, Object},
    params::{Form, parse_bool},
    respond::{Error, Result, Success},
};

/// What the API asks of rules.
pub trait Rules: Send + Sync {
    /// All groups, in the order of their files and within them.
    fn groups(&self) -> Vec<Group>;
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Group {
    pub name: String,
    pub file: String,
    pub interval: Duration,
    /// At most so many alerts or series from each rule; zero means any number.
    pub limit: u64,
    pub rules: Vec<Rule>,
    pub evaluation: Evaluation,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub name: String,
    /// The expression as upstream prints it.
    pub query: String,
    pub labels: Labels,
    pub health: Health,
    pub last_error: String,
    pub evaluation: Evaluation,
    /// Nothing for a recording rule.
    pub alerting: Option<Alerting>,
}

/// What only alerting rules have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Alerting {
    pub hold_duration: Duration,
    pub keep_firing_for: Duration,
    pub annotations: Labels,
    pub state: AlertState,
    pub alerts: Vec<Alert>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    pub labels: Labels,
    pub annotations: Labels,
    pub state: AlertState,
    /// Since the Unix epoch, like all times here.
    pub active_at: Option<Duration>,
    pub keep_firing_since: Option<Duration>,
    pub value: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AlertState {
    #[default]
    Unknown,
    Inactive,
    Pending,
    Firing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Health {
    #[default]
    Unknown,
    Ok,
    Err,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Evaluation {
    pub took: Duration,
    /// Since the Unix epoch; nothing before the first one.
    pub last: Option<Duration>,
}

impl AlertState {
    fn as_str(self) -> &'static str {
        match self {
            AlertState::Unknown => "unknown",
            AlertState::Inactive => "inactive",
            AlertState::Pending => "pending",
            AlertState::Firing => "firing",
        }
    }
}

impl Health {
    fn as_str(self) -> &'static str {
        match self {
            Health::Unknown => "unknown",
            Health::Ok => "ok",
            Health::Err => "err",
        }
    }
}

pub(super) async fn alerts(State(api): State<Arc<Api>>) -> Result {
    let groups = api.rules.groups();
    let rules = groups.iter().flat_map(|group| &group.rules);
    let alerts = rules.filter_map(|rule| rule.alerting.as_ref()).flat_map(|rule| &rule.alerts);
    Ok(Success::object(|data| data.key("alerts").array(alerts, write_alert)))
}

pub(super) async fn rules(State(api): State<Arc<Api>>, form: Form) -> Result {
    form.whole().map_err(Error::bad_data)?;
    let filter = Filter::parse(&form)?;
    let page = page::Page::parse(&form)?;
    let with_alerts = !parse_bool(form.first("exclude_alerts")).map_err(|reason| {
        let reason = format!("error converting exclude_alerts: {reason}");
        Error::bad_parameter("exclude_alerts", reason)
    })?;
    let groups = api.rules.groups();
    let (groups, next_token) = page.cut(groups.iter(), |group| {
        let rules = filter.rules(group);
        (!rules.is_empty()).then_some((group, rules))
    })?;
    Ok(Success::object(|data| {
        data.key("groups").array(&groups, |json, (group, rules)| {
            json.object(|object| write_group(object, group, rules, with_alerts));
        });
        data.string_if_any("groupNextToken", next_token.as_deref().unwrap_or_default());
    }))
}

/// Which rules are wanted.
struct Filter<'a> {
    with_alerting: bool,
    with_recording: bool,
    names: Vec<&'a str>,
    groups: Vec<&'a str>,
    files: Vec<&'a str>,
    matchers: Vec<Vec<Matcher>>,
}

impl<'a> Filter<'a> {
    fn parse(form: &'a Form) -> Result<Filter<'a>> {
        let kind = form.first("type").to_lowercase();
        if !matches!(kind.as_str(), "" | "alert" | "record") {
            let reason = format!("not supported value {}", model::labels::quote(&kind));
            return Err(Error::bad_parameter("type", reason));
        }
        Ok(Filter {
            with_alerting: kind != "record",
            with_recording: kind != "alert",
            names: form.all("rule_name[]").collect(),
            groups: form.all("rule_group[]").collect(),
            files: form.all("file[]").collect(),
            matchers: form.matchers().map_err(|reason| Error::bad_parameter("match[]", reason))?,
        })
    }

    /// The rules of `group` that are wanted.
    fn rules<'g>(&self, group: &'g Group) -> Vec<&'g Rule> {
        let is_wanted =
            |wanted: &[&str], name: &String| wanted.is_empty() || wanted.contains(&name.as_str());
        if !is_wanted(&self.groups, &group.name) || !is_wanted(&self.files, &group.file) {
            return Vec::new();
        }
        let has_kind = |rule: &Rule| match rule.alerting {
            Some(_) => self.with_alerting,
            None => self.with_recording,
        };
        let has_labels = |rule: &Rule| {
            let satisfies = |set: &Vec<Matcher>| {
                set.iter().all(|matcher| matcher.matches(rule.labels.value(&matcher.name)))
            };
            self.matchers.is_empty() || self.matchers.iter().any(satisfies)
        };
        let rules = group.rules.iter().filter(|rule| is_wanted(&self.names, &rule.name));
        rules.filter(|rule| has_kind(rule) && has_labels(rule)).collect()
    }
}

fn write_group(object: &mut Object<'_>, group: &Group, rules: &[&Rule], with_alerts: bool) {
    object.string("name", &group.name);
    object.string("file", &group.file);
    object.key("rules").array(rules, |json, rule| {
        json.object(|object| write_rule(object, rule, with_alerts));
    });
    object.key("interval").seconds(group.interval);
    object.key("limit").int(group.limit);
    write_evaluation(object, group.evaluation);
}

fn write_rule(object: &mut Object<'_>, rule: &Rule, with_alerts: bool) {
    if let Some(alerting) = &rule.alerting {
        object.string("state", alerting.state.as_str());
    }
    object.string("name", &rule.name);
    object.string("query", &rule.query);
    if let Some(alerting) = &rule.alerting {
        object.key("duration").seconds(alerting.hold_duration);
        object.key("keepFiringFor").seconds(alerting.keep_firing_for);
    }
    object.key("labels").labels(&rule.labels);
    if let Some(alerting) = &rule.alerting {
        object.key("annotations").labels(&alerting.annotations);
        match with_alerts {
            true => object.key("alerts").array(&alerting.alerts, write_alert),
            false => object.key("alerts").raw("null"),
        }
    }
    object.string("health", rule.health.as_str());
    object.string_if_any("lastError", &rule.last_error);
    write_evaluation(object, rule.evaluation);
    object.string("type", if rule.alerting.is_some() { "alerting" } else { "recording" });
}

fn write_evaluation(object: &mut Object<'_>, evaluation: Evaluation) {
    object.key("evaluationTime").seconds(evaluation.took);
    object.key("lastEvaluation").time(evaluation.last);
}

fn write_alert(json: &mut Json, alert: &Alert) {
    json.object(|object| {
        object.key("labels").labels(&alert.labels);
        object.key("annotations").labels(&alert.annotations);
        object.string("state", alert.state.as_str());
        if alert.active_at.is_some() {
            object.key("activeAt").time(alert.active_at);
        }
        if alert.keep_firing_since.is_some() {
            object.key("keepFiringSince").time(alert.keep_firing_since);
        }
        let mut value = String::new();
        model::float::write_exponent(alert.value, &mut value);
        object.string("value", &value);
    });
}
