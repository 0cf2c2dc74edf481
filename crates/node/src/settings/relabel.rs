use config::{prometheus::Rule, values::Pattern};
use model::names::ValidationScheme;
use relabel::RawRule;

use super::Result;

/// Compiles rules; `names` says which names they may make.
pub(crate) fn rules(section: &[Rule], names: ValidationScheme) -> Result<Vec<relabel::Rule>> {
    section.iter().map(|rule| Ok(relabel::Rule::new(raw(rule), names)?)).collect()
}

fn raw(rule: &Rule) -> RawRule {
    RawRule {
        source_labels: rule.source_labels.0.iter().map(|name| name.0.clone()).collect(),
        separator: rule.separator.clone(),
        regex: match &rule.regex {
            Pattern::Any => None,
            Pattern::Given(regex) => Some(regex.as_str().to_owned()),
        },
        modulus: rule.modulus,
        target_label: rule.target_label.clone(),
        replacement: rule.replacement.clone(),
        action: rule.action.as_str().to_owned(),
    }
}
