//! Media types as Go's `mime` reads them.

/// A media type in lower case with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MediaType {
    pub(crate) essence: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// The errors are Go's.
    pub(crate) fn parse(text: &str) -> Result<MediaType, &'static str> {
        let (essence, mut rest) = match text.split_once(';') {
            Some((essence, rest)) => (essence, Some(rest)),
            None => (text, None),
        };
        let essence = essence.trim().to_ascii_lowercase();
        check_essence(&essence)?;
        let mut parameters: Vec<(String, String)> = Vec::new();
        while let Some(parameter) = rest {
            let parameter = parameter.trim_start();
            if parameter.is_empty() {
                break;
            }
            let (name, value, after) =
                take_parameter(parameter).ok_or("mime: invalid media parameter")?;
            let known = parameters.iter().find(|(known, _)| *known == name);
            if known.is_some_and(|(_, known)| *known != value) {
                return Err("mime: duplicate parameter name");
            }
            parameters.push((name, value));
            rest = match after.trim_start() {
                "" => None,
                after => Some(after.strip_prefix(';').ok_or("mime: invalid media parameter")?),
            };
        }
        Ok(MediaType { essence, parameters })
    }

    /// The value of a parameter, or "".
    pub(crate) fn parameter(&self, name: &str) -> &str {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }
}

fn check_essence(essence: &str) -> Result<(), &'static str> {
    let (kind, rest) = take_token(essence);
    if kind.is_empty() {
        return Err("mime: no media type");
    }
    if rest.is_empty() {
        return Ok(());
    }
    let rest = rest.strip_prefix('/').ok_or("mime: expected slash after first token")?;
    match take_token(rest) {
        ("", _) => Err("mime: expected token after slash"),
        (_, "") => Ok(()),
        _ => Err("mime: unexpected content after media subtype"),
    }
}

/// Name in lower case, value, and what follows.
fn take_parameter(text: &str) -> Option<(String, String, &str)> {
    let (name, rest) = take_token(text);
    if name.is_empty() {
        return None;
    }
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let (value, rest) = match rest.strip_prefix('"') {
        Some(rest) => take_quoted(rest)?,
        None => {
            let (value, rest) = take_token(rest);
            (value.to_owned(), rest)
        }
    };
    if value.is_empty() {
        return None;
    }
    Some((name.to_ascii_lowercase(), value, rest))
}

fn take_token(text: &str) -> (&str, &str) {
    let is_special = |c: char| "()<>@,;:\\\"/[]?=".contains(c) || c <= ' ' || !c.is_ascii();
    text.split_at(text.find(is_special).unwrap_or(text.len()))
}

fn take_quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}
