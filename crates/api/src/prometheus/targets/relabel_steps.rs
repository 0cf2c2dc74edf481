//! `/targets/relabel_steps`: what each rule of a pool would do to a label set.

use std::sync::Arc;

use axum::extract::State;
use model::{Labels, LabelsBuilder};
use relabel::Rule;

use crate::prometheus::{
    Api,
    json::{Json, Object},
    params::Form,
    respond::{Error, Result, Success},
};

pub(in crate::prometheus) async fn relabel_steps(
    State(api): State<Arc<Api>>,
    form: Form,
) -> Result {
    let pool = form.first("scrapePool");
    if pool.is_empty() {
        return Err(Error::bad_data("no scrapePool parameter provided"));
    }
    let labels: std::collections::BTreeMap<String, String> =
        serde_json::from_str(form.first("labels"))
            .map_err(|error| Error::bad_data(format!("error parsing labels: {error}")))?;
    let labels = Labels::from_pairs(labels);
    let rules = api
        .targets
        .relabel_rules(pool)
        .map_err(|reason| Error::bad_data(format!("error retrieving relabel rules: {reason}")))?;
    Ok(Success::object(|data| {
        let steps = (1..=rules.len()).filter_map(|n_rules| rules.get(..n_rules));
        data.key("steps").array(steps, |json: &mut Json, rules| {
            json.object(|step| write_step(step, rules, &labels));
        });
    }))
}

/// The last of `rules`, and what all of them together make of `labels`.
fn write_step(step: &mut Object<'_>, rules: &[Rule], labels: &Labels) {
    let mut builder = LabelsBuilder::new(labels);
    let keep = relabel::apply(rules, &mut builder);
    if let Some(rule) = rules.last() {
        step.key("rule").object(|object| write_rule(object, rule));
    }
    step.key("output").labels(&if keep { builder.build() } else { Labels::empty() });
    step.key("keep").bool(keep);
}

fn write_rule(object: &mut Object<'_>, rule: &Rule) {
    if !rule.source_labels.is_empty() {
        object.key("source_labels").strings(&rule.source_labels);
    }
    object.string("separator", &rule.separator);
    object.string("regex", rule.regex.as_str());
    if rule.modulus > 0 {
        object.key("modulus").int(rule.modulus);
    }
    object.string_if_any("target_label", &rule.target_label);
    object.string("replacement", &rule.replacement);
    object.string("action", rule.action.as_str());
}
