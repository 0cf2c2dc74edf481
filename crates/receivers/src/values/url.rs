use std::fmt;

use settings::{
    decode::{Broken, Decoder, Setting, Style},
    values::parse_url,
    yaml::{Node, Yaml},
};

use super::is_template;

/// What a hidden value is printed as, and may be read as: `amtool` reads what the API shows.
const HIDDEN: &str = "<secret>";

/// A URL of a web server; the text is kept as it was written, but for blanks and the like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpUrl(String);

impl HttpUrl {
    /// Reads a URL whose scheme is `http` or `https`, and which has a host.
    pub fn parse(text: &str) -> Result<HttpUrl, Broken> {
        let parts = parse_url(text)?;
        if !["http", "https"].contains(&parts.scheme.as_str()) {
            return Err(format!("unsupported scheme {:?} for URL", parts.scheme).into());
        }
        if parts.host.is_empty() {
            return Err("missing host for URL".into());
        }
        Ok(HttpUrl(escape_path(text)))
    }

    /// A URL that stands in our own code.
    pub(crate) fn known(text: &str) -> HttpUrl {
        HttpUrl(text.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL with a slash at the end of its path.
    pub(crate) fn with_slash(&self) -> HttpUrl {
        let end = self.0.find(['?', '#']).unwrap_or(self.0.len());
        let (path, rest) = self.0.split_at(end);
        if path.ends_with('/') { self.clone() } else { HttpUrl(format!("{path}/{rest}")) }
    }
}

/// Writes what may not stand in a path by its code, as Go prints it.
fn escape_path(text: &str) -> String {
    let end = text.find(['?', '#']).unwrap_or(text.len());
    let (path, rest) = text.split_at(end);
    let mut out = String::with_capacity(text.len());
    for byte in path.bytes() {
        match byte {
            b' ' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x80.. => {
                out.push_str(&format!("%{byte:02X}"));
            }
            byte => out.push(char::from(byte)),
        }
    }
    out.push_str(rest);
    out
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Setting for HttpUrl {
    const GO_TYPE: &'static str = "string";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<HttpUrl>, Broken> {
        let Some(text) = String::decode(node, decoder)? else { return Ok(None) };
        HttpUrl::parse(&text).map(Some)
    }

    fn encode(&self, _: Style) -> Yaml {
        Yaml::Text(self.0.clone())
    }
}

/// A URL that gives whoever knows it the right to use it; never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretUrl(HttpUrl);

impl SecretUrl {
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl From<HttpUrl> for SecretUrl {
    fn from(url: HttpUrl) -> SecretUrl {
        SecretUrl(url)
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Setting for SecretUrl {
    const GO_TYPE: &'static str = "string";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<SecretUrl>, Broken> {
        let Some(text) = String::decode(node, decoder)? else { return Ok(None) };
        if text == HIDDEN {
            return Ok(Some(SecretUrl(HttpUrl(text))));
        }
        let url = HttpUrl::parse(&text).map_err(|broken| redact(broken, &text))?;
        Ok(Some(SecretUrl(url)))
    }

    fn encode(&self, style: Style) -> Yaml {
        hide(self.as_str(), style)
    }
}

/// A secret URL that may hold a template; one without is checked when it is read.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretTemplateUrl(pub String);

impl SecretTemplateUrl {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for SecretTemplateUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "\"\"" } else { HIDDEN })
    }
}

impl Setting for SecretTemplateUrl {
    const GO_TYPE: &'static str = "string";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<SecretTemplateUrl>, Broken> {
        let Some(text) = String::decode(node, decoder)? else { return Ok(None) };
        if !text.is_empty() && text != HIDDEN {
            let is_template =
                is_template(&text).map_err(|why| format!("invalid template syntax: {why}"))?;
            if !is_template {
                HttpUrl::parse(&text).map_err(|broken| {
                    let broken = redact(broken, &text);
                    Broken { message: format!("invalid URL: {}", broken.message), ..broken }
                })?;
            }
        }
        Ok(Some(SecretTemplateUrl(text)))
    }

    fn encode(&self, style: Style) -> Yaml {
        hide(&self.0, style)
    }
}

fn redact(broken: Broken, text: &str) -> Broken {
    let quoted = format!("{text:?}");
    Broken { message: broken.message.replace(&quoted, "[REDACTED]"), ..broken }
}

fn hide(text: &str, style: Style) -> Yaml {
    match style {
        Style::Whole => Yaml::Text(text.to_owned()),
        Style::Shown if text.is_empty() => Yaml::Null,
        Style::Shown => Yaml::Text(HIDDEN.to_owned()),
    }
}
