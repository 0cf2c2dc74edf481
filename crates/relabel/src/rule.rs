use model::names::ValidationScheme;
use re2::Regex;

use crate::{Action, Error, Result};

/// One step of relabelling, known to make sense if it comes from [`Rule::new`].
#[derive(Debug, Clone)]
pub struct Rule {
    pub source_labels: Vec<String>,
    /// Stands between the values of `source_labels` where they are joined.
    pub separator: String,
    /// Matches the whole joined value, or a whole label name.
    pub regex: Regex,
    pub modulus: u64,
    /// May hold `$1` and `${name}` for [`Action::Replace`].
    pub target_label: String,
    pub replacement: String,
    pub action: Action,
    /// Which names a replacement may produce.
    pub names: ValidationScheme,
}

/// A rule as a user wrote it; [`RawRule::default`] holds what is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRule {
    pub source_labels: Vec<String>,
    pub separator: String,
    /// `None` if it was not written, which some actions insist on; means `(.*)`.
    pub regex: Option<String>,
    pub modulus: u64,
    pub target_label: String,
    pub replacement: String,
    pub action: String,
}

impl Default for RawRule {
    fn default() -> RawRule {
        RawRule {
            source_labels: Vec::new(),
            separator: ";".to_owned(),
            regex: None,
            modulus: 0,
            target_label: String::new(),
            replacement: "$1".to_owned(),
            action: "replace".to_owned(),
        }
    }
}

impl Rule {
    /// Compiles a rule after checking that its fields make sense together.
    pub fn new(raw: RawRule, names: ValidationScheme) -> Result<Rule> {
        let action = raw.check(names)?;
        Ok(Rule {
            source_labels: raw.source_labels,
            separator: raw.separator,
            regex: Regex::anchored(raw.regex.as_deref().unwrap_or("(.*)"))?,
            modulus: raw.modulus,
            target_label: raw.target_label,
            replacement: raw.replacement,
            action,
            names,
        })
    }
}

/// Two rules that say the same do the same.
impl PartialEq for Rule {
    fn eq(&self, other: &Rule) -> bool {
        self.source_labels == other.source_labels
            && self.separator == other.separator
            && self.regex.as_str() == other.regex.as_str()
            && self.modulus == other.modulus
            && self.target_label == other.target_label
            && self.replacement == other.replacement
            && self.action == other.action
            && self.names == other.names
    }
}

impl RawRule {
    /// Checks that all fields but the regex make sense together.
    pub fn check(&self, names: ValidationScheme) -> Result<Action> {
        let action = Action::parse(&self.action)?;
        check(self, action, names)?;
        Ok(action)
    }
}

/// The order of the checks is upstream's: of several mistakes the same one is named.
fn check(raw: &RawRule, action: Action, names: ValidationScheme) -> Result<()> {
    use Action::*;
    if action == HashMod && raw.modulus == 0 {
        return Err(Error::ModulusMissing);
    }
    let needs_target =
        matches!(action, Replace | HashMod | Lowercase | Uppercase | KeepEqual | DropEqual);
    if needs_target && raw.target_label.is_empty() {
        return Err(Error::TargetMissing(action));
    }
    let target_is_valid = match action {
        Replace if raw.target_label.contains('$') => is_valid_template(&raw.target_label, names),
        _ => !needs_target || names.is_valid_label_name(&raw.target_label),
    };
    if !target_is_valid {
        return Err(Error::TargetInvalid(action, raw.target_label.clone()));
    }
    let defaults = RawRule::default();
    let keeps_replacement = matches!(action, Lowercase | Uppercase | KeepEqual | DropEqual);
    if keeps_replacement && raw.replacement != defaults.replacement {
        return Err(Error::ReplacementSet(action));
    }
    if action == LabelMap && !is_valid_template(&raw.replacement, names) {
        return Err(Error::ReplacementInvalid(action, raw.replacement.clone()));
    }
    let as_default = raw.modulus == defaults.modulus
        && raw.separator == defaults.separator
        && raw.replacement == defaults.replacement;
    if matches!(action, KeepEqual | DropEqual) && !(as_default && raw.regex.is_none()) {
        return Err(Error::OnlySourceAndTarget(action));
    }
    let has_labels = !raw.source_labels.is_empty() || !raw.target_label.is_empty();
    if matches!(action, LabelDrop | LabelKeep) && (has_labels || !as_default) {
        return Err(Error::OnlyRegex(action));
    }
    Ok(())
}

/// Whether a name with `$1` and `${name}` in it may become a valid label name.
fn is_valid_template(template: &str, names: ValidationScheme) -> bool {
    match names {
        ValidationScheme::Utf8 => names.is_valid_label_name(template),
        ValidationScheme::Legacy => is_legacy_template(template),
    }
}

/// Upstream's `^(?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+$`: words and variables in any order, the
/// first of which does not start with a digit.
fn is_legacy_template(template: &str) -> bool {
    let is_word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    let mut rest = template.as_bytes();
    if rest.first().is_none_or(u8::is_ascii_digit) {
        return false;
    }
    while let Some((first, after)) = rest.split_first() {
        if is_word(first) {
            rest = after;
            continue;
        }
        if *first != b'$' {
            return false;
        }
        let (in_braces, name) = match after.strip_prefix(b"{") {
            Some(name) => (true, name),
            None => (false, after),
        };
        let length = name.iter().take_while(|b| is_word(b)).count();
        let (_, after) = name.split_at(length);
        let closed = if in_braces { after.strip_prefix(b"}") } else { Some(after) };
        match closed {
            Some(after) if length > 0 => rest = after,
            _ => return false,
        }
    }
    true
}
