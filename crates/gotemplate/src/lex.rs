//! Template text to tokens.

use crate::quote::{is_print, quote};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// The text of the token is the message.
    Error,
    Eof,
    Text,
    LeftDelim,
    RightDelim,
    Space,
    Char,
    CharConstant,
    Complex,
    Number,
    Bool,
    Assign,
    Declare,
    Pipe,
    LeftParen,
    RightParen,
    RawString,
    String,
    /// `.name`
    Field,
    /// `$name`
    Variable,
    Identifier,
    Dot,
    Keyword(Keyword),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyword {
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) pos: usize,
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// As Go's parser names a token in an error.
impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            TokenKind::Eof => f.write_str("EOF"),
            TokenKind::Error => f.write_str(&self.text),
            TokenKind::Keyword(_) | TokenKind::Dot => write!(f, "<{}>", self.text),
            _ if self.text.len() > 10 => {
                let start: String = self.text.chars().take(10).collect();
                write!(f, "{}...", quote(&start))
            }
            _ => f.write_str(&quote(&self.text)),
        }
    }
}

const LEFT_DELIM: &str = "{{";
const RIGHT_DELIM: &str = "}}";
const LEFT_COMMENT: &str = "/*";
const RIGHT_COMMENT: &str = "*/";
/// `- ` after a left delimiter and ` -` before a right one.
const TRIM_MARKER_BYTES: usize = 2;
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

