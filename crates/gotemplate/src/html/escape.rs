use std::fmt::Write as _;

use crate::Value;

/// What stands where a value would be dangerous; Go's words.
const FAILSAFE: &str = "ZgotmplZ";

/// For text and for values of attributes in quotes.
pub(super) fn text(text: &str) -> String {
    replace(text, |c| match c {
        '&' => Some("&amp;"),
        c => of_markup(c),
    })
}

/// For markup that is safe as text, where no tags may be.
pub(super) fn markup(text: &str) -> String {
    replace(&without_tags(text), of_markup)
}

/// For values of attributes without quotes.
pub(super) fn unquoted(text: &str) -> String {
    replace(text, |c| match c {
        '&' => Some("&amp;"),
        '\t' => Some("&#9;"),
        '\n' => Some("&#10;"),
        '\x0b' => Some("&#11;"),
        '\x0c' => Some("&#12;"),
        '\r' => Some("&#13;"),
        ' ' => Some("&#32;"),
        '=' => Some("&#61;"),
        '`' => Some("&#96;"),
        c => of_markup(c),
    })
}

fn of_markup(c: char) -> Option<&'static str> {
    match c {
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&#34;"),
        '\'' => Some("&#39;"),
        '+' => Some("&#43;"),
        '\0' => Some("\u{fffd}"),
        _ => None,
    }
}

fn replace(text: &str, replacement: impl Fn(char) -> Option<&'static str>) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match replacement(c) {
            Some(replacement) => out.push_str(replacement),
            None => out.push(c),
        }
    }
    out
}

fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_tag = false;
    for c in text.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            c if !in_tag => out.push(c),
            _ => {}
        }
    }
    out
}

/// For names of tags and attributes: letters and digits, and no attribute that runs something.
pub(super) fn name(text: &str) -> String {
    let is_harmless = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !text.to_ascii_lowercase().starts_with("on")
        && !text.eq_ignore_ascii_case("style");
    if is_harmless { text.to_ascii_lowercase() } else { FAILSAFE.to_owned() }
}

/// For style sheets: only what can't end a declaration or begin a function.
pub(super) fn css(text: &str) -> String {
    let is_harmless = text.chars().all(|c| {
        c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '#' | '%' | ',' | '!')
    });
    let lower = text.to_ascii_lowercase();
    let runs = lower.contains("expression") || lower.contains("mozbinding");
    if is_harmless && !runs { text.to_owned() } else { FAILSAFE.to_owned() }
}

/// For an address of which `before` stands there already. One that begins with a scheme other than
/// those of the web and mail is dropped, unless it `is_safe`.
pub(super) fn url(text: &str, before: &str, is_safe: bool) -> String {
    let before = before.trim_start();
    if before.is_empty() && !is_safe && !has_harmless_scheme(text) {
        return format!("#{FAILSAFE}");
    }
    let keeps_reserved = is_safe || !before.contains(['?', '#']);
    let mut out = String::with_capacity(text.len());
    let bytes = text.as_bytes();
    for (idx, &byte) in bytes.iter().enumerate() {
        let is_kept = match byte {
            b'-' | b'.' | b'_' | b'~' => true,
            byte if byte.is_ascii_alphanumeric() => true,
            b'%' if keeps_reserved => {
                let digits = bytes.get(idx + 1..idx + 3);
                digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            }
            byte => keeps_reserved && b"!#$&*+,/:;=?@[]".contains(&byte),
        };
        if is_kept {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02x}").expect("writing to a string cannot fail");
        }
    }
    out
}

fn has_harmless_scheme(text: &str) -> bool {
    match text.split_once(':') {
        Some((scheme, _)) if !scheme.contains('/') => {
            ["http", "https", "mailto"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
        }
        _ => true,
    }
}

/// A value as a script writes it.
pub(super) fn js_value(value: &Value) -> String {
    match value {
        Value::Nil => " null ".to_owned(),
        Value::Bool(_) | Value::Int(_) | Value::Uint(_) => format!(" {value} "),
        Value::Float(number) if number.is_finite() => format!(" {value} "),
        Value::String(text) | Value::Safe(_, text) => json_string(text),
        value => json_string(&value.to_string()),
    }
}

/// A string as Go's JSON encoder writes it: harmless in HTML, too.
fn json_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str(r"\\"),
            '\t' => out.push_str(r"\t"),
            '\n' => out.push_str(r"\n"),
            '\r' => out.push_str(r"\r"),
            '&' | '<' | '>' | '\u{2028}' | '\u{2029}' | '\0'..='\x1f' => {
                write!(out, "\\u{:04x}", c as u32).expect("writing to a string cannot fail");
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// For the inside of a string literal.
pub(super) fn js_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str(r"\\"),
            '/' => out.push_str(r"\/"),
            '\t' => out.push_str(r"\t"),
            '\n' => out.push_str(r"\n"),
            '\r' => out.push_str(r"\r"),
            '\x0c' => out.push_str(r"\f"),
            '"'
            | '\''
            | '`'
            | '&'
            | '+'
            | '<'
            | '>'
            | '$'
            | '\u{2028}'
            | '\u{2029}'
            | '\0'..='\x1f' => {
                write!(out, "\\u{:04x}", c as u32).expect("writing to a string cannot fail");
            }
            c => out.push(c),
        }
    }
    out
}
