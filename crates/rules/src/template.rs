//! Templates of labels and annotations: upstream's functions and variables over the Go engine.

mod functions;
mod hosts;
mod link;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use gotemplate::{Map, MissingKey, Struct, Templates, Value};
use model::{Labels, Timestamp};

use crate::{Query, Sample, SampleValue};

pub use functions::functions;
pub use link::{graph_link, table_link};

/// What templates see of the world: the moment, the server, and a way to ask.
#[derive(Clone)]
pub struct Context {
    pub query: Arc<dyn Query>,
    pub now: Timestamp,
    /// Where users reach this server; may be empty.
    pub external_url: String,
}

/// A template that cannot be read or run; the words are upstream's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("error parsing template {name}: {source}")]
    Parse { name: String, source: gotemplate::Error },
    #[error("error executing template {name}: {source}")]
    Execute { name: String, source: gotemplate::Error },
}

/// The variables that every template of a rule begins with.
const DEFINITIONS: &str = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}\
    {{$externalURL := .ExternalURL}}{{$value := .Value}}";

/// Expands templates in one context.
pub struct Expander {
    templates: Templates,
}

impl Expander {
    pub fn new(context: Context) -> Expander {
        let mut templates = Templates::new(functions(context));
        templates.missing_key = MissingKey::Zero;
        Expander { templates }
    }

    /// Missing keys are zero values unless chosen otherwise.
    pub fn with_missing_key(mut self, missing_key: MissingKey) -> Expander {
        self.templates.missing_key = missing_key;
        self
    }

    /// Expands `text`, named `name`, with `data` as dot.
    pub fn expand(&self, name: &str, text: &str, data: &Value) -> Result<String, Error> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        let mut templates = self.templates.clone();
        parse(&mut templates, name, text)?;
        templates
            .execute(name, data)
            .map_err(|source| Error::Execute { name: name.to_owned(), source })
    }

    /// Expands a label or annotation of alert `alert`, where `$labels` and `$value` are known.
    pub fn expand_for_alert(
        &self,
        alert: &str,
        text: &str,
        data: &AlertData,
    ) -> Result<String, Error> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        self.expand(&alert_template_name(alert), &format!("{DEFINITIONS}{text}"), &data.0)
    }
}

/// Whether a label or annotation of alert `alert` is a template that can be read.
pub fn check_for_alert(alert: &str, text: &str) -> Result<(), gotemplate::Error> {
    struct NoQuery;
    impl Query for NoQuery {
        fn instant(&self, _: &str, _: Timestamp) -> Result<Vec<Sample>, String> {
            Err("not available".to_owned())
        }
    }
    if !text.contains("{{") {
        return Ok(());
    }
    let now = Timestamp::from_millis(0);
    let context = Context { query: Arc::new(NoQuery), now, external_url: String::new() };
    let mut templates = Templates::new(functions(context));
    templates.parse(&alert_template_name(alert), &format!("{DEFINITIONS}{text}"))
}

fn parse(templates: &mut Templates, name: &str, text: &str) -> Result<(), Error> {
    templates.parse(name, text).map_err(|source| Error::Parse { name: name.to_owned(), source })
}

fn alert_template_name(alert: &str) -> String {
    format!("__alert_{alert}")
}

/// What the templates of one alert see.
pub struct AlertData(Value);

impl AlertData {
    pub fn new(labels: &Labels, external_labels: &Labels, url: &str, value: &SampleValue) -> Self {
        AlertData(Value::object(Struct {
            type_name: "struct { Labels map[string]string; ExternalLabels map[string]string; \
                        ExternalURL string; Value interface {} }",
            fields: vec![
                ("Labels", labels_value(labels)),
                ("ExternalLabels", labels_value(external_labels)),
                ("ExternalURL", Value::from(url)),
                ("Value", sample_value(value)),
            ],
        }))
    }
}

fn labels_value(labels: &Labels) -> Value {
    Value::Map(Map::of_strings("map[string]string", labels.iter()))
}

fn sample_value(value: &SampleValue) -> Value {
    match value {
        SampleValue::Float(value) => Value::Float(*value),
        SampleValue::Histogram(histogram) => {
            let text = functions::histogram_text(histogram);
            Value::object(functions::HistogramValue { text })
        }
    }
}
