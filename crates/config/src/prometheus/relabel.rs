//! Relabelling rules as written.

use model::names::ValidationScheme;
use relabel::RawRule;

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
        match self.to_raw().check(scheme) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string().into()),
        }
    }

    fn to_raw(&self) -> RawRule {
        RawRule {
            source_labels: self.source_labels.0.iter().map(|name| name.0.clone()).collect(),
            separator: self.separator.clone(),
            regex: match &self.regex {
                Pattern::Any => None,
                Pattern::Given(regex) => Some(regex.as_str().to_owned()),
            },
            modulus: self.modulus,
            target_label: self.target_label.clone(),
            replacement: self.replacement.clone(),
            action: self.action.as_str().to_owned(),
        }
    }
}

/// Compiles the rules of a section; `names` says which names they may make.
pub fn relabel_rules(
    section: &[Rule],
    names: ValidationScheme,
) -> Result<Vec<relabel::Rule>, relabel::Error> {
    section.iter().map(|rule| relabel::Rule::new(rule.to_raw(), names)).collect()
}
