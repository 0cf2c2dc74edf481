//! The part of a series description behind the metric: values and histograms.

use super::{Lexer, State, is_word_byte};
use crate::{
    ast::BinaryOp,
    token::{Descriptor, Kind, Token, word_kind},
};

const RESET_HINTS: [&str; 4] = ["gauge", "reset", "not_reset", "unknown"];

impl Lexer<'_> {
    pub(super) fn value(&mut self) -> Token {
        let Some(byte) = self.bump() else { return self.end_of_statements() };
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => self.space(),
            b'{' if self.eat(b'{') => {
                self.state = State::Histogram;
                self.emit(Kind::OpenHistogram)
            }
            b'+' => self.emit(Kind::Op(BinaryOp::Add)),
            b'-' => self.emit(Kind::Op(BinaryOp::Sub)),
            b'x' => self.emit(Kind::Times),
            b'_' => self.emit(Kind::Blank),
            b'.' if self.peek().is_some_and(|next| next.is_ascii_digit()) => self.plain_number(),
            b'0'..=b'9' => self.plain_number(),
            b'a'..=b'z' | b'A'..=b'Z' => self.word(),
            _ => self.unexpected("unexpected character in series sequence"),
        }
    }

    pub(super) fn histogram(&mut self) -> Token {
        let Some(byte) = self.bump() else {
            return self.unexpected("histogram description incomplete unexpected");
        };
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => self.space(),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.descriptor(),
            b':' => self.emit(Kind::Colon),
            b'-' => self.emit(Kind::Op(BinaryOp::Sub)),
            b'0'..=b'9' => self.plain_number(),
            b'[' => {
                self.state = State::HistogramBuckets;
                self.emit(Kind::LeftBracket)
            }
            b'}' if self.eat(b'}') => {
                self.state = State::Values;
                self.emit(Kind::CloseHistogram)
            }
            _ => self.unexpected("histogram description incomplete unexpected"),
        }
    }

    pub(super) fn histogram_buckets(&mut self) -> Token {
        let Some(byte) = self.bump() else {
            return self.unexpected("invalid character in buckets description");
        };
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => self.space(),
            b'-' => self.emit(Kind::Op(BinaryOp::Sub)),
            b'0'..=b'9' => self.plain_number(),
            b']' => {
                self.state = State::Histogram;
                self.emit(Kind::RightBracket)
            }
            b'a'..=b'z' | b'A'..=b'Z' => {
                self.skip_while(|byte| byte.is_ascii_alphabetic());
                match word_kind(self.input.get(self.start..self.pos).unwrap_or_default()) {
                    Kind::Number => self.emit(Kind::Number),
                    _ => self.unexpected("invalid character in buckets description"),
                }
            }
            _ => self.unexpected("invalid character in buckets description"),
        }
    }

    fn descriptor(&mut self) -> Token {
        self.skip_while(|byte| is_word_byte(byte) && !byte.is_ascii_digit());
        let bytes = self.input.get(self.start..self.pos).unwrap_or_default();
        let word = std::str::from_utf8(bytes).unwrap_or_default();
        if let Some(descriptor) = Descriptor::find(word) {
            return match self.peek() {
                Some(b':') => self.emit(Kind::Descriptor(descriptor)),
                _ => self.fail("missing `:` for histogram descriptor"),
            };
        }
        if word_kind(bytes) == Kind::Number {
            return self.emit(Kind::Number);
        }
        if RESET_HINTS.iter().any(|hint| hint.eq_ignore_ascii_case(word)) {
            return self.emit(Kind::ResetHint);
        }
        let word = self.text_so_far();
        self.fail(format!("bad histogram descriptor found: {word}"))
    }

    fn plain_number(&mut self) -> Token {
        self.pos = self.start;
        if self.scan_number() {
            return self.emit(Kind::Number);
        }
        let text = self.text_so_far();
        self.fail(format!("bad number syntax: {text}"))
    }

    /// A run of spaces is one token of one byte, as upstream has it.
    fn space(&mut self) -> Token {
        let token = self.emit(Kind::Space);
        self.skip_spaces();
        token
    }
}
