//! Alerts that keep others quiet: nobody needs to hear of slow pages while the data centre burns.

mod rule;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use model::Labels;

use crate::{
    alert::{Alert, Fingerprint},
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
/// A question costs a comparison with the target matchers of each rule that has sources, and one
/// look-up for each rule of which it is a target, however many sources there are.
#[derive(Debug, Default)]
pub struct Inhibitor {
    rules: Vec<RuleState>,
}

impl Inhibitor {
    pub fn new(rules: &[InhibitRule]) -> Inhibitor {
        Inhibitor { rules: rules.iter().cloned().map(RuleState::new).collect() }
    }

    /// Takes note of an alert that is new or has changed.
    pub fn observe(&mut self, fingerprint: Fingerprint, alert: &Arc<Alert>) {
        for rule in &mut self.rules {
            rule.observe(fingerprint, alert);
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
        self.rules.iter().find_map(|rule| rule.mutes(labels, now))
    }

    pub fn n_rules(&self) -> usize {
        self.rules.len()
    }
}
