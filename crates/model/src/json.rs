//! Texts in JSON as upstream's two encoders write them, byte for byte.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

/// Which characters are escaped, and how. Any JSON reader takes all three; clients compare bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// As Go's `encoding/json`: also what means something in HTML.
    Standard,
    /// As json-iterator, with which the server answers: the same, but for `\b` and `\f`.
    Iterator,
    /// As json-iterator writes labels: without regard to HTML.
    Label,
}

/// Appends `text` in quotes.
///
/// Copies runs of harmless bytes at once: nearly all of an answer is such text.
pub fn write_text(text: &str, escape: Escape, out: &mut String) {
    let is_special = match escape {
        Escape::Standard | Escape::Iterator => &SPECIAL_IN_HTML,
        Escape::Label => &SPECIAL,
    };
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| is_special[usize::from(byte)]) {
        let (harmless, special) = rest.split_at(at);
        out.push_str(harmless);
        let mut chars = special.chars();
        let Some(c) = chars.next() else { break };
        write_escaped(c, escape, out);
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

fn write_escaped(c: char, escape: Escape, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\x08' if escape == Escape::Standard => out.push_str("\\b"),
        '\x0c' if escape == Escape::Standard => out.push_str("\\f"),
        '\0'..' ' | '\u{2028}' | '\u{2029}' | '<' | '>' | '&' => {
            write!(out, "\\u{:04x}", c as u32).expect("writing to a string cannot fail");
        }
        c => out.push(c),
    }
}

/// The first bytes of characters that are escaped everywhere. 0xe2 begins U+2028 and U+2029, which
/// JavaScript takes for line breaks.
const SPECIAL: [bool; 256] = special(b"\"\\\xe2");
/// The same with what means something in HTML.
const SPECIAL_IN_HTML: [bool; 256] = special(b"\"\\\xe2<>&");

const fn special(bytes: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut control = 0;
    while control < 0x20 {
        table[control] = true;
        control += 1;
    }
    let mut idx = 0;
    while idx < bytes.len() {
        table[bytes[idx] as usize] = true;
        idx += 1;
    }
    table
}
