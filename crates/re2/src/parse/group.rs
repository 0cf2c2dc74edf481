use super::{DEPTH_MAX, Error, Group, Parser, Result};

/// What a group may change for what it holds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    /// `i`
    pub(super) fold_case: bool,
    /// `m`
    pub(super) lines: bool,
    /// `s`
    pub(super) dot_matches_newline: bool,
    /// `U`
    pub(super) swap_greed: bool,
}

impl Parser<'_> {
    /// Reads `(`, or `(?…` up to what the group holds.
    pub(super) fn open(&mut self) -> Result<()> {
        if self.rest.starts_with("(?") {
            return self.open_special();
        }
        self.skip(1);
        self.n_captures += 1;
        self.push_group(Some((self.n_captures, None)), self.flags)
    }

    fn open_special(&mut self) -> Result<()> {
        for prefix in ["(?P<", "(?<"] {
            let text = self.rest.strip_prefix(prefix).filter(|text| !text.is_empty());
            if let Some(text) = text {
                return self.open_named(prefix, text);
            }
        }
        let before = self.rest;
        self.skip(2);
        let (mut flags, mut value, mut saw_flag) = (self.flags, true, false);
        while let Some(next) = self.take() {
            let flag = match next {
                'i' => &mut flags.fold_case,
                'm' => &mut flags.lines,
                's' => &mut flags.dot_matches_newline,
                'U' => &mut flags.swap_greed,
                '-' if value => {
                    (value, saw_flag) = (false, false);
                    continue;
                }
                ':' if value || saw_flag => return self.push_group(None, flags),
                ')' if value || saw_flag => {
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            };
            (*flag, saw_flag) = (value, true);
        }
        Err(Error::PerlOperator(self.read_since(before).to_owned()))
    }

    fn open_named(&mut self, prefix: &str, text: &str) -> Result<()> {
        let Some((name, _)) = text.split_once('>') else {
            return Err(Error::NamedCapture(self.rest.to_owned()));
        };
        let n_bytes = prefix.len() + name.len() + 1;
        let is_word = |c: char| c == '_' || c.is_ascii_alphanumeric();
        if name.is_empty() || !name.chars().all(is_word) {
            let capture = self.rest.get(..n_bytes).unwrap_or_default();
            return Err(Error::NamedCapture(capture.to_owned()));
        }
        // Of equal names, which Go allows, the first one counts.
        let is_new = self.names.iter().all(|other| **other != *name);
        let name: Option<Box<str>> = is_new.then(|| name.into());
        self.names.extend(name.clone());
        self.skip(n_bytes);
        self.n_captures += 1;
        self.push_group(Some((self.n_captures, name)), self.flags)
    }

    /// Begins a group whose content has `flags`.
    fn push_group(&mut self, capture: Option<(u32, Option<Box<str>>)>, flags: Flags) -> Result<()> {
        if self.groups.len() >= DEPTH_MAX {
            return Err(Error::NestingDepth(self.pattern.to_owned()));
        }
        self.groups.push(Group {
            capture,
            flags: self.flags,
            branches: std::mem::take(&mut self.branches),
            sequence: std::mem::take(&mut self.sequence),
        });
        self.flags = flags;
        Ok(())
    }
}
