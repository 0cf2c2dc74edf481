//! Regular expressions that match whole texts.

use crate::{
    decode::{Broken, Decoder, Setting, Style},
    yaml::{Node, Yaml},
};

/// The pattern of a relabelling rule.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// Not written: `(.*)`.
    Any,
    Given(re2::Regex),
}

impl Pattern {
    pub fn as_str(&self) -> &str {
        match self {
            Pattern::Any => "(.*)",
            Pattern::Given(regex) => regex.as_str(),
        }
    }
}

/// What upstream makes of `regex:` without a value: the pattern that matches only "".
impl Default for Pattern {
    fn default() -> Pattern {
        Pattern::Given(re2::Regex::anchored("").expect("the empty pattern is valid"))
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Setting for Pattern {
    const GO_TYPE: &'static str = "string";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<Pattern>, Broken> {
        let Some(text) = String::decode(node, decoder)? else { return Ok(None) };
        match re2::Regex::anchored(&text) {
            Ok(regex) => Ok(Some(Pattern::Given(regex))),
            Err(error) => Err(error.to_string().into()),
        }
    }

    fn encode(&self, _: Style) -> Yaml {
        Yaml::Text(self.as_str().to_owned())
    }

    fn is_empty(&self) -> bool {
        matches!(self, Pattern::Any)
    }
}
