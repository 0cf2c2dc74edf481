//! The text format and OpenMetrics, line by line.

use std::{borrow::Cow, fmt::Write as _};

use model::names;

use super::{Format, Syntax, negotiate::escape};

/// Writes families: a head, then its samples.
pub(crate) struct Writer {
    out: String,
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    Float(f64),
    /// Whole, and written so in OpenMetrics.
    Count(u64),
}

impl Writer {
    pub(crate) fn new(format: Format) -> Writer {
        Writer { out: String::new(), format }
    }

    pub(crate) fn is_open_metrics(&self) -> bool {
        self.format.syntax != Syntax::Text
    }

    /// The lines before the samples of a family; no help if `help` is empty.
    pub(crate) fn head(&mut self, name: &str, help: &str, kind: &str) {
        let name = self.escaped(name);
        let name = match names::is_legacy_metric_name(&name) {
            true => name,
            false => Cow::Owned(model::labels::quote(&name)),
        };
        if !help.is_empty() {
            self.out.push_str("# HELP ");
            self.out.push_str(&name);
            self.out.push(' ');
            let quotes_are_escaped = self.is_open_metrics();
            self.push_escaped(help, quotes_are_escaped);
            self.out.push('\n');
        }
        self.out.push_str("# TYPE ");
        self.out.push_str(&name);
        self.out.push(' ');
        self.out.push_str(kind);
        self.out.push('\n');
    }

    /// One line. `bound` is the label of a bucket or quantile, `time` in milliseconds.
    pub(crate) fn sample<'a>(
        &mut self,
        name: &str,
        suffix: &str,
        labels: impl Iterator<Item = (&'a str, &'a str)>,
        bound: Option<(&str, f64)>,
        value: Value,
        time: Option<i64>,
    ) {
        let mut braces = Braces::new(self, name, suffix);
        for (name, value) in labels {
            braces.label(name, value);
        }
        if let Some((name, bound)) = bound {
            braces.bound(name, bound);
        }
        braces.close();
        self.out.push(' ');
        match value {
            Value::Count(count) if self.is_open_metrics() => {
                self.out.push_str(itoa::Buffer::new().format(count));
            }
            Value::Count(count) => self.push_float(count as f64),
            Value::Float(value) => self.push_float(value),
        }
        if let Some(millis) = time {
            self.out.push(' ');
            if self.is_open_metrics() {
                self.push_float(millis as f64 / 1000.0);
            } else {
                self.out.push_str(itoa::Buffer::new().format(millis));
            }
        }
        self.out.push('\n');
    }

    pub(crate) fn finish(mut self) -> String {
        if self.is_open_metrics() {
            self.out.push_str("# EOF\n");
        }
        self.out
    }

    fn escaped<'a>(&self, name: &'a str) -> Cow<'a, str> {
        escape(name, self.format.escaping)
    }

    fn push_escaped(&mut self, text: &str, quotes_too: bool) {
        for c in text.chars() {
            match c {
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '"' if quotes_too => self.out.push_str("\\\""),
                c => self.out.push(c),
            }
        }
    }

    /// As Go's `FormatFloat(v, 'g', -1, 64)`; OpenMetrics adds `.0` to what looks whole.
    fn push_float(&mut self, value: f64) {
        let start = self.out.len();
        let magnitude = value.abs();
        if magnitude != 0.0 && !(1e-4..1e6).contains(&magnitude) {
            model::float::write_exponent(value, &mut self.out);
        } else {
            model::float::write_plain(value, &mut self.out);
        }
        let looks_whole =
            |text: &[u8]| !text.iter().any(|b| matches!(b, b'.' | b'e' | b'N' | b'I'));
        if self.is_open_metrics() && self.out.as_bytes().get(start..).is_some_and(looks_whole) {
            self.out.push_str(".0");
        }
    }
}

/// The name and the labels of a sample.
struct Braces<'w> {
    writer: &'w mut Writer,
    is_open: bool,
}

impl<'w> Braces<'w> {
    fn new(writer: &'w mut Writer, name: &str, suffix: &str) -> Braces<'w> {
        let name = writer.escaped(name);
        let is_open = !names::is_legacy_metric_name(&name);
        if is_open {
            // A name that needs quotes stands within the braces.
            writer.out.push('{');
            let quoted = model::labels::quote(&format!("{name}{suffix}"));
            writer.out.push_str(&quoted);
        } else {
            writer.out.push_str(&name);
            writer.out.push_str(suffix);
        }
        Braces { writer, is_open }
    }

    fn label(&mut self, name: &str, value: &str) {
        self.name(name);
        self.writer.push_escaped(value, true);
        self.writer.out.push('"');
    }

    fn bound(&mut self, name: &str, bound: f64) {
        self.name(name);
        self.writer.push_float(bound);
        self.writer.out.push('"');
    }

    fn name(&mut self, name: &str) {
        let name = self.writer.escaped(name);
        let out = &mut self.writer.out;
        out.push(if self.is_open { ',' } else { '{' });
        self.is_open = true;
        match names::is_legacy_label_name(&name) {
            true => out.push_str(&name),
            false => write!(out, "{}", model::labels::quote(&name))
                .expect("writing to a string cannot fail"),
        }
        out.push_str("=\"");
    }

    fn close(self) {
        if self.is_open {
            self.writer.out.push('}');
        }
    }
}
