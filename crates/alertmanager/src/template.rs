//! What notifications say: the data, the functions and the shipped texts of their templates.

mod data;
mod value;

use gotemplate::{MissingKey, Templates};

use crate::integration::Notification;

pub use data::{Alerts, Data, DataAlert, Kv};

/// A template that can't be read or run, in Go's words.
pub type Error = gotemplate::Error;

/// All templates of a configuration.
#[derive(Clone)]
pub struct Template {
    templates: Templates,
    external_url: String,
}

impl Template {
    /// The shipped templates. `external_url` is where users reach this server.
    pub fn new(external_url: &str, clock: std::sync::Arc<dyn runtime::Clock>) -> Template {
        drop(clock);
        let mut templates = Templates::default();
        templates.missing_key = MissingKey::Zero;
        Template { templates, external_url: external_url.trim_end_matches('/').to_owned() }
    }

    /// Adds the templates of a file; they replace those of the same name.
    pub fn parse(&mut self, name: &str, text: &str) -> Result<(), Error> {
        self.templates.parse(name, text)
    }

    /// Runs `text`; what is "" stays so.
    pub fn text(&self, text: &str, data: &Data) -> Result<String, Error> {
        if text.is_empty() {
            return Ok(String::new());
        }
        self.templates.execute_text("", text, &data.to_value())
    }

    /// [`Template::text`] for HTML: what actions print is escaped.
    pub fn html(&self, text: &str, data: &Data) -> Result<String, Error> {
        self.text(text, data)
    }

    /// What the templates of a notification see.
    pub fn data(&self, notification: &Notification) -> Data {
        Data::new(notification, &self.external_url)
    }

    /// Without a slash at the end.
    pub fn external_url(&self) -> &str {
        &self.external_url
    }
}
