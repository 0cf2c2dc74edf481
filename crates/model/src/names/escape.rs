//! Names for clients that know only the classic character set.

use super::{UnknownScheme, is_legacy_metric_name};

/// How names outside the classic character set are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EscapingScheme {
    /// As they are.
    AllowUtf8,
    /// `_` for everything else; cannot be undone.
    Underscores,
    /// `_dot_` for a dot, `__` for an underscore and for everything else.
    Dots,
    /// `U__`, then `_2e_` for a dot and `__` for an underscore.
    Values,
}

impl EscapingScheme {
    pub fn parse(name: &str) -> Result<EscapingScheme, UnknownScheme> {
        match name {
            "allow-utf-8" => Ok(EscapingScheme::AllowUtf8),
            "underscores" => Ok(EscapingScheme::Underscores),
            "dots" => Ok(EscapingScheme::Dots),
            "values" => Ok(EscapingScheme::Values),
            _ => Err(UnknownScheme::Escaping(name.to_owned())),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            EscapingScheme::AllowUtf8 => "allow-utf-8",
            EscapingScheme::Underscores => "underscores",
            EscapingScheme::Dots => "dots",
            EscapingScheme::Values => "values",
        }
    }
}

/// Writes a metric or label name under `scheme`.
pub fn escape(name: &str, scheme: EscapingScheme) -> String {
    // Dots also touch classic names: an underscore in them must not look like an escape.
    let untouched = name.is_empty()
        || scheme == EscapingScheme::AllowUtf8
        || scheme != EscapingScheme::Dots && is_legacy_metric_name(name);
    if untouched {
        return name.to_owned();
    }
    let mut out = String::with_capacity(name.len() + 8);
    if scheme == EscapingScheme::Values {
        out.push_str("U__");
    }
    for (idx, c) in name.chars().enumerate() {
        let classic =
            c.is_ascii_alphabetic() || matches!(c, '_' | ':') || c.is_ascii_digit() && idx > 0;
        match scheme {
            EscapingScheme::Dots if c == '_' => out.push_str("__"),
            EscapingScheme::Dots if c == '.' => out.push_str("_dot_"),
            EscapingScheme::Values if c == '_' => out.push_str("__"),
            _ if classic => out.push(c),
            EscapingScheme::Dots => out.push_str("__"),
            EscapingScheme::Values => out.push_str(&format!("_{:x}_", c as u32)),
            EscapingScheme::Underscores | EscapingScheme::AllowUtf8 => out.push('_'),
        }
    }
    out
}

/// Undoes [`escape`]; what was not escaped under `scheme` stays as it is.
pub fn unescape(name: &str, scheme: EscapingScheme) -> String {
    match scheme {
        EscapingScheme::AllowUtf8 | EscapingScheme::Underscores => name.to_owned(),
        EscapingScheme::Dots => name.replace("_dot_", ".").replace("__", "_"),
        EscapingScheme::Values => unescape_values(name).unwrap_or_else(|| name.to_owned()),
    }
}

fn unescape_values(name: &str) -> Option<String> {
    let mut rest = name.strip_prefix("U__")?;
    let mut out = String::with_capacity(rest.len());
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("__") {
            out.push('_');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('_') {
            let (digits, after) = after.split_once('_')?;
            if digits.len() > 6 {
                return None;
            }
            out.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
            rest = after;
        } else {
            out.push(first);
            rest = rest.strip_prefix(first)?;
        }
    }
    Some(out)
}
