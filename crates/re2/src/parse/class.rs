use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

use super::{Error, Parser, Result};

const DIGIT: &[(char, char)] = &[('0', '9')];
const SPACE: &[(char, char)] = &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')];
const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];

/// The names within `[[:…:]]`.
const POSIX: &[(&str, &[(char, char)])] = &[
    ("alnum", &[('0', '9'), ('A', 'Z'), ('a', 'z')]),
    ("alpha", &[('A', 'Z'), ('a', 'z')]),
    ("ascii", &[('\0', '\x7f')]),
    ("blank", &[('\t', '\t'), (' ', ' ')]),
    ("cntrl", &[('\0', '\x1f'), ('\x7f', '\x7f')]),
    ("digit", DIGIT),
    ("graph", &[('!', '~')]),
    ("lower", &[('a', 'z')]),
    ("print", &[(' ', '~')]),
    ("punct", &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]),
    ("space", &[('\t', '\r'), (' ', ' ')]),
    ("upper", &[('A', 'Z')]),
    ("word", WORD),
    ("xdigit", &[('0', '9'), ('A', 'F'), ('a', 'f')]),
];

pub(super) fn of_ranges(ranges: &[(char, char)]) -> ClassUnicode {
    ClassUnicode::new(ranges.iter().map(|(start, end)| ClassUnicodeRange::new(*start, *end)))
}

pub(super) fn any() -> ClassUnicode {
    of_ranges(&[('\0', char::MAX)])
}

pub(super) fn negated(mut class: ClassUnicode) -> ClassUnicode {
    class.negate();
    class
}

/// With the other cases of all its characters.
pub(super) fn folded(mut class: ClassUnicode) -> ClassUnicode {
    class.case_fold_simple();
    class
}

/// `\d` and its like; they are ASCII only.
pub(super) fn perl(name: char, fold_case: bool) -> Option<ClassUnicode> {
    let ranges = match name.to_ascii_lowercase() {
        'd' => DIGIT,
        's' => SPACE,
        'w' => WORD,
        _ => return None,
    };
    Some(group(ranges, name.is_ascii_uppercase(), fold_case))
}

fn group(ranges: &[(char, char)], is_negated: bool, fold_case: bool) -> ClassUnicode {
    let class = of_ranges(ranges);
    let class = if fold_case { folded(class) } else { class };
    if is_negated { negated(class) } else { class }
}

impl<'p> Parser<'p> {
    /// Reads `[…]`.
    pub(super) fn class(&mut self) -> Result<ClassUnicode> {
        let whole = self.rest;
        self.skip(1);
        let is_negated = self.rest.starts_with('^');
        if is_negated {
            self.skip(1);
        }
        let mut class = of_ranges(&[]);
        let mut is_first = true;
        while is_first || !self.rest.starts_with(']') {
            is_first = false;
            let item = match self.posix_class()? {
                Some(item) => item,
                None => match self.class_escape()? {
                    Some(item) => item,
                    None => self.range(whole)?,
                },
            };
            class.union(&item);
        }
        self.skip(1);
        Ok(if is_negated { negated(class) } else { class })
    }

    fn posix_class(&mut self) -> Result<Option<ClassUnicode>> {
        let Some((name, _)) = self.rest.strip_prefix("[:").and_then(|rest| rest.split_once(":]"))
        else {
            return Ok(None);
        };
        let n_bytes = name.len() + 4;
        let (is_negated, plain) = match name.strip_prefix('^') {
            Some(plain) => (true, plain),
            None => (false, name),
        };
        let Some((_, ranges)) = POSIX.iter().find(|(known, _)| *known == plain) else {
            let text = self.rest.get(..n_bytes).unwrap_or_default();
            return Err(Error::CharRange(text.to_owned()));
        };
        self.skip(n_bytes);
        Ok(Some(group(ranges, is_negated, self.flags.fold_case)))
    }

    /// One character, or two with a dash between them.
    fn range(&mut self, whole: &str) -> Result<ClassUnicode> {
        let before = self.rest;
        let start = self.class_char(whole)?;
        let mut end = start;
        // In `[a-]` the dash stands for itself.
        if self.rest.starts_with('-') && !self.rest.starts_with("-]") && self.rest.len() > 1 {
            self.skip(1);
            end = self.class_char(whole)?;
            if end < start {
                return Err(Error::CharRange(self.read_since(before).to_owned()));
            }
        }
        let class = of_code_points(start, end);
        Ok(if self.flags.fold_case { folded(class) } else { class })
    }

    fn class_char(&mut self, whole: &str) -> Result<u32> {
        if self.rest.starts_with('\\') {
            return self.escaped_char();
        }
        self.take().map(u32::from).ok_or_else(|| Error::MissingBracket(whole.to_owned()))
    }

    /// `\pL`, `\p{Greek}`, `\p{^Greek}`, `\P…`: categories and scripts.
    pub(super) fn unicode_class(&mut self, mut is_negated: bool) -> Result<ClassUnicode> {
        let before = self.rest;
        self.skip(2);
        let name = match self.take() {
            Some('{') => {
                let Some((name, rest)) = self.rest.split_once('}') else {
                    return Err(Error::CharRange(before.to_owned()));
                };
                self.rest = rest;
                name
            }
            Some(single) => {
                let end = 2 + single.len_utf8();
                before.get(2..end).unwrap_or_default()
            }
            None => return Err(Error::Escape(before.to_owned())),
        };
        let name = match name.strip_prefix('^') {
            Some(plain) => {
                is_negated = !is_negated;
                plain
            }
            None => name,
        };
        let Some(class) = unicode_table(name) else {
            return Err(Error::CharRange(self.read_since(before).to_owned()));
        };
        let class = if self.flags.fold_case { folded(class) } else { class };
        Ok(if is_negated { negated(class) } else { class })
    }
}

/// All code points from `start` to `end` that text can hold.
fn of_code_points(start: u32, end: u32) -> ClassUnicode {
    const SURROGATES: (u32, u32) = (0xd800, 0xdfff);
    let range = |start: u32, end: u32| match (char::from_u32(start), char::from_u32(end)) {
        (Some(start), Some(end)) if start <= end => of_ranges(&[(start, end)]),
        _ => of_ranges(&[]),
    };
    if end < SURROGATES.0 || start > SURROGATES.1 {
        return range(start, end);
    }
    let mut class = range(start, end.min(SURROGATES.0 - 1));
    class.union(&range(start.max(SURROGATES.1 + 1), end));
    class
}

/// The characters of a category or script, by its name in any spelling.
fn unicode_table(name: &str) -> Option<ClassUnicode> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ');
    if name.is_empty() || !name.chars().all(is_word) {
        return None;
    }
    let patterns = [format!("\\p{{gc={name}}}"), format!("\\p{{sc={name}}}")];
    let hir = patterns.iter().find_map(|pattern| regex_syntax::parse(pattern).ok())?;
    match hir.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        _ => None,
    }
}
