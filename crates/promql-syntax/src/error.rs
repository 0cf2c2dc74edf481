//! What is wrong with a query, and where, in upstream's words.

use std::{fmt, ops::Deref};

use crate::ast::Span;

/// One complaint about a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Without the position.
    pub message: String,
    pub span: Span,
    /// From one; zero if the text is empty, so that there is no position.
    pub line: usize,
    /// Bytes from the start of the line, from one.
    pub column: usize,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "unknown position: parse error: {}", self.message),
            line => write!(f, "{line}:{}: parse error: {}", self.column, self.message),
        }
    }
}

impl std::error::Error for Error {}

/// Everything that is wrong with a text, at least one thing; prints as the first of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errors(Vec<Error>);

impl Deref for Errors {
    type Target = [Error];

    fn deref(&self) -> &[Error] {
        &self.0
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.first() {
            Some(first) => first.fmt(f),
            None => f.write_str("parse error"),
        }
    }
}

impl std::error::Error for Errors {}

/// A complaint whose line is not known yet.
#[derive(Debug)]
pub(crate) struct Complaint {
    pub(crate) message: String,
    pub(crate) span: Span,
}

impl Complaint {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Complaint {
        Complaint { message: message.into(), span }
    }
}

/// Finds the lines and columns of `complaints` about `text`.
pub(crate) fn locate(text: &[u8], complaints: Vec<Complaint>) -> Errors {
    let newlines = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let line_starts: Vec<usize> =
        std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect();
    let located = complaints.into_iter().map(|Complaint { message, span }| {
        if text.is_empty() {
            return Error { message, span, line: 0, column: 0 };
        }
        let line = line_starts.partition_point(|start| *start <= span.start);
        Error { message, span, line, column: span.start - line_starts[line - 1] + 1 }
    });
    Errors(located.collect())
}
