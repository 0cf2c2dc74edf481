//! Environment variables in external labels, as Go's `os.Expand` reads them.

/// Replaces `$name` and `${name}` by what `lookup` says; `$$` is a dollar. Gives the text and the
/// names that were not set or empty.
pub(super) fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> (String, Vec<String>) {
    let mut out = String::with_capacity(text.len());
    let mut missing = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (name, after) = variable(after);
        rest = after;
        match name {
            Name::None => out.push('$'),
            Name::Malformed => {}
            Name::Is("$") => out.push('$'),
            Name::Is(name) => match lookup(name).filter(|value| !value.is_empty()) {
                Some(value) => out.push_str(&value),
                None => missing.push(name.to_owned()),
            },
        }
    }
    out.push_str(rest);
    (out, missing)
}

enum Name<'a> {
    Is(&'a str),
    /// The dollar stands alone.
    None,
    /// Braces without a name or without an end: they are dropped.
    Malformed,
}

/// The name at the start of `text`, which stood after a dollar, and what follows.
fn variable(text: &str) -> (Name<'_>, &str) {
    if let Some(inside) = text.strip_prefix('{') {
        return match inside.split_once('}') {
            Some(("", after)) => (Name::Malformed, after),
            Some((name, after)) => (Name::Is(name), after),
            None => (Name::Malformed, inside),
        };
    }
    let special = |b: &u8| b"*#$@!?-0123456789".contains(b);
    let length = match text.as_bytes().first() {
        Some(first) if special(first) => 1,
        _ => text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count(),
    };
    let (name, after) = text.split_at(length);
    (if name.is_empty() { Name::None } else { Name::Is(name) }, after)
}
