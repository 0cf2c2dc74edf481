//! Go's quoted texts, there and back.

use std::fmt::Write as _;

/// `text` in double quotes, as `%q` and Go's `strconv.Quote` write it.
pub fn quote(text: &str) -> String {
    quote_with(text, '"', false)
}

/// The same with everything beyond ASCII escaped, as `%+q`.
pub fn quote_ascii(text: &str) -> String {
    quote_with(text, '"', true)
}

/// `c` in single quotes, as `%q` of a number; ASCII only if `ascii`.
pub fn quote_char(c: char, ascii: bool) -> String {
    quote_with(c.encode_utf8(&mut [0; 4]), '\'', ascii)
}

/// Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space.
pub fn is_print(c: char) -> bool {
    // Rust's tables know what is printable; a letter before it keeps a mark from being escaped.
    let mut text = [0; 5];
    text[0] = b'a';
    let length = 1 + c.encode_utf8(&mut text[1..]).len();
    let text = std::str::from_utf8(&text[..length]).unwrap_or_default();
    !text.escape_debug().to_string().contains("\\u") && !c.is_control()
}

fn quote_with(text: &str, mark: char, ascii: bool) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(mark);
    for c in text.chars() {
        let escaped = match c {
            '\x07' => "\\a",
            '\x08' => "\\b",
            '\x0c' => "\\f",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\x0b' => "\\v",
            '\\' => "\\\\",
            _ => "",
        };
        if !escaped.is_empty() {
            out.push_str(escaped);
        } else if c == mark {
            out.push('\\');
            out.push(c);
        } else if is_print(c) && (c.is_ascii() || !ascii) {
            out.push(c);
        } else {
            push_escape(c, &mut out);
        }
    }
    out.push(mark);
    out
}

fn push_escape(c: char, out: &mut String) {
    let written = match c as u32 {
        code @ (0..0x20 | 0x7f) => write!(out, "\\x{code:02x}"),
        code @ 0..0x1_0000 => write!(out, "\\u{code:04x}"),
        code => write!(out, "\\U{code:08x}"),
    };
    written.expect("writing to a string cannot fail");
}

/// The text within a Go literal in double quotes or back quotes; `None` if it is none.
pub fn unquote(literal: &str) -> Option<String> {
    let bytes = unquote_bytes(literal)?;
    Some(String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into()))
}

/// [`unquote`] for whoever wants to know whether escapes have made something that is no UTF-8.
pub fn unquote_bytes(literal: &str) -> Option<Vec<u8>> {
    if let Some(raw) = literal.strip_prefix('`') {
        return Some(raw.strip_suffix('`')?.replace('\r', "").into_bytes());
    }
    let mut rest = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let unit;
        (unit, rest) = next_unit(rest, '"')?;
        match unit {
            Unit::Char(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Unit::Byte(byte) => bytes.push(byte),
        }
    }
    Some(bytes)
}

/// The number of a Go literal in single quotes; `None` if it is none.
pub fn unquote_char(literal: &str) -> Option<u32> {
    let rest = literal.strip_prefix('\'')?.strip_suffix('\'')?;
    let (unit, rest) = next_unit(rest, '\'')?;
    let number = match unit {
        Unit::Char(c) => c as u32,
        Unit::Byte(byte) => byte.into(),
    };
    rest.is_empty().then_some(number)
}

enum Unit {
    Char(char),
    Byte(u8),
}

/// One character or escape off the front of `text`, and the rest.
fn next_unit(text: &str, mark: char) -> Option<(Unit, &str)> {
    let mut chars = text.chars();
    let first = chars.next()?;
    if first == mark || first == '\n' {
        return None;
    }
    if first != '\\' {
        return Some((Unit::Char(first), chars.as_str()));
    }
    let c = match chars.next()? {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        '\\' => '\\',
        quoted @ ('\'' | '"') if quoted == mark => quoted,
        kind @ ('x' | 'u' | 'U') => return hex_escape(kind, chars.as_str()),
        '0'..='7' => return octal_escape(text.strip_prefix('\\')?),
        _ => return None,
    };
    Some((Unit::Char(c), chars.as_str()))
}

fn hex_escape(kind: char, text: &str) -> Option<(Unit, &str)> {
    let digits = match kind {
        'x' => 2,
        'u' => 4,
        _ => 8,
    };
    let (digits, rest) = text.split_at_checked(digits)?;
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let code = u32::from_str_radix(digits, 16).ok()?;
    let unit = if kind == 'x' { Unit::Byte(code as u8) } else { Unit::Char(char::from_u32(code)?) };
    Some((unit, rest))
}

fn octal_escape(text: &str) -> Option<(Unit, &str)> {
    let (digits, rest) = text.split_at_checked(3)?;
    let code = u32::from_str_radix(digits, 8).ok()?;
    Some((Unit::Byte(u8::try_from(code).ok()?), rest))
}
