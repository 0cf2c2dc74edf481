//! Which rules of a group use what other rules of it yield, and so which may run side by side. Pure.

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, sync::Arc};

use model::{METRIC_NAME, Matcher};
use promql_syntax::Options;

use crate::{
    alerting::{ALERT_NAME, ALERTS, ALERTS_FOR_STATE},
    file,
};

/// Who uses whose results, by index of the rule in its group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dependencies {
    /// For each rule, the earlier ones whose results it uses. `None` if some query may use
    /// anything.
    used: Option<Vec<BTreeSet<usize>>>,
}

/// Rules that are evaluated before the next batch begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Batch {
    InOrder(Vec<usize>),
    SideBySide(Vec<usize>),
}

impl Dependencies {
    pub fn of(rules: &[Arc<file::Rule>]) -> Dependencies {
        if let [_] = rules {
            return Dependencies { used: Some(vec![BTreeSet::new()]) };
        }
        let used = rules.iter().enumerate().map(|(idx, rule)| {
            let selectors = selectors(&rule.expr)?;
            let earlier = rules.iter().take(idx).enumerate();
            let used = earlier.filter(|(_, other)| selectors.iter().any(|s| selects(s, other)));
            Some(used.map(|(idx, _)| idx).collect())
        });
        Dependencies { used: used.collect() }
    }

    /// The rules whose results rule `idx` uses; `None` if that cannot be told.
    pub fn dependencies(&self, idx: usize) -> Option<&BTreeSet<usize>> {
        self.used.as_ref()?.get(idx)
    }

    /// The rules that use the results of rule `idx`; `None` if that cannot be told.
    pub fn dependents(&self, idx: usize) -> Option<BTreeSet<usize>> {
        let users = self.used.as_ref()?.iter().enumerate();
        Some(users.filter(|(_, used)| used.contains(&idx)).map(|(user, _)| user).collect())
    }

    /// Batches in which all `n_rules` may be evaluated: first those that use no other, then in
    /// order those between, then those that no other uses.
    pub fn batches(&self, n_rules: usize) -> Vec<Batch> {
        let (mut first, mut between, mut last) = (Vec::new(), Vec::new(), Vec::new());
        for idx in 0..n_rules {
            let (Some(uses), Some(users)) = (self.dependencies(idx), self.dependents(idx)) else {
                return vec![Batch::InOrder((0..n_rules).collect())];
            };
            match (uses.is_empty(), users.is_empty()) {
                (true, _) => first.push(idx),
                (false, false) => between.push(idx),
                (false, true) => last.push(idx),
            }
        }
        let between = between.into_iter().map(|idx| Batch::InOrder(vec![idx]));
        let mut batches = vec![Batch::SideBySide(first)];
        batches.extend(between);
        batches.push(Batch::SideBySide(last));
        batches.retain(|batch| !batch.rules().is_empty());
        batches
    }
}

impl Batch {
    pub fn rules(&self) -> &[usize] {
        match self {
            Batch::InOrder(rules) | Batch::SideBySide(rules) => rules,
        }
    }
}

/// The matchers of metric names in a query, selector by selector; nothing if one has none.
pub(crate) fn name_matchers(expr: &str) -> Vec<Vec<Matcher>> {
    let selectors = selectors(expr).unwrap_or_default();
    let names = |selector: Vec<Matcher>| {
        selector.into_iter().filter(|matcher| matcher.name == METRIC_NAME).collect()
    };
    selectors.into_iter().map(names).collect()
}

/// The selectors of a query; `None` if one may select any metric.
fn selectors(expr: &str) -> Option<Vec<Vec<Matcher>>> {
    // It was checked when the file was read, so whatever it uses is allowed.
    let everything = Options {
        experimental_functions: true,
        duration_expressions: true,
        extended_range_selectors: true,
        fill_modifiers: true,
    };
    let expr = promql_syntax::parse(expr, &everything).ok()?;
    let selectors = promql_syntax::extract_selectors(&expr);
    let has_name = |selector: &&[Matcher]| selector.iter().any(|m| m.name == METRIC_NAME);
    selectors.iter().all(has_name).then(|| selectors.into_iter().map(<[_]>::to_vec).collect())
}

/// Whether a selector may select what `rule` yields.
fn selects(selector: &[Matcher], rule: &file::Rule) -> bool {
    let all = |name: &str, value: &str| {
        selector.iter().filter(|matcher| matcher.name == name).all(|m| m.matches(value))
    };
    match rule.kind {
        file::Kind::Recording => all(METRIC_NAME, &rule.name),
        file::Kind::Alerting(_) => {
            [ALERTS, ALERTS_FOR_STATE].iter().any(|metric| all(METRIC_NAME, metric))
                && all(ALERT_NAME, &rule.name)
        }
    }
}
