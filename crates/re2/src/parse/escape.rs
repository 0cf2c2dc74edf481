use regex_syntax::hir::{Hir, Look};

use super::{Error, Parser, Result, class};

impl<'p> Parser<'p> {
    /// Reads what a backslash begins, outside of a class.
    pub(super) fn escape(&mut self) -> Result<()> {
        let look = match self.rest.as_bytes().get(1) {
            Some(b'A') => Some(Look::Start),
            Some(b'z') => Some(Look::End),
            Some(b'b') => Some(Look::WordAscii),
            Some(b'B') => Some(Look::WordAsciiNegate),
            _ => None,
        };
        if let Some(look) = look {
            self.skip(2);
            self.sequence.push(Hir::look(look));
            return Ok(());
        }
        match self.rest.as_bytes().get(1) {
            Some(b'C') => Err(Error::Escape("\\C".to_owned())),
            Some(b'Q') => {
                self.quoted();
                Ok(())
            }
            _ => match self.class_escape()? {
                Some(class) => {
                    self.push_class(class);
                    Ok(())
                }
                None => {
                    let code_point = self.escaped_char()?;
                    self.push_literal(code_point);
                    Ok(())
                }
            },
        }
    }

    /// `\Q…\E`: all stands for itself, up to the end if there is none.
    fn quoted(&mut self) {
        self.skip(2);
        let (text, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
        self.rest = rest;
        text.chars().for_each(|literal| self.push_literal(u32::from(literal)));
    }

    /// `\d`, `\pL` and their like; nothing, with nothing read, for another escape.
    pub(super) fn class_escape(&mut self) -> Result<Option<regex_syntax::hir::ClassUnicode>> {
        let Some(name) = self.rest.strip_prefix('\\').and_then(|rest| rest.chars().next()) else {
            return Ok(None);
        };
        if matches!(name, 'p' | 'P') {
            return self.unicode_class(name == 'P').map(Some);
        }
        let class = class::perl(name, self.flags.fold_case);
        if class.is_some() {
            self.skip(2);
        }
        Ok(class)
    }

    /// The code point of an escaped character.
    pub(super) fn escaped_char(&mut self) -> Result<u32> {
        let before = self.rest;
        self.skip(1);
        let Some(next) = self.take() else { return Err(Error::TrailingBackslash) };
        let code_point = match next {
            '0'..='7' => self.octal(next),
            'x' => self.hexadecimal(),
            'a' => Some(0x07),
            'f' => Some(0x0c),
            'n' => Some(0x0a),
            'r' => Some(0x0d),
            't' => Some(0x09),
            'v' => Some(0x0b),
            next if next.is_ascii() && !next.is_ascii_alphanumeric() => Some(u32::from(next)),
            _ => None,
        };
        code_point.ok_or_else(|| Error::Escape(self.read_since(before).to_owned()))
    }

    /// Up to three octal digits; a single one that is not zero would be a back-reference.
    fn octal(&mut self, first: char) -> Option<u32> {
        let is_octal = |rest: &str| rest.bytes().next().is_some_and(|b| matches!(b, b'0'..=b'7'));
        if first != '0' && !is_octal(self.rest) {
            return None;
        }
        let mut code_point = first.to_digit(8)?;
        for _ in 0..2 {
            if is_octal(self.rest) {
                code_point = code_point * 8 + self.take()?.to_digit(8)?;
            }
        }
        Some(code_point)
    }

    /// Two hexadecimal digits, or any number of them in braces.
    fn hexadecimal(&mut self) -> Option<u32> {
        let first = self.take()?;
        if first != '{' {
            let second = self.take()?;
            return Some(first.to_digit(16)? * 16 + second.to_digit(16)?);
        }
        let (mut code_point, mut n_digits) = (0, 0);
        loop {
            match self.take()? {
                '}' if n_digits > 0 => return Some(code_point),
                digit => code_point = code_point * 16 + digit.to_digit(16)?,
            }
            n_digits += 1;
            if code_point > u32::from(char::MAX) {
                return None;
            }
        }
    }
}
