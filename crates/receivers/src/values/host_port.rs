use std::fmt;

use settings::{
    decode::{Broken, Decoder, Setting, Style},
    yaml::{Node, Yaml},
};

/// Where a mail server listens: `localhost:25`, `[::1]:25`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostPort {
    pub host: String,
    pub port: String,
}

impl HostPort {
    /// Splits as Go's `net.SplitHostPort` does, in its words.
    pub fn parse(text: &str) -> Result<HostPort, Broken> {
        let broken = |why: &str| Broken::from(format!("address {text}: {why}"));
        if text.is_empty() {
            return Ok(HostPort::default());
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, after) =
                    rest.split_once(']').ok_or_else(|| broken("missing ']' in address"))?;
                (host, after.strip_prefix(':').ok_or_else(|| broken("missing port in address"))?)
            }
            None => {
                let (host, port) =
                    text.rsplit_once(':').ok_or_else(|| broken("missing port in address"))?;
                if host.contains(':') {
                    return Err(broken("too many colons in address"));
                }
                (host, port)
            }
        };
        if port.is_empty() {
            return Err(format!("address {text:?}: port cannot be empty").into());
        }
        Ok(HostPort { host: host.to_owned(), port: port.to_owned() })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.host.as_str(), self.port.as_str()) {
            ("", "") => Ok(()),
            (host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            (host, port) => write!(f, "{host}:{port}"),
        }
    }
}

impl Setting for HostPort {
    const GO_TYPE: &'static str = "string";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<HostPort>, Broken> {
        let Some(text) = String::decode(node, decoder)? else { return Ok(None) };
        HostPort::parse(&text).map(Some)
    }

    fn encode(&self, _: Style) -> Yaml {
        Yaml::Text(self.to_string())
    }
}
