//! Which names metrics and labels may have, and how the others are escaped.

mod escape;

pub use escape::{EscapingScheme, escape, unescape};

/// Whether `name` is a metric name in the classic character set `[a-zA-Z_:][a-zA-Z0-9_:]*`.
pub fn is_legacy_metric_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_' || b == b':')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':')
}

/// Whether `name` is a label name in the classic character set `[a-zA-Z_][a-zA-Z0-9_]*`.
pub fn is_legacy_label_name(name: &str) -> bool {
    !name.contains(':') && is_legacy_metric_name(name)
}

/// Which names are valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValidationScheme {
    /// The classic character sets.
    Legacy,
    /// Any text but the empty one.
    Utf8,
}

impl ValidationScheme {
    /// The scheme of that name; `None` if the name is empty, which means "not set".
    pub fn parse(name: &str) -> Result<Option<ValidationScheme>, UnknownScheme> {
        match name {
            "" => Ok(None),
            "legacy" => Ok(Some(ValidationScheme::Legacy)),
            "utf8" => Ok(Some(ValidationScheme::Utf8)),
            _ => Err(UnknownScheme::Validation(name.to_owned())),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            ValidationScheme::Legacy => "legacy",
            ValidationScheme::Utf8 => "utf8",
        }
    }

    pub fn is_valid_metric_name(self, name: &str) -> bool {
        match self {
            ValidationScheme::Legacy => is_legacy_metric_name(name),
            ValidationScheme::Utf8 => !name.is_empty(),
        }
    }

    pub fn is_valid_label_name(self, name: &str) -> bool {
        match self {
            ValidationScheme::Legacy => is_legacy_label_name(name),
            ValidationScheme::Utf8 => !name.is_empty(),
        }
    }
}

/// A name of a scheme that does not exist; the words are upstream's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownScheme {
    #[error("unrecognized ValidationScheme: {0:?}")]
    Validation(String),
    #[error("unknown format scheme {0}")]
    Escaping(String),
}
