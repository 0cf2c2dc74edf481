//! Numbers and durations: how far they go. What they are worth is decided later.

use super::{Lexer, is_word_byte};

impl Lexer<'_> {
    /// Reads a number and says whether it is one; if not, what was read stays read.
    ///
    /// Which broken numbers end where shows in upstream's error texts, so the order of the
    /// questions is upstream's.
    pub(super) fn scan_number(&mut self) -> bool {
        let before = self.pos;
        let is_hex = self.scan_hex_prefix();
        let is_digit =
            |byte: u8| if is_hex { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() };
        self.accept(|byte| byte == b'.');
        self.accept(is_digit);
        let (mut got_dot, mut got_exponent) = (false, false);
        while let Some(byte) = self.peek() {
            match byte {
                b'.' => {
                    self.pos += 1;
                    let repeated = std::mem::replace(&mut got_dot, true);
                    if repeated || self.accept(|next| matches!(next, b'_' | b'.')) || is_hex {
                        return false;
                    }
                }
                b'e' | b'E' => {
                    self.pos += 1;
                    if std::mem::replace(&mut got_exponent, true) {
                        return false;
                    }
                    self.accept(|next| matches!(next, b'+' | b'-'));
                    if self.accept(|next| matches!(next, b'.' | b'_' | b'e' | b'E'))
                        || self.at_end()
                    {
                        return false;
                    }
                }
                b'_' => {
                    self.pos += 1;
                    if self.accept(|next| matches!(next, b'.' | b'_' | b'e' | b'E'))
                        || self.at_end()
                    {
                        return false;
                    }
                }
                digit if is_digit(digit) => self.skip_while(is_digit),
                _ => break,
            }
        }
        let ends_well = match self.peek() {
            Some(b'x') if self.series => true,
            next => !next.is_some_and(is_word_byte),
        };
        self.pos > before && ends_well
    }

    /// `0x`; not in a series description, where `x` means repetition.
    fn scan_hex_prefix(&mut self) -> bool {
        if self.series || !self.accept(|byte| byte == b'0') {
            return false;
        }
        let is_hex = self.accept(|byte| matches!(byte, b'x' | b'X'));
        if is_hex {
            self.accept(|byte| byte == b'_');
        }
        is_hex
    }

    /// Reads on where a number turned out to be none: `5|m30s`.
    pub(super) fn scan_rest_of_duration(&mut self) -> bool {
        if !self.accept(|byte| b"smhdwy".contains(&byte)) {
            return false;
        }
        // For `ms`; units like `hs` are found out when the duration is read.
        self.accept(|byte| byte == b's');
        while self.accept(|byte| byte.is_ascii_digit()) {
            self.skip_while(|byte| byte.is_ascii_digit());
            if !self.accept(|byte| b"smhdw".contains(&byte)) {
                return false;
            }
            self.accept(|byte| byte == b's');
        }
        if self.peek().is_some_and(is_word_byte) {
            // Upstream's error text has this character, too.
            self.pos += 1;
            return false;
        }
        true
    }

    fn accept(&mut self, wanted: impl Fn(u8) -> bool) -> bool {
        let found = self.peek().is_some_and(wanted);
        self.pos += usize::from(found);
        found
    }

    fn at_end(&self) -> bool {
        self.pos >= self.input.len()
    }
}
