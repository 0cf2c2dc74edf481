use std::{fmt, sync::Arc};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

use super::{Format, format};

/// Turns events into lines.
pub(super) struct Lines {
    pub(super) format: Format,
    /// Nanoseconds since the Unix epoch.
    pub(super) now: Arc<dyn Fn() -> i128 + Send + Sync>,
    pub(super) write: Arc<dyn Fn(&str) + Send + Sync>,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        // Libraries' own chatter is not part of what upstream prints.
        let is_ours = metadata.file().is_some_and(|file| file.starts_with("crates/"));
        if !is_ours && *metadata.level() > tracing::Level::WARN {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let file = metadata.file().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let line = format::Line {
            time_ns: (self.now)(),
            level: metadata.level().as_str(),
            source: format!("{file}:{}", metadata.line().unwrap_or_default()),
            message: fields.message,
            fields: fields.others,
        };
        (self.write)(&line.print(self.format));
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, format::Value)>,
}

impl Fields {
    fn push(&mut self, field: &Field, value: format::Value) {
        match (field.name(), value) {
            ("message", format::Value::Text(text)) => self.message = text,
            // A dot in a field's name stands where upstream has one; `r#type` is just `type`.
            (name, value) => self.others.push((name.strip_prefix("r#").unwrap_or(name), value)),
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.push(field, format::Value::Float(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, format::Value::Int(value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, format::Value::Int(value.into()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, format::Value::Bool(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, format::Value::Text(value.to_owned()));
    }

    fn record_error(&mut self, field: &Field, error: &(dyn std::error::Error + 'static)) {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        self.push(field, format::Value::Text(text));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push(field, format::Value::Text(format!("{value:?}")));
    }
}
