//! The kinds of values that upstream's files share: durations, sizes, secrets, paths, URLs.

mod bytes;
mod labels;
mod pattern;
mod word;

use std::{fmt, time};

use model::duration;

use crate::{
    decode::{Broken, Decoder, Setting, Style},
    yaml::{Node, Yaml},
};
pub use bytes::Bytes;
pub use labels::{LabelName, LabelSet};
pub use pattern::Pattern;

/// A duration in Prometheus' grammar, such as `1h30m`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub time::Duration);

impl Duration {
    pub const ZERO: Duration = Duration(time::Duration::ZERO);

    pub const fn from_secs(seconds: u64) -> Duration {
        Duration(time::Duration::from_secs(seconds))
    }

    pub const fn from_millis(millis: u64) -> Duration {
        Duration(time::Duration::from_millis(millis))
    }

    /// This, or `other` where this is not set.
    pub fn or(self, other: Duration) -> Duration {
        if self == Duration::ZERO { other } else { self }
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&duration::format(self.0))
    }
}

impl Setting for Duration {
    const GO_TYPE: &'static str = "model.Duration";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<Duration>, Broken> {
        let Some(text) = String::decode(node, decoder)? else { return Ok(None) };
        match duration::parse(&text) {
            Ok(duration) => Ok(Some(Duration(duration))),
            Err(error) => Err(error.to_string().into()),
        }
    }

    fn encode(&self, _: Style) -> Yaml {
        Yaml::Text(self.to_string())
    }
}

/// A text that is never printed.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Secret(pub String);

impl Secret {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "\"\"" } else { "<secret>" })
    }
}

impl Setting for Secret {
    const GO_TYPE: &'static str = "config.Secret";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<Secret>, Broken> {
        Ok(String::decode(node, decoder)?.map(Secret))
    }

    fn encode(&self, style: Style) -> Yaml {
        match style {
            Style::Whole => Yaml::Text(self.0.clone()),
            Style::Shown if self.is_empty() => Yaml::Null,
            Style::Shown => Yaml::Text("<secret>".to_owned()),
        }
    }
}

/// A path, relative to the directory of the file that names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FilePath(pub String);

impl FilePath {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for FilePath {
    fn from(path: &str) -> FilePath {
        FilePath(path.to_owned())
    }
}

impl Setting for FilePath {
    const GO_TYPE: &'static str = "string";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<FilePath>, Broken> {
        Ok(String::decode(node, decoder)?.map(FilePath))
    }

    fn encode(&self, _: Style) -> Yaml {
        Yaml::Text(self.0.clone())
    }

    fn set_directory(&mut self, directory: &str) {
        self.0 = join(directory, &self.0);
    }
}

/// Joins as Go's `filepath.Join` does, which also tidies the path; an empty or absolute `path`
/// stays.
pub fn join(directory: &str, path: &str) -> String {
    if path.is_empty() || path.starts_with('/') {
        return path.to_owned();
    }
    let whole = format!("{directory}/{path}");
    let rooted = whole.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.join("/")) {
        (true, tidy) => format!("/{tidy}"),
        (false, tidy) if tidy.is_empty() => ".".to_owned(),
        (false, tidy) => tidy,
    }
}

/// A URL as written; its password is not printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Url(pub String);

impl Url {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn redacted(&self) -> String {
        match url::Url::parse(&self.0) {
            Ok(mut url) if url.password().is_some() => match url.set_password(Some("xxxxx")) {
                Ok(()) => url.to_string(),
                Err(()) => "xxxxx".to_owned(),
            },
            _ => self.0.clone(),
        }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.redacted())
    }
}

impl Setting for Url {
    const GO_TYPE: &'static str = "config.URL";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<Url>, Broken> {
        let Some(text) = String::decode(node, decoder)? else { return Ok(None) };
        parse_url(&text)?;
        Ok(Some(Url(text)))
    }

    fn encode(&self, style: Style) -> Yaml {
        Yaml::Text(match style {
            Style::Whole => self.0.clone(),
            Style::Shown => self.redacted(),
        })
    }
}

/// The parts of a URL that checks ask for.
pub struct UrlParts {
    pub scheme: String,
    pub host: String,
}

/// Reads a URL as leniently as Go does: also `host:port` and a bare path are URLs.
pub fn parse_url(text: &str) -> Result<UrlParts, Broken> {
    let broken = |why: &str| Broken::from(format!("parse {text:?}: {why}"));
    if text.bytes().any(|b| b < 0x20 || b == 0x7f) {
        return Err(broken("net/url: invalid control character in URL"));
    }
    check_escapes(text).map_err(|why| broken(&why))?;
    let (scheme, rest) = match text.split_once(':') {
        Some(("", _)) => return Err(broken("missing protocol scheme")),
        Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_ascii_lowercase(), rest),
        Some((before, _)) if !before.contains(['/', '?', '#']) => {
            return Err(broken("first path segment in URL cannot contain colon"));
        }
        _ => (String::new(), text),
    };
    let host = match rest.strip_prefix("//") {
        Some(authority) => {
            let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
            authority.rsplit_once('@').map_or(authority, |(_, host)| host)
        }
        None => "",
    };
    check_host(host).map_err(|why| broken(&why))?;
    Ok(UrlParts { scheme, host: host.to_owned() })
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

fn check_escapes(text: &str) -> Result<(), String> {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    for (idx, _) in path.match_indices('%') {
        let digits = path.as_bytes().get(idx + 1..idx + 3).unwrap_or_default();
        if digits.len() < 2 || !digits.iter().all(u8::is_ascii_hexdigit) {
            let shown = path.get(idx..path.len().min(idx + 3)).unwrap_or("%");
            return Err(format!("invalid URL escape {shown:?}"));
        }
    }
    Ok(())
}

fn check_host(host: &str) -> Result<(), String> {
    if let Some(bad) = host
        .chars()
        .find(|c| matches!(c, ' ' | '<' | '>' | '"' | '\\' | '^' | '`' | '{' | '|' | '}'))
    {
        return Err(format!("invalid character {:?} in host name", bad.to_string()));
    }
    let after_brackets = host.rsplit_once(']').map_or(host, |(_, after)| after);
    match after_brackets.rsplit_once(':') {
        Some((_, port)) if !port.bytes().all(|b| b.is_ascii_digit()) => {
            Err(format!("invalid port {:?} after host", format!(":{port}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
