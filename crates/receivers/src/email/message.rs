//! The text of a mail: headers, and the parts of its body.

use std::fmt::Write as _;

const WORD_CHARACTERS_MAX: usize = 75 - "=?utf-8?q?".len() - "?=".len();
/// Longer lines are broken; with the `=` at its end a line has 76 characters.
const LINE_CHARACTERS_MAX: usize = 75;

/// A mail with rendered texts.
pub(crate) struct Mail {
    pub(crate) headers: Vec<(String, String)>,
    /// `text/plain` and `text/html`, in that order: the last one is preferred.
    pub(crate) parts: Vec<(&'static str, String)>,
    /// Does not occur in the parts, since it is random.
    pub(crate) boundary: String,
}

impl Mail {
    pub(crate) fn print(&self) -> String {
        let mut out = String::new();
        let mut line = |line: std::fmt::Arguments<'_>| {
            out.write_fmt(line).expect("writing to a string cannot fail");
            out.push_str("\r\n");
        };
        let boundary = &self.boundary;
        for (name, value) in &self.headers {
            line(format_args!("{name}: {}", encode_header(value)));
        }
        line(format_args!("Content-Type: multipart/alternative;  boundary={boundary}"));
        line(format_args!("MIME-Version: 1.0"));
        line(format_args!(""));
        for (kind, text) in &self.parts {
            line(format_args!("--{boundary}"));
            line(format_args!("Content-Transfer-Encoding: quoted-printable"));
            line(format_args!("Content-Type: {kind}; charset=UTF-8"));
            line(format_args!(""));
            line(format_args!("{}", encode_body(text)));
        }
        line(format_args!("--{boundary}--"));
        out
    }
}

/// A header's value, in encoded words if it is more than printable ASCII. Line feeds are encoded
/// too, so that no label can add a header.
pub(crate) fn encode_header(value: &str) -> String {
    let is_plain = value.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'));
    if is_plain {
        return value.to_owned();
    }
    let mut words = vec![String::new()];
    for c in value.chars() {
        let encoded = match c {
            ' ' => "_".to_owned(),
            '!'..='~' if !"=?_".contains(c) => c.to_string(),
            c => {
                let mut utf8 = [0; 4];
                let bytes = c.encode_utf8(&mut utf8).bytes();
                bytes.map(|byte| format!("={byte:02X}")).collect()
            }
        };
        let word = words.last_mut().expect("there is one from the start");
        if word.len() + encoded.len() > WORD_CHARACTERS_MAX {
            words.push(encoded);
        } else {
            word.push_str(&encoded);
        }
    }
    let words: Vec<String> = words.iter().map(|word| format!("=?utf-8?q?{word}?=")).collect();
    words.join(" ")
}

/// Quoted-printable, with line feeds as mail has them.
pub(crate) fn encode_body(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for (idx, line) in text.split('\n').enumerate() {
        if idx > 0 {
            out.push_str("\r\n");
        }
        let line = line.strip_suffix('\r').unwrap_or(line);
        let mut length = 0;
        for (idx, byte) in line.bytes().enumerate() {
            let is_last = idx + 1 == line.len();
            let is_literal = match byte {
                b'=' => false,
                // At the end of a line blanks get lost on the way.
                b' ' | b'\t' => !is_last,
                byte => matches!(byte, b'!'..=b'~'),
            };
            let width = if is_literal { 1 } else { 3 };
            if length + width > LINE_CHARACTERS_MAX {
                out.push_str("=\r\n");
                length = 0;
            }
            length += width;
            if is_literal {
                out.push(char::from(byte));
            } else {
                write!(out, "={byte:02X}").expect("writing to a string cannot fail");
            }
        }
    }
    out
}
