//! From what is written to what is meant; all problems at once.

use std::{collections::BTreeSet, time::Duration};

use model::METRIC_NAME;
use serde_saphyr::Spanned;

use super::{
    Alerting, Group, Kind, Options, Pairs, Problem, Rule, RulePlace,
    raw::{RawFile, RawGroup, RawRule, position},
};
use crate::template;

pub(super) fn validate(file: &RawFile, options: &Options<'_>) -> Result<Vec<Group>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    let mut groups = Vec::new();
    for raw in &file.groups {
        let mut complain = |message: String| {
            let position = Some(position(&raw.referenced));
            problems.push(Problem { position, alternative: None, rule: None, message });
        };
        let name = raw.value.name.as_str();
        if name.is_empty() {
            complain("Groupname must not be empty".to_owned());
        }
        if !names.insert(name) {
            complain(format!("groupname: \"{name}\" is repeated in the same file"));
        }
        groups.push(validate_group(&raw.value, options, &mut problems));
    }
    if problems.is_empty() { Ok(groups) } else { Err(problems) }
}

fn validate_group(raw: &RawGroup, options: &Options<'_>, problems: &mut Vec<Problem>) -> Group {
    for message in wrong_labels(&raw.labels, options) {
        problems.push(Problem { position: None, alternative: None, rule: None, message });
    }
    let mut rules = Vec::new();
    for (idx, rule) in raw.rules.iter().enumerate() {
        let name = [&rule.alert, &rule.record].into_iter().map(text).find(|name| !name.is_empty());
        let name = name.unwrap_or_default().to_owned();
        let place = RulePlace { group: raw.name.clone(), number: idx + 1, name };
        let mut checker = Checker { rule, options, place, problems };
        rules.push(checker.rule(&raw.labels));
    }
    Group {
        name: raw.name.clone(),
        interval: duration(&raw.interval, problems).filter(|interval| !interval.is_zero()),
        query_offset: duration(&raw.query_offset, problems),
        limit: usize::try_from(raw.limit).ok().filter(|limit| *limit > 0),
        rules,
    }
}

fn text(field: &Option<Spanned<String>>) -> &str {
    field.as_ref().map_or("", |field| field.value.as_str())
}

fn duration(field: &Option<Spanned<String>>, problems: &mut Vec<Problem>) -> Option<Duration> {
    let field = field.as_ref()?;
    match model::duration::parse(&field.value) {
        Ok(duration) => Some(duration),
        Err(error) => {
            let position = Some(position(&field.referenced));
            let message = error.to_string();
            problems.push(Problem { position, alternative: None, rule: None, message });
            None
        }
    }
}

fn wrong_labels(labels: &Pairs, options: &Options<'_>) -> Vec<String> {
    let wrong = |name: &&String| !options.names.is_valid_label_name(name) || *name == METRIC_NAME;
    labels.keys().filter(wrong).map(|name| format!("invalid label name: {name}")).collect()
}

/// Checks one rule.
struct Checker<'a> {
    rule: &'a RawRule,
    options: &'a Options<'a>,
    place: RulePlace,
    problems: &'a mut Vec<Problem>,
}

impl Checker<'_> {
    fn rule(&mut self, group_labels: &Pairs) -> Rule {
        let rule = self.rule;
        let (record, alert) = (text(&rule.record), text(&rule.alert));
        match (record.is_empty(), alert.is_empty()) {
            (false, false) => {
                self.complain_at_names("only one of 'record' and 'alert' must be set");
            }
            (true, true) => self.complain_at_names("one of 'record' or 'alert' must be set"),
            _ => {}
        }
        let expr = self.expr();
        let alerting = Alerting {
            hold: duration(&rule.hold, self.problems).unwrap_or_default(),
            keep_firing_for: duration(&rule.keep_firing_for, self.problems).unwrap_or_default(),
            annotations: rule.annotations.clone(),
        };
        if !record.is_empty() {
            self.check_recording(record, &alerting);
        }
        for message in wrong_labels(&rule.labels, self.options) {
            self.complain(None, message);
        }
        for name in rule.annotations.keys() {
            if !self.options.names.is_valid_label_name(name) {
                self.complain(None, format!("invalid annotation name: {name}"));
            }
        }
        if !alert.is_empty() {
            self.check_templates(alert);
        }
        let mut labels = group_labels.clone();
        labels.extend(rule.labels.clone());
        let kind = if alert.is_empty() { Kind::Recording } else { Kind::Alerting(alerting) };
        Rule { name: self.place.name.clone(), expr, labels, kind }
    }

    fn expr(&mut self) -> String {
        let written = text(&self.rule.expr);
        if written.is_empty() {
            let field = self.rule.expr.as_ref();
            self.complain(field, "field 'expr' must be set in rule".to_owned());
            return String::new();
        }
        match (self.options.check_expr)(written) {
            Ok(expr) => expr,
            Err(error) => {
                let message = format!("could not parse expression: {error}");
                self.complain(self.rule.expr.as_ref(), message);
                String::new()
            }
        }
    }

    fn check_recording(&mut self, record: &str, alerting: &Alerting) {
        let field = self.rule.record.as_ref();
        let misplaced = [
            ("annotations", !alerting.annotations.is_empty()),
            ("for", !alerting.hold.is_zero()),
            ("keep_firing_for", !alerting.keep_firing_for.is_zero()),
        ];
        for (name, _) in misplaced.iter().filter(|(_, is_set)| *is_set) {
            self.complain(field, format!("invalid field '{name}' in recording rule"));
        }
        if !self.options.names.is_valid_metric_name(record) {
            self.complain(field, format!("invalid recording rule name: {record}"));
        }
        if record.contains(['{', '}']) {
            let hint = "braces present in the recording rule name; should it be in expr?";
            self.complain(field, format!("{hint}: {record}"));
        }
    }

    fn check_templates(&mut self, alert: &str) {
        let labels = self.rule.labels.iter().map(|pair| ("label", pair));
        let annotations = self.rule.annotations.iter().map(|pair| ("annotation", pair));
        for (what, (name, text)) in labels.chain(annotations) {
            if let Err(error) = template::check_for_alert(alert, text) {
                let name = model::labels::quote(name);
                self.complain(None, format!("{what} {name}: {error}"));
            }
        }
    }

    fn complain(&mut self, field: Option<&Spanned<String>>, message: String) {
        let position = field.map(|field| position(&field.referenced));
        let rule = Some(self.place.clone());
        self.problems.push(Problem { position, alternative: None, rule, message });
    }

    fn complain_at_names(&mut self, message: &str) {
        let at = |field: &Option<Spanned<String>>| field.as_ref().map(|f| position(&f.referenced));
        self.problems.push(Problem {
            position: at(&self.rule.record),
            alternative: at(&self.rule.alert),
            rule: Some(self.place.clone()),
            message: message.to_owned(),
        });
    }
}
