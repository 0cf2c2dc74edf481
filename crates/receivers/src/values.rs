//! The kinds of values that only an Alertmanager's file has.

mod duration;
mod host_port;
mod url;

pub use duration::{GoDuration, TextDuration};
pub use host_port::HostPort;
pub use url::{HttpUrl, SecretTemplateUrl, SecretUrl};

/// Whether a text has actions of a template; an error if they cannot be parsed.
pub(crate) fn is_template(text: &str) -> Result<bool, String> {
    if !text.contains("{{") {
        return Ok(false);
    }
    let mut templates = gotemplate::Templates::new(gotemplate::Functions::new());
    match templates.parse("", text) {
        Ok(()) => Ok(true),
        Err(error) => Err(error.to_string()),
    }
}

/// The default of a text: the template that upstream ships under `name`.
pub(crate) fn shipped(name: &str) -> String {
    format!("{{{{ template \"{name}\" . }}}}")
}

#[cfg(test)]
mod tests;
