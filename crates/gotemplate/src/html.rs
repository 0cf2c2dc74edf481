//! What an action prints, made harmless for the place of the document in which it stands.
//!
//! Go's `html/template` finds the places once, before it runs; here they follow from what has been
//! printed, so that a template needs no second form. Values can't leave their place, because each
//! is escaped for it.

mod context;
mod escape;

use std::borrow::Cow;

use crate::{Value, value::SafeKind};
use context::{Attribute, Context, Quote, Reader};

/// Reads along with what is printed and escapes values for where they go.
#[derive(Default)]
pub(crate) struct Escaper {
    reader: Reader,
    /// How much of the output has been read.
    read: usize,
}

impl Escaper {
    /// A template's own `text` behind `out`, the output so far: what begins no tag is no `<`.
    pub(crate) fn literal<'t>(&mut self, text: &'t str, out: &str) -> Cow<'t, str> {
        if !text.contains('<') {
            return Cow::Borrowed(text);
        }
        self.reader.read(out.get(self.read..).unwrap_or_default(), self.read);
        self.read = out.len();
        let mut written = String::with_capacity(text.len());
        for (idx, piece) in text.split('<').enumerate() {
            if idx > 0 {
                let is_lone = self.reader.is_lone(piece);
                written.push_str(if is_lone { "&lt;" } else { "<" });
            }
            written.push_str(piece);
            let rest = written.get(self.read - out.len()..).unwrap_or_default();
            self.reader.read(rest, self.read);
            self.read = out.len() + written.len();
        }
        Cow::Owned(written)
    }

    /// `value` as it may stand at the end of `out`, the output so far.
    pub(crate) fn escape(&mut self, value: &Value, out: &str) -> String {
        self.reader.read(out.get(self.read..).unwrap_or_default(), self.read);
        self.reader.begin_value(out.len());
        let escaped = escape_for(&self.reader.context, value, out);
        // Whatever it is, it stays within its place: there is nothing in it to be read.
        self.read = out.len() + escaped.len();
        self.reader.skip(&escaped);
        escaped
    }
}

fn escape_for(context: &Context, value: &Value, out: &str) -> String {
    let text = match value {
        Value::Nil => String::new(),
        Value::String(text) | Value::Safe(_, text) => text.to_string(),
        value => value.to_string(),
    };
    let is_safe_html = matches!(value, Value::Safe(SafeKind::Html, _));
    match context {
        Context::Text if is_safe_html => text,
        Context::Text => escape::text(&text),
        Context::Raw { element: "script", in_string } => match in_string {
            Some(_) => escape::js_string(&text),
            None => escape::js_value(value),
        },
        Context::Raw { element: "style", .. } => escape::css(&text),
        Context::Raw { .. } if is_safe_html => escape::markup(&text),
        Context::Raw { .. } => escape::text(&text),
        Context::Comment => String::new(),
        // A value that begins here has a context of its own by now.
        Context::TagName
        | Context::Tag
        | Context::AttributeName
        | Context::AfterName { .. }
        | Context::BeforeValue { .. } => escape::name(&text),
        Context::Value { kind, quote, start } => {
            let before = out.get(*start..).unwrap_or_default();
            let is_safe_url = matches!(value, Value::Safe(SafeKind::Url, _));
            let text = match kind {
                Attribute::Plain if is_safe_html => return escape::markup(&text),
                Attribute::Plain => text,
                Attribute::Url => escape::url(&text, before, is_safe_url),
                Attribute::Css => escape::css(&text),
                Attribute::Script => escape::js_value(value),
            };
            match quote {
                Quote::None => escape::unquoted(&text),
                Quote::Single | Quote::Double => escape::text(&text),
            }
        }
    }
}
