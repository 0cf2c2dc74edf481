use super::{Error, is_reserved};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    OpenBrace,
    CloseBrace,
    Comma,
    Equal,
    NotEqual,
    Regex,
    NotRegex,
    Quoted,
    Unquoted,
}

/// A piece of the input; columns count characters, the end is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) column_start: usize,
    pub(super) column_end: usize,
}

/// Cuts the input into tokens, one look-ahead at a time.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'a> {
    rest: &'a str,
    pub(super) column: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(input: &'a str) -> Lexer<'a> {
        Lexer { rest: input, column: 0 }
    }

    /// The next token without taking it; `None` at the end.
    pub(super) fn peek(&self) -> Result<Option<Token<'a>>, Error> {
        self.clone().next()
    }

    pub(super) fn next(&mut self) -> Result<Option<Token<'a>>, Error> {
        let trimmed = self.rest.trim_start();
        let blanks = self.rest.chars().count() - trimmed.chars().count();
        self.rest = trimmed;
        self.column += blanks;
        let Some(first) = trimmed.chars().next() else { return Ok(None) };
        let token = match first {
            '{' => self.take(Kind::OpenBrace, 1),
            '}' => self.take(Kind::CloseBrace, 1),
            ',' => self.take(Kind::Comma, 1),
            '=' if trimmed.starts_with("=~") => self.take(Kind::Regex, 2),
            '=' => self.take(Kind::Equal, 1),
            '!' => self.negation()?,
            '"' => self.quoted()?,
            c if !is_reserved(c) => {
                self.take(Kind::Unquoted, trimmed.find(is_reserved).unwrap_or(trimmed.len()))
            }
            c => {
                let (start, end) = (self.column, self.column + 1);
                return Err(Error(format!("{start}:{end}: {c}: invalid input")));
            }
        };
        Ok(Some(token))
    }

    fn negation(&mut self) -> Result<Token<'a>, Error> {
        let (start, end) = (self.column, self.column + 1);
        match self.rest.chars().nth(1) {
            Some('=') => Ok(self.take(Kind::NotEqual, 2)),
            Some('~') => Ok(self.take(Kind::NotRegex, 2)),
            Some(c) => Err(Error(format!("{start}:{end}: {c}: expected one of '=~'"))),
            None => {
                Err(Error(format!("{start}:{end}: unexpected end of input, expected one of '=~'")))
            }
        }
    }

    fn quoted(&mut self) -> Result<Token<'a>, Error> {
        let mut escaped = false;
        for (idx, c) in self.rest.char_indices().skip(1) {
            match c {
                '"' if !escaped => return Ok(self.take(Kind::Quoted, idx + 1)),
                '\\' => escaped = !escaped,
                _ => escaped = false,
            }
        }
        let end = self.column + self.rest.chars().count();
        Err(Error(format!("{}:{end}: {}: missing end \"", self.column, self.rest)))
    }

    fn take(&mut self, kind: Kind, bytes: usize) -> Token<'a> {
        let (text, rest) = self.rest.split_at(bytes);
        let column_start = self.column;
        self.column += text.chars().count();
        self.rest = rest;
        Token { kind, text, column_start, column_end: self.column }
    }
}
