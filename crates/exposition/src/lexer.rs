//! Tokens of the two text formats, with upstream's names and upstream's idea of where they end.
//!
//! Error texts quote what the lexer has consumed, to the byte; so also a token that is broken has an
//! end: the first byte that fits nothing.

mod openmetrics;
mod text;

use memchr::memchr;

use crate::number;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Text,
    OpenMetrics,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    Invalid,
    Eof,
    EofWord,
    Linebreak,
    Help,
    Type,
    Unit,
    Text,
    Comment,
    MetricName,
    QuotedString,
    BraceOpen,
    BraceClose,
    LabelName,
    LabelValue,
    Equal,
    Comma,
    Timestamp,
    Value,
}

impl Token {
    /// The name in error texts.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Token::Invalid => "INVALID",
            Token::Eof => "EOF",
            Token::EofWord => "EOFWORD",
            Token::Linebreak => "LINEBREAK",
            Token::Help => "HELP",
            Token::Type => "TYPE",
            Token::Unit => "UNIT",
            Token::Text => "TEXT",
            Token::Comment => "COMMENT",
            Token::MetricName => "MNAME",
            Token::QuotedString => "QSTRING",
            Token::BraceOpen => "BOPEN",
            Token::BraceClose => "BCLOSE",
            Token::LabelName => "LNAME",
            Token::LabelValue => "LVALUE",
            Token::Equal => "EQUAL",
            Token::Comma => "COMMA",
            Token::Timestamp => "TIMESTAMP",
            Token::Value => "VALUE",
        }
    }
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Init,
    /// After `HELP`, `TYPE` or `UNIT`.
    MetaName,
    MetaText,
    Labels,
    LabelValue,
    Value,
    Timestamp,
    Exemplar,
    /// A label's value or the exemplar's.
    ExemplarValue,
    ExemplarTimestamp,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Lexer<'a> {
    dialect: Dialect,
    body: &'a [u8],
    pub(crate) state: State,
    /// Where the newest token begins.
    pub(crate) start: usize,
    /// Where it ends and the next one begins.
    pub(crate) at: usize,
}

/// What a name may begin with, or go on with.
const fn is_name(byte: u8, is_first: bool, allows_colon: bool) -> bool {
    byte.is_ascii_alphabetic()
        || byte == b'_'
        || (byte == b':' && allows_colon)
        || (byte.is_ascii_digit() && !is_first)
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(dialect: Dialect, body: &'a [u8]) -> Lexer<'a> {
        Lexer { dialect, body, state: State::Init, start: 0, at: 0 }
    }

    pub(crate) fn next(&mut self) -> Token {
        match self.dialect {
            Dialect::Text => self.next_text(),
            Dialect::OpenMetrics => self.next_openmetrics(),
        }
    }

    /// Goes on behind a series that was skipped.
    pub(crate) fn resume(&mut self, start: usize, end: usize) {
        (self.state, self.start, self.at) = (State::Value, start, end);
    }

    /// Consumes a blank, a value and the end of the line, as most series end, if that is what comes.
    pub(crate) fn take_only_value(&mut self) -> Option<f64> {
        let text = self.body.get(self.at..)?.strip_prefix(b" ")?;
        let len = text.iter().position(|byte| matches!(byte, b'\n' | b' ' | b'{' | b'\t' | 0))?;
        if text[len] != b'\n' {
            return None;
        }
        // What is wrong with another one says who reads it token by token.
        let value = number::parse_float(&text[..len]).ok()?;
        self.at += 1 + len + 1;
        self.state = State::Init;
        Some(value)
    }

    /// The bytes of the newest token.
    pub(crate) fn token(&self) -> &'a [u8] {
        self.slice(self.start, self.at)
    }

    /// Bytes of the body; what is outside of it is left out.
    pub(crate) fn slice(&self, start: usize, end: usize) -> &'a [u8] {
        self.body.get(start..end.min(self.body.len())).unwrap_or_default()
    }

    /// Bytes for an error text. The text format has a line break at its end, written or not.
    pub(crate) fn quoted(&self, start: usize, end: usize) -> String {
        let mut bytes = self.slice(start, end).to_vec();
        if self.dialect == Dialect::Text && end > self.body.len() {
            bytes.push(b'\n');
        }
        model::labels::quote_bytes(&bytes)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        match self.body.get(at) {
            Some(byte) => Some(*byte),
            None if self.dialect == Dialect::Text && at == self.body.len() => Some(b'\n'),
            None => None,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.byte(self.at)
    }

    /// A token of one byte.
    fn single(&mut self, token: Token, state: State) -> Token {
        self.at += 1;
        self.state = state;
        token
    }

    /// Consumes a name and says whether there was one.
    fn take_name(&mut self, allows_colon: bool) -> bool {
        let begin = self.at;
        while self.peek().is_some_and(|byte| is_name(byte, self.at == begin, allows_colon)) {
            self.at += 1;
        }
        self.at > begin
    }

    /// Consumes a string in double quotes; `false` if it breaks off, then up to that byte.
    fn take_quoted(&mut self, allows: impl Fn(u8) -> bool) -> bool {
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return true;
                }
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(byte) if byte != b'\n' => self.at += 1,
                        _ => return false,
                    }
                }
                Some(byte) if allows(byte) => self.at += 1,
                _ => return false,
            }
        }
    }

    fn take_while(&mut self, belongs: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&belongs) {
            self.at += 1;
        }
    }

    /// Consumes all up to the end of the line, not with it.
    fn take_line(&mut self) {
        let rest = self.slice(self.at, self.body.len());
        self.at += memchr(b'\n', rest).unwrap_or(rest.len());
    }
}

/// The end of the series that begins at `at`, if it looks like one; its inside is not checked.
///
/// A series that was seen before needs no more than this, so it is the hot loop of scraping.
pub(crate) fn skip_series(dialect: Dialect, body: &[u8], at: usize) -> Option<usize> {
    let name = body.get(at..)?;
    let n_name = name.iter().take_while(|byte| is_name(**byte, false, true)).count();
    if name.first()?.is_ascii_digit() {
        return None;
    }
    let mut end = at + n_name;
    let mut brace = end;
    if dialect == Dialect::Text {
        brace += body.get(end..)?.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    }
    if body.get(brace) == Some(&b'{') {
        end = skip_labels(body, brace + 1)?;
    } else if n_name == 0 {
        return None;
    }
    Some(end)
}

/// The end of the labels, behind the closing brace.
fn skip_labels(body: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match body.get(at)? {
            b'}' => return Some(at + 1),
            b'"' => at = skip_quoted(body, at + 1)?,
            b'\n' => return None,
            _ => at += 1,
        }
    }
}

/// The end of a string whose opening quote has been read, behind the closing one.
fn skip_quoted(body: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match body.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}
