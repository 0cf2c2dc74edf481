use super::{Pattern, Silence};
use crate::matcher::{Matcher, Mode};

/// Why a silence can't be stored, in upstream's words.
pub fn validate(silence: &Silence, mode: Mode) -> Result<(), String> {
    if silence.matcher_sets.is_empty() {
        return Err("at least one matcher set required".to_owned());
    }
    for (set_idx, set) in silence.matcher_sets.iter().enumerate() {
        if set.is_empty() {
            return Err(format!("matcher set {set_idx} is empty"));
        }
        let mut all_match_empty = true;
        for (idx, pattern) in set.iter().enumerate() {
            let matcher = validate_pattern(pattern, mode).map_err(|reason| {
                format!("invalid label matcher {idx} in set {set_idx}: {reason}")
            })?;
            all_match_empty &= matches_empty(&matcher);
        }
        if all_match_empty {
            return Err(format!(
                "matcher set {set_idx}: at least one matcher must not match the empty string"
            ));
        }
    }
    match (silence.starts_at, silence.ends_at) {
        (None, _) => Err("invalid zero start timestamp".to_owned()),
        (_, None) => Err("invalid zero end timestamp".to_owned()),
        (Some(start), Some(end)) if end < start => {
            Err("end time must not be before start time".to_owned())
        }
        _ => Ok(()),
    }
}

/// Upstream asks only the positive kinds: a negative one counts as not matching "".
fn matches_empty(matcher: &Matcher) -> bool {
    use model::MatchKind::{Equal, Regex};
    matches!(matcher.kind, Equal | Regex) && matcher.matches("")
}

/// The matcher that a pattern stands for, or why it is none.
pub fn validate_pattern(pattern: &Pattern, mode: Mode) -> Result<Matcher, String> {
    let quote = model::labels::quote;
    if !mode.is_label_name(&pattern.name) {
        return Err(format!("invalid label name {}", quote(&pattern.name)));
    }
    let Some(kind) = pattern.kind() else {
        return Err(format!("unknown matcher type \"{}\"", pattern.type_number));
    };
    Matcher::new(kind, pattern.name.as_str(), pattern.pattern.as_str())
        .map_err(|error| format!("invalid regular expression {}: {error}", quote(&pattern.pattern)))
}
