//! Strings: where they end, and whether their escapes are right.

use super::Lexer;
use crate::token::{Kind, Token};

impl Lexer<'_> {
    /// Reads on to the closing `quote`.
    pub(super) fn string(&mut self, quote: u8) -> Token {
        let is_raw = quote == b'`';
        loop {
            let Some(byte) = self.peek() else { return self.unterminated(is_raw) };
            match byte {
                b'\n' if !is_raw => return self.unterminated(is_raw),
                b'\\' if !is_raw => {
                    self.pos += 1;
                    if let Err(problem) = self.escape(quote) {
                        return self.bad_string(quote, problem);
                    }
                }
                byte if byte == quote => {
                    self.pos += 1;
                    return self.emit(Kind::String);
                }
                0..0x80 => self.pos += 1,
                // Upstream takes U+FFFD, well written, for a broken character, too.
                _ if self.bump_char() == '\u{fffd}' => {
                    return self.bad_string(quote, "invalid UTF-8 rune".to_owned());
                }
                _ => {}
            }
        }
    }

    fn unterminated(&mut self, is_raw: bool) -> Token {
        match is_raw {
            true => self.fail("unterminated raw string"),
            false => self.fail("unterminated quoted string"),
        }
    }

    fn bad_string(&mut self, quote: u8, problem: String) -> Token {
        let (state, pos) = (self.state, self.pos);
        let token = self.fail(problem);
        if pos < self.input.len() {
            (self.state, self.pos) = (state, pos);
            self.unfinished_string = Some((quote, self.start));
        }
        token
    }

    /// Checks what follows a backslash.
    fn escape(&mut self, quote: u8) -> Result<(), String> {
        let not_terminated = || "escape sequence not terminated".to_owned();
        let kind = self.peek().ok_or_else(not_terminated)?;
        let (digits, base) = match kind {
            b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'\\' => {
                self.pos += 1;
                return Ok(());
            }
            kind if kind == quote => {
                self.pos += 1;
                return Ok(());
            }
            b'0'..=b'7' => (3, 8),
            b'x' => (2, 16),
            b'u' => (4, 16),
            b'U' => (8, 16),
            _ => {
                let found = self.bump_char();
                return Err(format!("unknown escape sequence {}", with_code_point(found)));
            }
        };
        if base == 16 {
            self.pos += 1;
        }
        let mut value: u32 = 0;
        for _ in 0..digits {
            self.peek().ok_or_else(not_terminated)?;
            let found = self.bump_char();
            let digit = found.to_digit(base).ok_or_else(|| {
                format!("illegal character {} in escape sequence", with_code_point(found))
            })?;
            value = value.wrapping_mul(base).wrapping_add(digit);
        }
        let is_valid = if digits < 4 { value <= 255 } else { char::from_u32(value).is_some() };
        match is_valid {
            true => Ok(()),
            false => Err("escape sequence is an invalid Unicode code point".to_owned()),
        }
    }
}

/// A character as Go's `%#U` prints it.
fn with_code_point(character: char) -> String {
    format!("U+{:04X} '{character}'", u32::from(character))
}
