use std::borrow::Cow;

use md5::{Digest as _, Md5};
use model::LabelsBuilder;

use crate::{Action, Rule};

/// Applies `rules` in order. Says whether the label set stays; what it was by then is in `labels`.
pub fn apply(rules: &[Rule], labels: &mut LabelsBuilder) -> bool {
    rules.iter().all(|rule| apply_one(rule, labels))
}

fn apply_one(rule: &Rule, labels: &mut LabelsBuilder) -> bool {
    match rule.action {
        Action::Keep => return rule.regex.is_match(&joined(rule, labels)),
        Action::Drop => return !rule.regex.is_match(&joined(rule, labels)),
        Action::KeepEqual => return labels.get(&rule.target_label) == joined(rule, labels),
        Action::DropEqual => return labels.get(&rule.target_label) != joined(rule, labels),
        Action::Replace => replace(rule, labels),
        Action::HashMod => {
            let hash = hash(&joined(rule, labels)) % rule.modulus.max(1);
            labels.set(&rule.target_label, &hash.to_string());
        }
        Action::LabelMap => label_map(rule, labels),
        Action::LabelDrop => {
            labels.retain(|name| !rule.regex.is_match(name));
        }
        Action::LabelKeep => {
            labels.retain(|name| rule.regex.is_match(name));
        }
        Action::Lowercase => {
            let value = joined(rule, labels).chars().map(lowercase).collect::<String>();
            labels.set(&rule.target_label, &value);
        }
        Action::Uppercase => {
            let value = joined(rule, labels).chars().map(uppercase).collect::<String>();
            labels.set(&rule.target_label, &value);
        }
    }
    true
}

/// The values of the source labels with the separator between them.
fn joined<'a>(rule: &Rule, labels: &'a LabelsBuilder) -> Cow<'a, str> {
    let Some((first, others)) = rule.source_labels.split_first() else { return Cow::Borrowed("") };
    let mut joined = Cow::Borrowed(labels.get(first));
    for name in others {
        let joined = joined.to_mut();
        joined.push_str(&rule.separator);
        joined.push_str(labels.get(name));
    }
    joined
}

fn replace(rule: &Rule, labels: &mut LabelsBuilder) {
    let value = joined(rule, labels);
    let mut target = String::new();
    if !rule.regex.expand(&value, &rule.target_label, &mut target) {
        return;
    }
    if !rule.names.is_valid_label_name(&target) {
        return;
    }
    let mut replacement = String::new();
    rule.regex.expand(&value, &rule.replacement, &mut replacement);
    labels.set(&target, &replacement);
}

fn label_map(rule: &Rule, labels: &mut LabelsBuilder) {
    let copies: Vec<(String, String)> = labels
        .iter()
        .filter(|(name, _)| rule.regex.is_match(name))
        .map(|(name, value)| (rule.regex.replace_all(name, &rule.replacement), value.to_owned()))
        .collect();
    for (name, value) in copies {
        labels.set(&name, &value);
    }
}

/// The last eight bytes of the MD5 sum, as a number: shards must stay where upstream put them.
fn hash(value: &str) -> u64 {
    let sum: [u8; 16] = Md5::digest(value).into();
    u128::from_be_bytes(sum) as u64
}

/// Go maps one character to one.
fn lowercase(c: char) -> char {
    let mut mapped = c.to_lowercase();
    match (mapped.next(), mapped.next()) {
        (Some(single), None) => single,
        _ if c == 'İ' => 'i',
        _ => c,
    }
}

fn uppercase(c: char) -> char {
    let mut mapped = c.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(single), None) => single,
        _ => c,
    }
}
