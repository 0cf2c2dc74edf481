//! `~/.aws/config` and `~/.aws/credentials`: sections of `key = value`. Pure.

use std::collections::BTreeMap;

/// What is set under a name.
pub(super) type Profile = BTreeMap<String, String>;

/// The settings in the section `[name]` or `[profile name]`.
pub(super) fn parse(text: &str, name: &str) -> Profile {
    let mut profile = Profile::new();
    let mut is_inside = false;
    for line in text.lines() {
        let line = line.trim();
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let section = section.trim();
            is_inside = section.strip_prefix("profile ").map_or(section, str::trim) == name;
            continue;
        }
        let is_comment = line.starts_with(['#', ';']);
        if let (true, false, Some((key, value))) = (is_inside, is_comment, line.split_once('=')) {
            profile.insert(key.trim().to_lowercase(), value.trim().to_owned());
        }
    }
    profile
}

#[cfg(test)]
mod tests {
    use super::{Profile, parse};

    #[test]
    fn sections_are_told_apart() {
        let text = "[default]\nregion = a\n# region = x\n[profile b]\nregion=b\nOutput = json\n";
        let pairs = |pairs: &[(&str, &str)]| -> Profile {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        assert_eq!(parse(text, "default"), pairs(&[("region", "a")]));
        assert_eq!(parse(text, "b"), pairs(&[("region", "b"), ("output", "json")]));
        assert_eq!(parse(text, "c"), Profile::new());
    }
}
