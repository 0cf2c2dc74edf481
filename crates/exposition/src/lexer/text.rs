use super::{Lexer, State, Token, is_name};

/// Blanks between tokens mean nothing in this format.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

impl Lexer<'_> {
    pub(super) fn next_text(&mut self) -> Token {
        if self.state == State::MetaText {
            return self.meta_text();
        }
        self.take_while(is_blank);
        let Some(first) = self.peek() else { return Token::Eof };
        self.start = self.at;
        match self.state {
            State::Init => self.line_start(first),
            State::MetaName => match first {
                b'"' if self.take_quoted(is_in_name) => {
                    self.then(Token::MetricName, State::MetaText)
                }
                b'"' => Token::Invalid,
                _ if self.take_name(true) => self.then(Token::MetricName, State::MetaText),
                _ => Token::Invalid,
            },
            State::Labels => match first {
                b'}' => self.single(Token::BraceClose, State::Value),
                b'=' => self.single(Token::Equal, State::LabelValue),
                b',' => self.single(Token::Comma, State::Labels),
                b'"' if self.take_quoted(is_in_name) => Token::QuotedString,
                b'"' => Token::Invalid,
                _ if self.take_name(false) => Token::LabelName,
                _ => Token::Invalid,
            },
            // Values may hold raw line breaks, as they always could.
            State::LabelValue => match first {
                b'"' if self.take_quoted(|_| true) => self.then(Token::LabelValue, State::Labels),
                _ => Token::Invalid,
            },
            State::Value if first == b'{' => self.single(Token::BraceOpen, State::Labels),
            State::Value if is_in_value(first) => {
                self.take_while(is_in_value);
                self.then(Token::Value, State::Timestamp)
            }
            State::Timestamp if first.is_ascii_digit() => {
                self.take_while(|byte| byte.is_ascii_digit());
                Token::Timestamp
            }
            State::Timestamp if first == b'\n' => self.single(Token::Linebreak, State::Init),
            _ => Token::Invalid,
        }
    }

    fn then(&mut self, token: Token, state: State) -> Token {
        self.state = state;
        token
    }

    fn line_start(&mut self, first: u8) -> Token {
        match first {
            b'\n' => self.single(Token::Linebreak, State::Init),
            // Where upstream's lexer ends, so do we.
            0 => Token::Eof,
            b'#' => self.hash(),
            b'{' => self.single(Token::BraceOpen, State::Labels),
            _ if is_name(first, true, true) => {
                self.take_name(true);
                self.then(Token::MetricName, State::Value)
            }
            _ => Token::Invalid,
        }
    }

    /// `# HELP `, `# TYPE `, or a comment with all its line.
    fn hash(&mut self) -> Token {
        self.at += 1;
        let has_blank = self.peek().is_some_and(is_blank);
        self.take_while(is_blank);
        if has_blank {
            for (word, token) in [(b"HELP", Token::Help), (b"TYPE", Token::Type)] {
                let end = self.at + word.len();
                if self.slice(self.at, end) == word && self.byte(end).is_some_and(is_blank) {
                    self.at = end;
                    self.take_while(is_blank);
                    return self.then(token, State::MetaName);
                }
            }
        }
        self.take_line();
        Token::Comment
    }

    /// The rest of the line; nothing if there are but blanks.
    fn meta_text(&mut self) -> Token {
        self.start = self.at;
        self.take_line();
        if self.token().iter().all(|byte| is_blank(*byte)) {
            self.start = self.at;
        }
        self.then(Token::Text, State::Init)
    }
}

fn is_in_name(byte: u8) -> bool {
    !matches!(byte, 0 | b'\n')
}

fn is_in_value(byte: u8) -> bool {
    !matches!(byte, b'{' | b' ' | b'\t' | b'\n' | 0)
}
