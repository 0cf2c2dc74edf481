//! Query text to tokens.
//!
//! One lexer serves queries and series descriptions. What a character means depends on where it
//! stands: in braces words are labels, in brackets only durations occur, in a series description
//! spaces count. The first error ends the text.

mod number;
mod series;
mod string;

use crate::{
    ast::{BinaryOp, Span},
    token::{Kind, Token, word_kind},
};

pub(crate) struct Lexer<'a> {
    input: &'a [u8],
    pos: usize,
    /// Where the token that is being read begins.
    start: usize,
    /// What the last token of kind `Error` says.
    error: String,
    state: State,
    paren_depth: i32,
    bracket_open: bool,
    got_colon: bool,
    got_duration: bool,
    /// The quote and the start of a string with a bad escape; upstream goes on behind that.
    unfinished_string: Option<(u8, usize)>,
    /// Whether the text is a series description.
    series: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Statements,
    Braces,
    /// In brackets, before the first number; behind it words and colons are asked about
    /// [`Lexer::bracket_open`].
    Brackets,
    Values,
    Histogram,
    HistogramBuckets,
    Done,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Lexer<'a> {
        Lexer {
            input,
            pos: 0,
            start: 0,
            error: String::new(),
            state: State::Statements,
            paren_depth: 0,
            bracket_open: false,
            got_colon: false,
            got_duration: false,
            unfinished_string: None,
            series: false,
        }
    }

    pub(crate) fn for_series(input: &'a [u8]) -> Lexer<'a> {
        Lexer { series: true, ..Lexer::new(input) }
    }

    /// The message of the error token that came last.
    pub(crate) fn take_error(&mut self) -> String {
        std::mem::take(&mut self.error)
    }

    /// The next token, comments included; `End` again and again after the end.
    pub(crate) fn next(&mut self) -> Token {
        if let Some((quote, start)) = self.unfinished_string.take() {
            self.start = start;
            return self.string(quote);
        }
        self.start = self.pos;
        match self.state {
            State::Done => self.emit(Kind::End),
            State::Statements => self.statement(),
            State::Braces => self.inside_braces(),
            State::Brackets => self.inside_brackets(),
            State::Values => self.value(),
            State::Histogram => self.histogram(),
            State::HistogramBuckets => self.histogram_buckets(),
        }
    }

    /// Whether the next token, comments aside, is a `(`.
    pub(crate) fn is_before_paren(&self) -> bool {
        let rest = self.input.get(self.pos..).unwrap_or_default();
        let next = rest.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        self.state == State::Statements && next == Some(&b'(')
    }

    fn statement(&mut self) -> Token {
        self.skip_spaces();
        let Some(byte) = self.bump() else { return self.end_of_statements() };
        match byte {
            b'#' => self.comment(),
            b',' => self.emit(Kind::Comma),
            b'*' => self.emit(Kind::Op(BinaryOp::Mul)),
            b'/' => self.emit(Kind::Op(BinaryOp::Div)),
            b'%' => self.emit(Kind::Op(BinaryOp::Mod)),
            b'+' => self.emit(Kind::Op(BinaryOp::Add)),
            b'-' => self.emit(Kind::Op(BinaryOp::Sub)),
            b'^' => self.emit(Kind::Op(BinaryOp::Pow)),
            b'@' => self.emit(Kind::At),
            b'=' if self.eat(b'=') => self.emit(Kind::Op(BinaryOp::Equal)),
            b'=' if self.peek() == Some(b'~') => self.fail("unexpected character after '=': '~'"),
            b'=' => self.emit(Kind::Assign),
            b'!' if self.eat(b'=') => self.emit(Kind::Op(BinaryOp::NotEqual)),
            b'!' => {
                let next = self.bump_char();
                self.fail(format!("unexpected character after '!': {}", quoted(next)))
            }
            b'<' if self.eat(b'=') => self.emit(Kind::Op(BinaryOp::LessOrEqual)),
            b'<' if self.eat(b'/') => self.emit(Kind::Op(BinaryOp::TrimUpper)),
            b'<' => self.emit(Kind::Op(BinaryOp::Less)),
            b'>' if self.eat(b'=') => self.emit(Kind::Op(BinaryOp::GreaterOrEqual)),
            b'>' if self.eat(b'/') => self.emit(Kind::Op(BinaryOp::TrimLower)),
            b'>' => self.emit(Kind::Op(BinaryOp::Greater)),
            b'.' if !self.peek().is_some_and(|next| next.is_ascii_digit()) => {
                self.fail("unexpected character: '.'")
            }
            b'0'..=b'9' | b'.' => self.number_or_duration(),
            b'"' | b'\'' | b'`' => self.string(byte),
            b':' if self.bracket_open && self.got_colon => self.fail("unexpected colon ':'"),
            b':' if self.bracket_open => {
                self.got_colon = true;
                self.emit(Kind::Colon)
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' if self.bracket_open => {
                let first = quoted(char::from(byte));
                self.duration_word(format!("unexpected character: {first}, expected ':'"))
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b':' => self.word(),
            b'(' => {
                self.paren_depth += 1;
                self.emit(Kind::LeftParen)
            }
            b')' => self.right_paren(),
            b'{' => {
                self.state = State::Braces;
                self.emit(Kind::LeftBrace)
            }
            b'[' if self.bracket_open => self.fail("unexpected left bracket '['"),
            b'[' => {
                self.state = State::Brackets;
                self.bracket_open = true;
                (self.got_colon, self.got_duration) = (false, false);
                self.emit(Kind::LeftBracket)
            }
            b']' if self.bracket_open => self.right_bracket(),
            b']' => self.fail("unexpected right bracket ']'"),
            _ => self.unexpected("unexpected character"),
        }
    }

    fn end_of_statements(&mut self) -> Token {
        if self.paren_depth > 0 {
            return self.fail("unclosed left parenthesis");
        }
        if self.bracket_open {
            return self.fail("unclosed left bracket");
        }
        self.emit(Kind::End)
    }

    fn right_paren(&mut self) -> Token {
        self.paren_depth -= 1;
        if self.paren_depth < 0 {
            // Upstream has gone past the parenthesis before it notices.
            self.start = self.pos;
            return self.fail("unexpected right parenthesis ')'");
        }
        self.emit(Kind::RightParen)
    }

    fn word(&mut self) -> Token {
        self.skip_while(|byte| is_word_byte(byte) || byte == b':');
        let kind = word_kind(self.input.get(self.start..self.pos).unwrap_or_default());
        if self.series && self.state == State::Statements && self.peek() != Some(b'{') {
            self.state = State::Values;
        }
        self.emit(kind)
    }

    fn inside_braces(&mut self) -> Token {
        self.skip_spaces();
        let Some(byte) = self.bump() else {
            return self.fail("unexpected end of input inside braces");
        };
        match byte {
            b'#' => self.comment(),
            b',' => self.emit(Kind::Comma),
            b'"' | b'\'' | b'`' => self.string(byte),
            b'=' if self.eat(b'~') => self.emit(Kind::EqualRegex),
            b'=' => self.emit(Kind::Assign),
            b'!' if self.eat(b'~') => self.emit(Kind::NotEqualRegex),
            b'!' if self.eat(b'=') => self.emit(Kind::Op(BinaryOp::NotEqual)),
            b'!' => {
                let next = self.bump_char();
                self.fail(format!("unexpected character after '!' inside braces: {}", quoted(next)))
            }
            b'{' => self.fail("unexpected left brace '{'"),
            b'}' => {
                self.state = if self.series { State::Values } else { State::Statements };
                self.emit(Kind::RightBrace)
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                self.skip_while(is_word_byte);
                self.emit(Kind::Identifier)
            }
            _ => self.unexpected("unexpected character inside braces"),
        }
    }

    fn inside_brackets(&mut self) -> Token {
        self.skip_spaces();
        let Some(byte) = self.bump() else {
            return self.fail("unexpected end of input in duration expression");
        };
        match byte {
            b']' => self.right_bracket(),
            b':' => self.colon(),
            b'(' => {
                self.paren_depth += 1;
                self.emit(Kind::LeftParen)
            }
            b')' => self.right_paren(),
            b',' => self.emit(Kind::Comma),
            b'+' => self.emit(Kind::Op(BinaryOp::Add)),
            b'-' => self.emit(Kind::Op(BinaryOp::Sub)),
            b'*' => self.emit(Kind::Op(BinaryOp::Mul)),
            b'/' => self.emit(Kind::Op(BinaryOp::Div)),
            b'%' => self.emit(Kind::Op(BinaryOp::Mod)),
            b'^' => self.emit(Kind::Op(BinaryOp::Pow)),
            b'#' => self.comment(),
            b'0'..=b'9' | b'.' => {
                self.state = State::Statements;
                self.number_or_duration()
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let first = quoted(char::from(byte));
                self.duration_word(format!("unexpected character in duration expression: {first}"))
            }
            _ => self.unexpected("unexpected character in duration expression"),
        }
    }

    fn colon(&mut self) -> Token {
        let problem = if !self.got_duration {
            "unexpected colon before duration in duration expression"
        } else if self.got_colon {
            "unexpected repeated colon in duration expression"
        } else {
            self.got_colon = true;
            return self.emit(Kind::Colon);
        };
        // Upstream has gone past the colon before it notices.
        self.start = self.pos;
        self.fail(problem)
    }

    fn right_bracket(&mut self) -> Token {
        self.state = State::Statements;
        self.bracket_open = false;
        self.emit(Kind::RightBracket)
    }

    /// `step`, `range`, `min_of` or `max_of`, the words that may stand in brackets; others are
    /// the `problem`.
    fn duration_word(&mut self, problem: String) -> Token {
        use crate::token::Keyword::{MaxOf, MinOf, Range, Step};
        self.skip_while(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        match word_kind(self.input.get(self.start..self.pos).unwrap_or_default()) {
            kind @ Kind::Keyword(Step | Range | MinOf | MaxOf) => {
                self.got_duration = true;
                self.emit(kind)
            }
            _ => self.fail(problem),
        }
    }

    fn comment(&mut self) -> Token {
        self.skip_while(|byte| !matches!(byte, b'\n' | b'\r'));
        self.emit(Kind::Comment)
    }

    fn number_or_duration(&mut self) -> Token {
        self.pos = self.start;
        if self.scan_number() {
            return self.emit(Kind::Number);
        }
        if self.scan_rest_of_duration() {
            return self.emit(Kind::Duration);
        }
        let text = self.text_so_far();
        self.fail(format!("bad number or duration syntax: {text}"))
    }

    /// The text of the token so far, quoted.
    fn text_so_far(&self) -> String {
        model::labels::quote_bytes(self.input.get(self.start..self.pos).unwrap_or_default())
    }

    fn unexpected(&mut self, what: &str) -> Token {
        self.pos = self.start;
        let found = self.bump_char();
        self.fail(format!("{what}: {}", quoted(found)))
    }

    fn emit(&mut self, kind: Kind) -> Token {
        Token { kind, span: Span { start: self.start, end: self.pos } }
    }

    /// An error; as upstream has it, it covers all of the rest.
    fn fail(&mut self, message: impl Into<String>) -> Token {
        self.error = message.into();
        self.state = State::Done;
        let span = Span { start: self.start, end: self.input.len() };
        self.pos = self.input.len();
        Token { kind: Kind::Error, span }
    }

    fn skip_spaces(&mut self) {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        self.start = self.pos;
    }

    fn skip_while(&mut self, accept: impl Fn(u8) -> bool) {
        let rest = self.input.get(self.pos..).unwrap_or_default();
        self.pos += rest.iter().take_while(|byte| accept(**byte)).count();
    }

    fn peek(&self) -> Option<u8> {
        self.input.get(self.pos).copied()
    }

    fn bump(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.pos += 1;
        Some(byte)
    }

    fn eat(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.pos += usize::from(found);
        found
    }

    /// The next character; U+FFFD for bytes that are none and at the end.
    fn bump_char(&mut self) -> char {
        let rest = self.input.get(self.pos..).unwrap_or_default();
        let head = rest.get(..4).unwrap_or(rest);
        let valid = head.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
        self.pos += valid.map_or(usize::from(!rest.is_empty()), char::len_utf8);
        valid.unwrap_or('\u{fffd}')
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// A character as Go's `%q` prints it.
fn quoted(character: char) -> String {
    if matches!(character, '\'' | '"') {
        return if character == '"' { "'\"'".to_owned() } else { "'\\''".to_owned() };
    }
    let text = model::labels::quote(character.encode_utf8(&mut [0; 4]));
    format!("'{}'", text.trim_matches('"'))
}
