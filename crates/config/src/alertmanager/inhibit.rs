//! `inhibit_rules`: alerts that keep others quiet.

use std::collections::BTreeMap;

use alertmanager::{
    inhibit::InhibitRule as Meaning,
    matcher::{Matcher, Mode},
};

use super::{
    MatchRegexps, Matchers, Placed,
    matchers::{check_names, equal_matchers},
};
use crate::{
    decode::{Broken, Section},
    record,
};

record! {
    pub struct InhibitRule: "common.plain" {
        name: String,
        source_match: BTreeMap<String, String>,
        source_match_re: MatchRegexps,
        source_matchers: Matchers,
        target_match: BTreeMap<String, String>,
        target_match_re: MatchRegexps,
        target_matchers: Matchers,
        equal: Placed<Vec<String>>,
    }
}

impl Section for InhibitRule {
    fn check(&mut self) -> Result<(), Broken> {
        check_names(self.source_match.keys())?;
        check_names(self.target_match.keys())
    }
}

impl InhibitRule {
    /// Checks and understands what depends on the mode.
    pub(super) fn resolve(&mut self, mode: Mode) -> Result<(), Broken> {
        self.source_matchers.resolve(mode)?;
        self.target_matchers.resolve(mode)?;
        match self.equal.iter().find(|name| !mode.is_label_name(name)) {
            Some(name) => {
                let message = format!("invalid label name {name:?} in equal list");
                Err(Broken::at(self.equal.line, message))
            }
            None => Ok(()),
        }
    }

    pub(super) fn meaning(&self) -> Meaning {
        let all = |equals, regexps: &MatchRegexps, matchers: &Matchers| {
            let mut all: Vec<Matcher> = equal_matchers(equals).collect();
            all.extend(regexps.matchers().cloned());
            all.extend_from_slice(matchers.as_slice());
            all
        };
        Meaning {
            name: self.name.clone(),
            source: all(&self.source_match, &self.source_match_re, &self.source_matchers),
            target: all(&self.target_match, &self.target_match_re, &self.target_matchers),
            equal: self.equal.to_vec(),
        }
    }
}