pub(crate) struct Lexer<'a> {
    input: &'a str,
    pos: usize,
    /// Where the token that is being read starts.
    start: usize,
    inside_action: bool,
    paren_depth: usize,
    /// Names of user functions that hide the keywords `break` and `continue`.
    break_is_name: bool,
    continue_is_name: bool,
    /// After an error there is nothing more to read.
    failed: bool,
    /// Lines before `counted`.
    line: usize,
    counted: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(input: &'a str, break_is_name: bool, continue_is_name: bool) -> Lexer<'a> {
        Lexer {
            input,
            pos: 0,
            start: 0,
            inside_action: false,
            paren_depth: 0,
            break_is_name,
            continue_is_name,
            failed: false,
            line: 1,
            counted: 0,
        }
    }

    pub(crate) fn next_token(&mut self) -> Token {
        if self.failed {
            return Token { kind: TokenKind::Eof, pos: 0, text: "EOF".into(), line: self.line };
        }
        if self.inside_action { self.lex_inside_action() } else { self.lex_text() }
    }

    fn rest(&self) -> &'a str {
        self.input.get(self.pos..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.pos += c.len_utf8();
        Some(c)
    }

    fn accept(&mut self, wanted: impl Fn(char) -> bool) -> bool {
        let found = self.peek().is_some_and(wanted);
        if found {
            self.bump();
        }
        found
    }

    fn accept_run(&mut self, wanted: impl Fn(char) -> bool) {
        while self.accept(&wanted) {}
    }

    fn line_of_start(&mut self) -> usize {
        let passed = self.input.as_bytes().get(self.counted..self.start).unwrap_or_default();
        self.line += passed.iter().filter(|b| **b == b'\n').count();
        self.counted = self.counted.max(self.start);
        self.line
    }

    fn token(&mut self, kind: TokenKind) -> Token {
        let line = self.line_of_start();
        let text = self.input.get(self.start..self.pos).unwrap_or_default().to_owned();
        let token = Token { kind, pos: self.start, text, line };
        self.start = self.pos;
        token
    }

    fn error(&mut self, message: impl Into<String>) -> Token {
        self.failed = true;
        let line = self.line_of_start();
        Token { kind: TokenKind::Error, pos: self.start, text: message.into(), line }
    }

    /// Text outside of actions, up to the next one.
    fn lex_text(&mut self) -> Token {
        loop {
            let rest = self.rest();
            let Some(length) = rest.find(LEFT_DELIM) else {
                self.pos = self.input.len();
                let kind = if rest.is_empty() { TokenKind::Eof } else { TokenKind::Text };
                return self.token(kind);
            };
            let (text, after) = rest.split_at(length);
            let after = after.strip_prefix(LEFT_DELIM).unwrap_or_default();
            let trims = has_left_trim_marker(after);
            let kept = if trims { text.trim_end_matches(SPACES) } else { text };
            if !kept.is_empty() {
                self.pos += kept.len();
                let token = self.token(TokenKind::Text);
                self.pos += length - kept.len();
                self.start = self.pos;
                return token;
            }
            self.pos += length;
            self.start = self.pos;
            if let Some(token) = self.lex_left_delim(trims) {
                return token;
            }
        }
    }

    /// `{{`, or a whole comment, which yields no token.
    fn lex_left_delim(&mut self, trims: bool) -> Option<Token> {
        self.pos += LEFT_DELIM.len();
        let marker = if trims { TRIM_MARKER_BYTES } else { 0 };
        let after = self.rest().get(marker..).unwrap_or_default();
        if after.starts_with(LEFT_COMMENT) {
            self.pos += marker;
            self.start = self.pos;
            return self.lex_comment();
        }
        let token = self.token(TokenKind::LeftDelim);
        self.inside_action = true;
        self.paren_depth = 0;
        self.pos += marker;
        self.start = self.pos;
        Some(token)
    }

    fn lex_comment(&mut self) -> Option<Token> {
        self.pos += LEFT_COMMENT.len();
        let Some(length) = self.rest().find(RIGHT_COMMENT) else {
            return Some(self.error("unclosed comment"));
        };
        self.pos += length + RIGHT_COMMENT.len();
        let Some(trims) = self.at_right_delim() else {
            return Some(self.error("comment ends before closing delimiter"));
        };
        self.skip_right_delim(trims);
        self.start = self.pos;
        None
    }

    /// Whether a right delimiter comes next, and whether it trims.
    fn at_right_delim(&self) -> Option<bool> {
        let rest = self.rest();
        if rest.starts_with(RIGHT_DELIM) {
            return Some(false);
        }
        let bytes = rest.as_bytes();
        let trims = matches!(bytes, [b' ' | b'\t' | b'\r' | b'\n', b'-', ..])
            && rest.get(TRIM_MARKER_BYTES..).is_some_and(|rest| rest.starts_with(RIGHT_DELIM));
        trims.then_some(true)
    }

    fn skip_right_delim(&mut self, trims: bool) {
        self.pos += RIGHT_DELIM.len() + if trims { TRIM_MARKER_BYTES } else { 0 };
        if trims {
            self.accept_run(|c| SPACES.contains(&c));
        }
    }

    fn lex_inside_action(&mut self) -> Token {
        if let Some(trims) = self.at_right_delim() {
            if self.paren_depth > 0 {
                return self.error("unclosed left paren");
            }
            if trims {
                self.pos += TRIM_MARKER_BYTES;
                self.start = self.pos;
            }
            self.pos += RIGHT_DELIM.len();
            let token = self.token(TokenKind::RightDelim);
            if trims {
                self.accept_run(|c| SPACES.contains(&c));
                self.start = self.pos;
            }
            self.inside_action = false;
            return token;
        }
        let Some(c) = self.bump() else { return self.error("unclosed action") };
        match c {
            ' ' | '\t' | '\r' | '\n' => self.lex_space(),
            '=' => self.token(TokenKind::Assign),
            ':' => match self.bump() {
                Some('=') => self.token(TokenKind::Declare),
                _ => self.error("expected :="),
            },
            '|' => self.token(TokenKind::Pipe),
            '"' => self.lex_quoted('"', TokenKind::String, "unterminated quoted string"),
            '\'' => {
                self.lex_quoted('\'', TokenKind::CharConstant, "unterminated character constant")
            }
            '`' => self.lex_raw(),
            '$' => self.lex_name(TokenKind::Variable, TokenKind::Variable),
            '.' if !self.peek().is_none_or(|c| c.is_ascii_digit()) => {
                self.lex_name(TokenKind::Field, TokenKind::Dot)
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.pos -= 1;
                self.lex_number()
            }
            c if is_alphanumeric(c) => self.lex_identifier(),
            '(' => {
                self.paren_depth += 1;
                self.token(TokenKind::LeftParen)
            }
            ')' if self.paren_depth == 0 => self.error("unexpected right paren"),
            ')' => {
                self.paren_depth -= 1;
                self.token(TokenKind::RightParen)
            }
            c if c.is_ascii_graphic() => self.token(TokenKind::Char),
            c => self.error(format!("unrecognized character in action: {}", describe(Some(c)))),
        }
    }

    fn lex_space(&mut self) -> Token {
        self.accept_run(|c| SPACES.contains(&c));
        // The last space may belong to ` -}}`.
        self.pos -= 1;
        let trims = self.at_right_delim() == Some(true);
        if !trims {
            self.pos += 1;
        } else if self.pos == self.start {
            return self.lex_inside_action();
        }
        self.token(TokenKind::Space)
    }

    /// The rest of a quoted constant with backslashes.
    fn lex_quoted(&mut self, end: char, kind: TokenKind, unterminated: &str) -> Token {
        loop {
            match self.bump() {
                Some('\\') if !matches!(self.bump(), None | Some('\n')) => {}
                None | Some('\n' | '\\') => return self.error(unterminated),
                Some(c) if c == end => return self.token(kind),
                Some(_) => {}
            }
        }
    }

    fn lex_raw(&mut self) -> Token {
        match self.rest().find('`') {
            Some(length) => {
                self.pos += length + 1;
                self.token(TokenKind::RawString)
            }
            None => self.error("unterminated raw quoted string"),
        }
    }

    /// A field or variable, or, with nothing behind the first character, `bare`.
    fn lex_name(&mut self, kind: TokenKind, bare: TokenKind) -> Token {
        if self.at_terminator() {
            return self.token(bare);
        }
        self.accept_run(is_alphanumeric);
        if !self.at_terminator() {
            return self.bad_character();
        }
        self.token(kind)
    }

    fn lex_identifier(&mut self) -> Token {
        self.accept_run(is_alphanumeric);
        if !self.at_terminator() {
            return self.bad_character();
        }
        let word = self.input.get(self.start..self.pos).unwrap_or_default();
        let kind = match word {
            "true" | "false" => TokenKind::Bool,
            "break" if self.break_is_name => TokenKind::Identifier,
            "continue" if self.continue_is_name => TokenKind::Identifier,
            _ => keyword(word).map_or(TokenKind::Identifier, TokenKind::Keyword),
        };
        self.token(kind)
    }

    fn bad_character(&mut self) -> Token {
        let c = self.peek();
        self.error(format!("bad character {}", describe(c)))
    }

    /// Whether the next character may follow a name.
    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(_) => self.rest().starts_with(RIGHT_DELIM),
        }
    }

    fn lex_number(&mut self) -> Token {
        let bad = |lexer: &mut Lexer<'_>| {
            let text = lexer.input.get(lexer.start..lexer.pos).unwrap_or_default();
            lexer.error(format!("bad number syntax: {}", quote(text)))
        };
        if !self.scan_number() {
            return bad(self);
        }
        if !matches!(self.peek(), Some('+' | '-')) {
            return self.token(TokenKind::Number);
        }
        let complete = self.scan_number();
        let ends = self.input.get(..self.pos).is_some_and(|text| text.ends_with('i'));
        if complete && ends { self.token(TokenKind::Complex) } else { bad(self) }
    }

    /// Something that may be a number; the parser looks closer.
    fn scan_number(&mut self) -> bool {
        self.accept(|c| matches!(c, '+' | '-'));
        let mut radix = 10;
        if self.accept(|c| c == '0') {
            if self.accept(|c| matches!(c, 'x' | 'X')) {
                radix = 16;
            } else if self.accept(|c| matches!(c, 'o' | 'O')) {
                radix = 8;
            } else if self.accept(|c| matches!(c, 'b' | 'B')) {
                radix = 2;
            }
        }
        self.accept_run(|c| c == '_' || c.is_digit(radix));
        if self.accept(|c| c == '.') {
            self.accept_run(|c| c == '_' || c.is_digit(radix));
        }
        let exponents = match radix {
            10 => ['e', 'E'],
            16 => ['p', 'P'],
            _ => ['\0', '\0'],
        };
        if self.accept(|c| c != '\0' && exponents.contains(&c)) {
            self.accept(|c| matches!(c, '+' | '-'));
            self.accept_run(|c| c == '_' || c.is_ascii_digit());
        }
        self.accept(|c| c == 'i');
        !self.accept(is_alphanumeric)
    }
}

fn keyword(word: &str) -> Option<Keyword> {
    Some(match word {
        "block" => Keyword::Block,
        "break" => Keyword::Break,
        "continue" => Keyword::Continue,
        "define" => Keyword::Define,
        "else" => Keyword::Else,
        "end" => Keyword::End,
        "if" => Keyword::If,
        "nil" => Keyword::Nil,
        "range" => Keyword::Range,
        "template" => Keyword::Template,
        "with" => Keyword::With,
        _ => return None,
    })
}

fn has_left_trim_marker(text: &str) -> bool {
    matches!(text.as_bytes(), [b'-', b' ' | b'\t' | b'\r' | b'\n', ..])
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Go's `%#U`: `U+0041 'A'`; the end of input is -1.
fn describe(c: Option<char>) -> String {
    match c {
        None => "U+FFFFFFFFFFFFFFFF".to_owned(),
        Some(c) if is_print(c) => format!("U+{:04X} '{c}'", c as u32),
        Some(c) => format!("U+{:04X}", c as u32),
    }
}
