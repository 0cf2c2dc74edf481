//! A tree into YAML text, laid out as Go's `yaml.v2` does: two spaces, lists not indented.

use std::fmt::Write as _;

use super::{Meaning, resolve};

/// What can be printed.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Yaml {
    #[default]
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Yaml>),
    /// A list of scalars on one line: `[a, b]`.
    FlowList(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

/// Prints a document, with a line feed at its end.
pub fn print(yaml: &Yaml) -> String {
    let mut out = String::new();
    match yaml {
        Yaml::Map(pairs) if !pairs.is_empty() => print_pairs(pairs, 0, &mut out),
        Yaml::List(items) if !items.is_empty() => print_items(items, 0, &mut out),
        other => {
            print_scalar(other, 0, &mut out);
            out.push('\n');
        }
    }
    out
}

fn print_pairs(pairs: &[(String, Yaml)], indent: usize, out: &mut String) {
    for (idx, (key, value)) in pairs.iter().enumerate() {
        if idx > 0 {
            pad(indent, out);
        }
        print_text(key, indent, false, out);
        out.push(':');
        match value {
            Yaml::Map(pairs) if !pairs.is_empty() => {
                out.push('\n');
                pad(indent + 2, out);
                print_pairs(pairs, indent + 2, out);
            }
            Yaml::List(items) if !items.is_empty() => {
                out.push('\n');
                pad(indent, out);
                print_items(items, indent, out);
            }
            other => {
                out.push(' ');
                print_scalar(other, indent, out);
                out.push('\n');
            }
        }
    }
}

fn print_items(items: &[Yaml], indent: usize, out: &mut String) {
    for (idx, item) in items.iter().enumerate() {
        if idx > 0 {
            pad(indent, out);
        }
        out.push_str("- ");
        match item {
            Yaml::Map(pairs) if !pairs.is_empty() => print_pairs(pairs, indent + 2, out),
            Yaml::List(items) if !items.is_empty() => print_items(items, indent + 2, out),
            other => {
                print_scalar(other, indent, out);
                out.push('\n');
            }
        }
    }
}

fn print_scalar(yaml: &Yaml, indent: usize, out: &mut String) {
    match yaml {
        Yaml::Null => out.push_str("null"),
        Yaml::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Yaml::Int(value) => write!(out, "{value}").expect("writing to a string cannot fail"),
        Yaml::Float(value) => print_float(*value, out),
        Yaml::Text(text) => print_text(text, indent, false, out),
        Yaml::Map(_) => out.push_str("{}"),
        Yaml::List(items) | Yaml::FlowList(items) => {
            out.push('[');
            for (idx, item) in items.iter().enumerate() {
                if idx > 0 {
                    out.push_str(", ");
                }
                match item {
                    Yaml::Text(text) => print_text(text, indent, true, out),
                    other => print_scalar(other, indent, out),
                }
            }
            out.push(']');
        }
    }
}

fn print_float(value: f64, out: &mut String) {
    match value {
        f64::INFINITY => out.push_str(".inf"),
        f64::NEG_INFINITY => out.push_str("-.inf"),
        value if value.is_nan() => out.push_str(".nan"),
        value => model::float::write_general(value, out),
    }
}

fn print_text(text: &str, indent: usize, flow: bool, out: &mut String) {
    let printable = !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    if text.contains('\n') && printable && !flow && !text.starts_with([' ', '\n']) {
        print_literal(text, indent, out);
    } else if resolve::plain(text) != Some(Meaning::Text)
        || is_base_60(text)
        || !printable
        || text.contains('\n')
    {
        // Quotes keep a text a text: "yes", "12", "".
        out.push_str(&model::labels::quote(text));
    } else if is_plain(text, flow) {
        out.push_str(text);
    } else {
        write!(out, "'{}'", text.replace('\'', "''")).expect("writing to a string cannot fail");
    }
}

/// Whether the old YAML takes the text for a number with minutes and seconds: `09:30`.
fn is_base_60(text: &str) -> bool {
    let Some((first, rest)) = text.trim_start_matches(['-', '+']).split_once(':') else {
        return false;
    };
    let is_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let (places, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let is_place = |part: &str| {
        let below_60 = part.parse::<u8>().is_ok_and(|value| value < 60);
        below_60 && part.len() <= 2 && is_digits(part)
    };
    first.starts_with(|c: char| c.is_ascii_digit())
        && is_digits(first)
        && is_digits(fraction)
        && places.split(':').all(is_place)
}

/// A block with a `|`; how it ends says how many line feeds the text ends with.
fn print_literal(text: &str, indent: usize, out: &mut String) {
    out.push('|');
    match (text.ends_with('\n'), text.ends_with("\n\n")) {
        (false, _) => out.push('-'),
        (_, true) => out.push('+'),
        _ => {}
    }
    let body = text.strip_suffix('\n').unwrap_or(text);
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            pad(indent + 2, out);
            out.push_str(line);
        }
    }
}

/// Whether the text may stand without quotes; `flow` is within the brackets of a list.
fn is_plain(text: &str, flow: bool) -> bool {
    const FIRST: [char; 17] =
        ['#', ',', '[', ']', '{', '}', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`', ' '];
    let looks_like_structure = text.starts_with(FIRST)
        || text.starts_with("---")
        || text.starts_with("...")
        || ["-", "?", ":"].contains(&text)
        || ["- ", "? ", ": "].iter().any(|start| text.starts_with(start))
        || text.contains(": ")
        || text.contains(" #")
        || text.ends_with([' ', ':']);
    let splits_flow = flow && text.contains([',', '?', '[', ']', '{', '}', ':']);
    !looks_like_structure && !splits_flow
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}
