//! Conditions on labels, as the file writes them: a list of texts, or the maps of old.

use std::collections::BTreeMap;

use alertmanager::matcher::{Matcher, Mode};
use model::{MatchKind, names::is_legacy_label_name};

use crate::{
    decode::{Broken, Decoder, Setting, Style},
    yaml::{Node, Value, Yaml},
};

/// `matchers`: texts of one or more conditions each, all of which must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Matchers {
    texts: Vec<(usize, String)>,
    /// Sorted; filled by [`Matchers::resolve`].
    matchers: Vec<Matcher>,
}

impl Matchers {
    /// Understands the texts, which depends on the mode that the server runs in.
    pub(super) fn resolve(&mut self, mode: Mode) -> Result<(), Broken> {
        self.matchers.clear();
        for (line, text) in &self.texts {
            let matchers = mode
                .parse_matchers(text, "config")
                .map_err(|error| Broken::at(*line, error.to_string()))?;
            self.matchers.extend(matchers);
        }
        self.matchers.sort();
        Ok(())
    }

    pub fn as_slice(&self) -> &[Matcher] {
        &self.matchers
    }

    pub fn is_given(&self) -> bool {
        !self.texts.is_empty()
    }
}

impl Setting for Matchers {
    const GO_TYPE: &'static str = "[]string";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<Matchers>, Broken> {
        let Value::List(nodes) = &node.value else {
            decoder.wrong_kind(node, Self::GO_TYPE);
            return Ok(None);
        };
        let mut texts = Vec::with_capacity(nodes.len());
        for node in nodes {
            if node.is_null() {
                texts.push((node.line, String::new()));
            } else if let Some(text) = String::decode(node, decoder)? {
                texts.push((node.line, text));
            }
        }
        Ok(Some(Matchers { texts, matchers: Vec::new() }))
    }

    fn encode(&self, _: Style) -> Yaml {
        Yaml::List(self.matchers.iter().map(|matcher| Yaml::Text(matcher.to_string())).collect())
    }
}

/// `match_re`: patterns by the name of the label.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MatchRegexps(BTreeMap<String, Matcher>);

impl MatchRegexps {
    pub fn matchers(&self) -> impl Iterator<Item = &Matcher> {
        self.0.values()
    }

    pub fn is_given(&self) -> bool {
        !self.0.is_empty()
    }
}

impl Setting for MatchRegexps {
    const GO_TYPE: &'static str = "map[string]common.Regexp";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<MatchRegexps>, Broken> {
        let Value::Map(pairs) = &node.value else {
            decoder.wrong_kind(node, Self::GO_TYPE);
            return Ok(None);
        };
        let mut matchers = BTreeMap::new();
        for (key, value) in pairs {
            let Some(name) = String::decode(key, decoder)? else { continue };
            if !is_legacy_label_name(&name) {
                return Err(Broken::at(key.line, format!("invalid label name {name:?}")));
            }
            if value.is_null() {
                let message = format!("invalid regexp value for {name:?}");
                return Err(Broken::at(value.line, message));
            }
            let Some(pattern) = String::decode(value, decoder)? else { continue };
            // Upstream anchors these twice, and group keys show it.
            let anchored = format!("^(?:{pattern})$");
            let matcher = Matcher::new(MatchKind::Regex, &name, anchored)
                .map_err(|error| Broken::at(value.line, error.to_string()))?;
            matchers.insert(name, matcher);
        }
        Ok(Some(MatchRegexps(matchers)))
    }

    fn encode(&self, _: Style) -> Yaml {
        let original = |matcher: &Matcher| {
            let pattern =
                matcher.value.strip_prefix("^(?:").and_then(|rest| rest.strip_suffix(")$"));
            Yaml::Text(pattern.unwrap_or_default().to_owned())
        };
        Yaml::Map(self.0.iter().map(|(name, matcher)| (name.clone(), original(matcher))).collect())
    }
}

/// The conditions of `match`.
pub(super) fn equal_matchers(map: &BTreeMap<String, String>) -> impl Iterator<Item = Matcher> {
    map.iter().map(|(name, value)| Matcher::equal(name, value))
}

pub(super) fn check_names<'a>(names: impl IntoIterator<Item = &'a String>) -> Result<(), Broken> {
    match names.into_iter().find(|name| !is_legacy_label_name(name)) {
        Some(name) => Err(format!("invalid label name {name:?}").into()),
        None => Ok(()),
    }
}
