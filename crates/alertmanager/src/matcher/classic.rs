//! The older, more lenient parser: names of ASCII letters, values quoted or not.

use model::MatchKind;

use super::{Error, Matcher};

/// Reads matchers between commas; one brace at either end is ignored.
pub(super) fn parse_matchers(input: &str) -> Result<Vec<Matcher>, Error> {
    let input = input.strip_prefix('{').unwrap_or(input);
    let input = input.strip_suffix('}').unwrap_or(input);
    split(input).into_iter().map(parse_matcher).collect()
}

/// Cuts at commas outside of quotes; blanks behind the last comma are nothing.
fn split(input: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (idx, c) in input.char_indices() {
        match c {
            ',' if !quoted => {
                parts.push(input.get(start..idx).unwrap_or_default());
                start = idx + 1;
                // Upstream leaves the escape as it was here, and so a quote may be missed.
                continue;
            }
            ',' => {}
            '"' if escaped => escaped = false,
            '"' => quoted = !quoted,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    let last = input.get(start..).unwrap_or_default().trim();
    if !last.is_empty() {
        parts.push(last);
    }
    parts
}

/// Reads one matcher: a name, an operator, a value.
pub(super) fn parse_matcher(input: &str) -> Result<Matcher, Error> {
    let bad_format = || Error(format!("bad matcher format: {input}"));
    let text = input.trim_start_matches(is_space);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(bad_format());
    }
    let rest = rest.trim_start_matches(is_space);
    let operators = [
        ("=~", MatchKind::Regex),
        ("=", MatchKind::Equal),
        ("!=", MatchKind::NotEqual),
        ("!~", MatchKind::NotRegex),
    ];
    let (kind, value) = operators
        .into_iter()
        .find_map(|(operator, kind)| Some((kind, rest.strip_prefix(operator)?)))
        .ok_or_else(bad_format)?;
    let value = unescape(value.trim_matches(is_space))?;
    Matcher::new(kind, name, value).map_err(|error| Error(error.to_string()))
}

/// What `\s` means in Go's regular expressions.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

fn unescape(raw: &str) -> Result<String, Error> {
    let unescaped_quote = || Error(format!("matcher value contains unescaped double quote: {raw}"));
    let (inside, mut expects_quote) = match raw.strip_prefix('"') {
        Some(inside) => (inside, true),
        None => (raw, false),
    };
    let mut value = String::with_capacity(inside.len());
    let mut chars = inside.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some(c @ ('"' | '\\')) => value.push(c),
                Some(c) => value.extend(['\\', c]),
                None => value.push('\\'),
            },
            '"' if expects_quote && chars.peek().is_none() => expects_quote = false,
            '"' => return Err(unescaped_quote()),
            c => value.push(c),
        }
    }
    if expects_quote { Err(unescaped_quote()) } else { Ok(value) }
}
