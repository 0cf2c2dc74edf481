use super::{Lexer, State, Token, is_name};

impl Lexer<'_> {
    pub(super) fn next_openmetrics(&mut self) -> Token {
        let Some(first) = self.peek() else { return Token::Eof };
        self.start = self.at;
        match self.state {
            State::Init => self.om_line_start(first),
            State::MetaName => match first {
                b'"' if self.take_quoted(is_in_name) => {
                    self.om_then(Token::MetricName, State::MetaText)
                }
                _ if first != b'"' && self.take_name(true) => {
                    self.om_then(Token::MetricName, State::MetaText)
                }
                _ => Token::Invalid,
            },
            State::MetaText => self.om_meta_text(first),
            State::Labels => self.om_label(first, State::Value, State::LabelValue),
            State::Exemplar => self.om_label(first, State::ExemplarValue, State::ExemplarValue),
            State::LabelValue if first == b'"' => {
                self.om_label_value(State::Labels, |byte| byte != b'\n')
            }
            State::ExemplarValue if first == b'"' => {
                self.om_label_value(State::Exemplar, is_in_name)
            }
            State::Value if first == b'{' => self.single(Token::BraceOpen, State::Labels),
            State::Value => self.om_number(first, Token::Value, State::Timestamp),
            State::ExemplarValue => self.om_number(first, Token::Value, State::ExemplarTimestamp),
            State::Timestamp | State::ExemplarTimestamp if first == b'\n' => {
                self.single(Token::Linebreak, State::Init)
            }
            State::Timestamp if self.slice(self.at, self.at + 3) == b" # " => {
                self.at += 3;
                match self.peek() {
                    Some(b'{') => self.single(Token::Comment, State::Exemplar),
                    _ => Token::Invalid,
                }
            }
            State::Timestamp | State::ExemplarTimestamp => {
                self.om_number(first, Token::Timestamp, self.state)
            }
            State::LabelValue => Token::Invalid,
        }
    }

    fn om_then(&mut self, token: Token, state: State) -> Token {
        self.state = state;
        token
    }

    fn om_line_start(&mut self, first: u8) -> Token {
        match first {
            b'#' => self.om_hash(),
            b'{' => self.single(Token::BraceOpen, State::Labels),
            _ if is_name(first, true, true) => {
                self.take_name(true);
                self.om_then(Token::MetricName, State::Value)
            }
            _ => Token::Invalid,
        }
    }

    /// `# HELP `, `# TYPE `, `# UNIT ` or `# EOF`: there are no comments in this format.
    fn om_hash(&mut self) -> Token {
        self.at += 1;
        if self.peek() != Some(b' ') {
            return Token::Invalid;
        }
        self.at += 1;
        let words = [
            (&b"HELP "[..], Token::Help),
            (b"TYPE ", Token::Type),
            (b"UNIT ", Token::Unit),
            (b"EOF", Token::EofWord),
        ];
        let rest = self.slice(self.at, self.at + 5);
        // The words differ in their first letters, so at most one has a common beginning with `rest`.
        for (word, token) in words {
            let n_same = word.iter().zip(rest).take_while(|(a, b)| a == b).count();
            if n_same == 0 {
                continue;
            }
            self.at += n_same;
            if n_same < word.len() {
                return Token::Invalid;
            }
            if token != Token::EofWord {
                return self.om_then(token, State::MetaName);
            }
            if self.peek() == Some(b'\n') {
                self.at += 1;
            }
            return token;
        }
        Token::Invalid
    }

    /// A blank and the rest of the line with its end.
    fn om_meta_text(&mut self, first: u8) -> Token {
        if first != b' ' {
            return Token::Invalid;
        }
        self.take_line();
        match self.peek() {
            Some(_) => self.single(Token::Text, State::Init),
            None => Token::Invalid,
        }
    }

    fn om_label(&mut self, first: u8, after: State, value: State) -> Token {
        match first {
            b'}' => self.single(Token::BraceClose, after),
            b'=' => self.single(Token::Equal, value),
            b',' => self.single(Token::Comma, self.state),
            b'"' if self.take_quoted(is_in_name) => Token::QuotedString,
            b'"' => Token::Invalid,
            _ if self.take_name(false) => Token::LabelName,
            _ => Token::Invalid,
        }
    }

    fn om_label_value(&mut self, after: State, allows: impl Fn(u8) -> bool) -> Token {
        if !self.take_quoted(allows) {
            return Token::Invalid;
        }
        self.om_then(Token::LabelValue, after)
    }

    /// One blank, then anything up to the next one.
    fn om_number(&mut self, first: u8, token: Token, after: State) -> Token {
        if first != b' ' {
            return Token::Invalid;
        }
        self.at += 1;
        let begin = self.at;
        self.take_while(|byte| !matches!(byte, b' ' | b'\n' | 0));
        if self.at == begin {
            return Token::Invalid;
        }
        self.om_then(token, after)
    }
}

fn is_in_name(byte: u8) -> bool {
    !matches!(byte, 0 | b'\n')
}
