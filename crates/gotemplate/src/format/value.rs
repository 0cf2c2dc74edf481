//! One value under one verb.

use std::fmt::Write as _;

use super::Printer;
use crate::{
    Shape, Value,
    quote::{quote, quote_ascii},
    value::Kind,
};

/// Lists in lists deeper than this are cut.
const DEPTH_MAX: usize = 100;

impl Printer {
    /// Prints `value` under `verb`.
    pub(super) fn value(&mut self, value: &Value, verb: char) {
        if self.is_full() {
            return;
        }
        match (verb, value) {
            ('T', _) => return self.string(value.type_name(), 's'),
            ('v', Value::Nil) => return self.pad("<nil>"),
            (_, Value::Nil) => return self.wrong_verb(value, verb),
            _ => {}
        }
        let takes_text = matches!(verb, 'v' | 's' | 'x' | 'X' | 'q');
        if takes_text
            && !self.reporting
            && !self.flags.go_syntax
            && let Some(text) = value.stringer()
        {
            return self.string(&text, verb);
        }
        let fits = match value.kind() {
            Kind::Bool(flag) => {
                let fits = matches!(verb, 't' | 'v');
                if fits {
                    self.pad(if flag { "true" } else { "false" });
                }
                fits
            }
            Kind::Int(number) => self.integer(number.into(), false, verb),
            Kind::Uint(number) => self.integer(number.into(), true, verb),
            Kind::Float(number) => self.float(number, verb),
            Kind::Complex(real, imaginary) => self.complex(real, imaginary, verb),
            Kind::String(text) => {
                let fits = takes_text;
                if fits {
                    self.string(&text, verb);
                }
                fits
            }
            Kind::List(list) => {
                self.list(value.type_name(), &list.items, verb);
                true
            }
            Kind::Map(map) => {
                let entries = map.entries.iter().map(|(k, v)| (k.as_ref(), v.clone())).collect();
                self.map(value.type_name(), entries, verb);
                true
            }
            Kind::Struct => {
                self.structure(value, verb);
                true
            }
            Kind::Func => {
                self.pad("func");
                true
            }
            Kind::Nil => {
                self.pad("<nil>");
                true
            }
        };
        if !fits {
            self.wrong_verb(value, verb);
        }
    }

    /// `%!d(string=x)`
    fn wrong_verb(&mut self, value: &Value, verb: char) {
        let outer = std::mem::replace(&mut self.reporting, true);
        self.out.push_str("%!");
        self.out.push(verb);
        self.out.push('(');
        match value {
            Value::Nil => self.out.push_str("<nil>"),
            value => {
                self.out.push_str(value.type_name());
                self.out.push('=');
                self.value(value, 'v');
            }
        }
        self.out.push(')');
        self.reporting = outer;
    }

    pub(super) fn string(&mut self, text: &str, verb: char) {
        let cut: String;
        let text = match self.flags.precision {
            Some(precision) if verb != 'x' && verb != 'X' => {
                cut = text.chars().take(precision).collect();
                &cut
            }
            _ => text,
        };
        match verb {
            'v' if self.flags.go_syntax => self.pad(&quote(text)),
            'q' if self.flags.sharp && can_backquote(text) => self.pad(&format!("`{text}`")),
            'q' if self.flags.plus => self.pad(&quote_ascii(text)),
            'q' => self.pad(&quote(text)),
            'x' | 'X' => self.hex(text.as_bytes(), verb == 'X'),
            _ => self.pad(text),
        }
    }

    fn hex(&mut self, bytes: &[u8], upper: bool) {
        let flags = self.flags;
        let bytes = &bytes[..flags.precision.unwrap_or(bytes.len()).min(bytes.len())];
        let mut text = String::with_capacity(bytes.len() * 2);
        for (idx, byte) in bytes.iter().enumerate() {
            if flags.space && idx > 0 {
                text.push(' ');
            }
            if flags.sharp && (idx == 0 || flags.space) {
                text.push_str(if upper { "0X" } else { "0x" });
            }
            let written =
                if upper { write!(text, "{byte:02X}") } else { write!(text, "{byte:02x}") };
            written.expect("writing to a string cannot fail");
        }
        self.pad(&text);
    }

    fn list(&mut self, type_name: &str, items: &[Value], verb: char) {
        let go_syntax = self.flags.go_syntax;
        let (open, between, close) = if go_syntax { ("{", ", ", "}") } else { ("[", " ", "]") };
        if go_syntax {
            self.out.push_str(type_name);
        }
        self.out.push_str(open);
        for (idx, item) in items.iter().enumerate() {
            if idx > 0 {
                self.out.push_str(between);
            }
            self.nested(item, verb);
        }
        self.out.push_str(close);
    }

    fn map(&mut self, type_name: &str, entries: Vec<(&str, Value)>, verb: char) {
        let go_syntax = self.flags.go_syntax;
        let (between, close) = if go_syntax { (", ", "}") } else { (" ", "]") };
        self.out.push_str(if go_syntax { type_name } else { "map" });
        self.out.push_str(if go_syntax { "{" } else { "[" });
        for (idx, (key, value)) in entries.iter().enumerate() {
            if idx > 0 {
                self.out.push_str(between);
            }
            self.nested(&Value::from(*key), verb);
            self.out.push(':');
            self.nested(value, verb);
        }
        self.out.push_str(close);
    }

    fn structure(&mut self, value: &Value, verb: char) {
        let fields = match value {
            Value::Object(object) => match object.shape() {
                Shape::Struct(fields) => fields,
                _ => Vec::new(),
            },
            other => return self.pad(&other.stringer().unwrap_or_default()),
        };
        let go_syntax = self.flags.go_syntax;
        if go_syntax {
            self.out.push_str(value.type_name());
        }
        self.out.push('{');
        for (idx, (name, field)) in fields.iter().enumerate() {
            if idx > 0 {
                self.out.push_str(if go_syntax { ", " } else { " " });
            }
            if self.flags.field_names || go_syntax {
                self.out.push_str(name);
                self.out.push(':');
            }
            self.nested(field, verb);
        }
        self.out.push('}');
    }

    fn nested(&mut self, value: &Value, verb: char) {
        if matches!(value, Value::Nil) {
            self.out.push_str("<nil>");
        } else if self.depth < DEPTH_MAX {
            self.depth += 1;
            self.value(value, verb);
            self.depth -= 1;
        }
    }
}

/// `int=1`, as errors show an operand; nil has no type.
pub(super) fn type_and_value(printer: &mut Printer, value: &Value) {
    match value {
        Value::Nil => printer.out.push_str("<nil>"),
        value => {
            printer.out.push_str(value.type_name());
            printer.out.push('=');
            printer.value(value, 'v');
        }
    }
}

fn can_backquote(text: &str) -> bool {
    !text.contains(|c: char| (c.is_control() && c != '\t') || matches!(c, '`' | '\u{feff}'))
}
