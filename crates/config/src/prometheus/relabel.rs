//! Relabelling rules as written.

use model::names::ValidationScheme;

use crate::{
    decode::{Broken, Decoder, Section, Setting, Style},
    record,
    values::{LabelName, Pattern},
    yaml::{Node, Yaml},
};

record! {
    /// A rule of `relabel_configs` and its siblings.
    pub struct Rule: "relabel.plain" {
        source_labels: SourceLabels,
        separator: String = always,
        regex: Pattern,
        modulus: u64,
        target_label: String,
        replacement: String = always,
        action: Action,
    }
}

/// Label names, printed on one line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceLabels(pub Vec<LabelName>);

impl Setting for SourceLabels {
    const GO_TYPE: &'static str = "model.LabelNames";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<SourceLabels>, Broken> {
        Ok(Vec::decode(node, decoder)?.map(SourceLabels))
    }

    fn encode(&self, style: Style) -> Yaml {
        Yaml::FlowList(self.0.iter().map(|name| name.encode(style)).collect())
    }
}

/// What a rule does; its name in the file may be written in capitals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Action {
    /// `action:` without a value.
    #[default]
    Unset,
    Replace,
    Keep,
    Drop,
    KeepEqual,
    DropEqual,
    HashMod,
    LabelMap,
    LabelDrop,
    LabelKeep,
    Lowercase,
    Uppercase,
}

const ACTIONS: [(&str, Action); 11] = [
    ("replace", Action::Replace),
    ("keep", Action::Keep),
    ("drop", Action::Drop),
    ("keepequal", Action::KeepEqual),
    ("dropequal", Action::DropEqual),
    ("hashmod", Action::HashMod),
    ("labelmap", Action::LabelMap),
    ("labeldrop", Action::LabelDrop),
    ("labelkeep", Action::LabelKeep),
    ("lowercase", Action::Lowercase),
    ("uppercase", Action::Uppercase),
];

impl Action {
    pub fn as_str(self) -> &'static str {
        ACTIONS.iter().find(|(_, action)| *action == self).map_or("", |(name, _)| name)
    }
}

impl Setting for Action {
    const GO_TYPE: &'static str = "string";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<Action>, Broken> {
        let Some(text) = String::decode(node, decoder)? else { return Ok(None) };
        let known = ACTIONS.iter().find(|(name, _)| *name == text.to_lowercase());
        match known {
            Some((_, action)) => Ok(Some(*action)),
            None => Err(format!("unknown relabel action {text:?}").into()),
        }
    }

    fn encode(&self, _: Style) -> Yaml {
        Yaml::Text(self.as_str().to_owned())
    }
}

impl Section for Rule {
    fn defaults() -> Rule {
        Rule {
            separator: ";".to_owned(),
            regex: Pattern::Any,
            replacement: "$1".to_owned(),
            action: Action::Replace,
            ..Rule::default()
        }
    }
}

impl Rule {
    /// Checks that the rule makes sense; which label names are valid depends on `scheme`.
    pub fn validate(&self, scheme: ValidationScheme) -> Result<(), Broken> {
        use Action::*;
        let action = self.action.as_str();
        if self.action == Unset {
            return Err("relabel action cannot be empty".into());
        }
        if self.action == HashMod && self.modulus == 0 {
            return Err("relabel configuration for hashmod requires non-zero modulus".into());
        }
        let needs_target = matches!(
            self.action,
            Replace | HashMod | Lowercase | Uppercase | KeepEqual | DropEqual
        );
        if needs_target && self.target_label.is_empty() {
            return Err(format!(
                "relabel configuration for {action} action requires 'target_label' value"
            )
            .into());
        }
        self.validate_names(scheme)?;
        let defaults = Rule::defaults();
        let only_source_labels = self.regex.is_empty()
            && self.modulus == 0
            && self.separator == defaults.separator
            && self.replacement == defaults.replacement;
        if matches!(self.action, DropEqual | KeepEqual) && !only_source_labels {
            return Err(format!("{action} action requires only 'source_labels' and `target_label`, and no other fields").into());
        }
        let only_regex = self.source_labels.is_empty()
            && self.target_label.is_empty()
            && self.modulus == 0
            && self.separator == defaults.separator
            && self.replacement == defaults.replacement;
        if matches!(self.action, LabelDrop | LabelKeep) && !only_regex {
            return Err(
                format!("{action} action requires only 'regex', and no other fields").into()
            );
        }
        Ok(())
    }

    fn validate_names(&self, scheme: ValidationScheme) -> Result<(), Broken> {
        use Action::*;
        let action = self.action.as_str();
        let target_is_valid = match self.action {
            Replace if self.target_label.contains('$') => {
                is_valid_template(&self.target_label, scheme)
            }
            Replace | Lowercase | Uppercase | KeepEqual | DropEqual | HashMod => {
                scheme.is_valid_label_name(&self.target_label)
            }
            _ => true,
        };
        if !target_is_valid {
            return Err(format!(
                "{:?} is invalid 'target_label' for {action} action",
                self.target_label
            )
            .into());
        }
        let keeps_replacement =
            matches!(self.action, Lowercase | Uppercase | KeepEqual | DropEqual);
        if keeps_replacement && self.replacement != "$1" {
            return Err(format!("'replacement' can not be set for {action} action").into());
        }
        if self.action == LabelMap && !is_valid_template(&self.replacement, scheme) {
            return Err(format!(
                "{:?} is invalid 'replacement' for {action} action",
                self.replacement
            )
            .into());
        }
        Ok(())
    }
}

/// Whether a label name with `$1` and `${name}` in it can become a valid one.
fn is_valid_template(template: &str, scheme: ValidationScheme) -> bool {
    match scheme {
        ValidationScheme::Utf8 => scheme.is_valid_label_name(template),
        ValidationScheme::Legacy => is_legacy_template(template),
    }
}

/// `^(?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+$`
fn is_legacy_template(template: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let mut rest = template.as_bytes();
    let starts_right =
        matches!(rest.first(), Some(b) if b.is_ascii_alphabetic() || matches!(b, b'_' | b'$'));
    while let Some((first, after)) = rest.split_first() {
        rest = match first {
            b'$' => {
                let (name, closing) = match after.split_first() {
                    Some((b'{', inside)) => (inside, true),
                    _ => (after, false),
                };
                let length = name.iter().take_while(|b| is_word(**b)).count();
                let (_, after) = name.split_at(length);
                match (length, closing, after.split_first()) {
                    (0, ..) => return false,
                    (_, true, Some((b'}', after))) => after,
                    (_, true, _) => return false,
                    (_, false, _) => after,
                }
            }
            b if is_word(*b) => after,
            _ => return false,
        };
    }
    starts_right
}
