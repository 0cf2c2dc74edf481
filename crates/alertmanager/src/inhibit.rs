//! Alerts that keep others quiet: nobody needs to hear of slow pages while the data centre burns.

mod rule;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use model::Labels;

use crate::{
    alert::{Alert, Fingerprint},
    index::Index,
    matcher::Matcher,
    time::Time,
};
use rule::RuleState;

/// While an alert fires that matches `source`, those that match `target` and have the same values of
/// the `equal` labels are quiet.
#[derive(Debug, Clone, Default)]
pub struct InhibitRule {
    /// For logs; may be empty.
    pub name: String,
    pub source: Vec<Matcher>,
    pub target: Vec<Matcher>,
    /// A label that both lack is equal too.
    pub equal: Vec<String>,
}

/// All rules, and the alerts that are sources of each.
///
/// A question costs a look-up for each label, a comparison with the rules that these name, and one
/// look-up for each of those that the label set is a target of, however many sources there are.
#[derive(Debug, Default)]
pub struct Inhibitor {
    rules: Vec<RuleState>,
    by_source: Index<usize>,
    by_target: Index<usize>,
}

impl Inhibitor {
    pub fn new(rules: &[InhibitRule]) -> Inhibitor {
        let mut inhibitor = Inhibitor::default();
        for (idx, rule) in rules.iter().enumerate() {
            inhibitor.by_source.insert(idx, &rule.source);
            inhibitor.by_target.insert(idx, &rule.target);
            inhibitor.rules.push(RuleState::new(rule.clone()));
        }
        inhibitor
    }

    /// Takes note of an alert that is new or has changed.
    pub fn observe(&mut self, fingerprint: Fingerprint, alert: &Arc<Alert>) {
        for idx in self.by_source.candidates(&alert.labels) {
            self.rules[idx].observe(fingerprint, alert);
        }
    }

    /// Forgets alerts that are gone.
    pub fn forget(&mut self, gone: &[Fingerprint]) {
        for rule in &mut self.rules {
            for fingerprint in gone {
                rule.forget(*fingerprint);
            }
        }
    }

    /// The alert that keeps one with `labels` quiet, if one does: of the first rule that applies the
    /// source that ends last.
    pub fn mutes(&self, labels: &Labels, now: Time) -> Option<Fingerprint> {
        Some(self.rule_that_mutes(labels, now)?.1)
    }

    /// The same, with the rule.
    pub fn rule_that_mutes(
        &self,
        labels: &Labels,
        now: Time,
    ) -> Option<(&InhibitRule, Fingerprint)> {
        let candidates = self.by_target.candidates(labels);
        candidates.into_iter().find_map(|idx| {
            let rule = &self.rules[idx];
            Some((rule.rule(), rule.mutes(labels, now)?))
        })
    }
}
