//! What notifications say: the data, the functions and the shipped texts of their templates.

mod data;
mod functions;
mod json;
mod route_labels;
#[cfg(test)]
mod tests;
mod value;

use std::{collections::BTreeMap, sync::Arc};

use gotemplate::{Func, MissingKey, Templates, Type, Value};
use runtime::Clock;

use crate::integration::Notification;

pub use data::{Alerts, Data, DataAlert, Kv};
pub use json::to_json;
pub(crate) use route_labels::render_route_labels;

/// A template that can't be read or run, in Go's words.
pub type Error = gotemplate::Error;

/// All templates of a configuration.
#[derive(Clone)]
pub struct Template {
    templates: Templates,
    external_url: String,
}

/// The templates that are there before any file is read.
const SHIPPED: &[(&str, &str)] = &[
    ("helpers.tmpl", include_str!("template/shipped/helpers.tmpl")),
    ("receivers.tmpl", include_str!("template/shipped/receivers.tmpl")),
    ("email.tmpl", include_str!("template/shipped/email.tmpl")),
];

impl Template {
    /// The shipped templates. `external_url` is where users reach this server.
    pub fn new(external_url: &str, clock: Arc<dyn Clock>) -> Template {
        let mut templates = Templates::new(functions::functions(clock));
        templates.missing_key = MissingKey::Zero;
        for (name, text) in SHIPPED {
            templates.parse(name, text).expect("the shipped templates are right");
        }
        Template { templates, external_url: external_url.trim_end_matches('/').to_owned() }
    }

    /// Adds the templates of a file; they replace those of the same name.
    pub fn parse(&mut self, name: &str, text: &str) -> Result<(), Error> {
        self.templates.parse(name, text)
    }

    /// Runs `text`.
    pub fn text(&self, text: &str, data: &Data) -> Result<String, Error> {
        self.run(text, data, false)
    }

    /// Runs `text`, which is HTML: what actions print is escaped for where it stands.
    pub fn html(&self, text: &str, data: &Data) -> Result<String, Error> {
        self.run(text, data, true)
    }

    fn run(&self, text: &str, data: &Data, is_html: bool) -> Result<String, Error> {
        let has_markup = is_html && text.contains('<');
        if !text.contains("{{") && !has_markup {
            return Ok(text.to_owned());
        }
        let mut templates = match data.has_label_templates {
            true => route_labels::Resolver::new(&self.templates, data).attach(&self.templates),
            false => self.with_labels(data.route_labels.0.clone()),
        };
        templates.is_html = is_html;
        templates.execute_text("", text, &data.to_value())
    }

    /// What the templates of a notification see.
    pub fn data(&self, notification: &Notification) -> Data {
        Data::new(notification, &self.external_url)
    }

    /// Without a slash at the end.
    pub fn external_url(&self) -> &str {
        &self.external_url
    }

    /// The templates in which `routeLabels` gives labels that are rendered already.
    fn with_labels(&self, labels: BTreeMap<String, String>) -> Templates {
        let mut templates = self.templates.clone();
        templates.set_function(
            "routeLabels",
            Func::new(&[Type::String], move |args| {
                let name = args.first().and_then(Value::as_str).unwrap_or_default();
                Ok(Value::from(labels.get(name).map_or("", String::as_str)))
            }),
        );
        templates
    }
}
