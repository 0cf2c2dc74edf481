//! The formats in which targets may answer.

use std::collections::HashSet;

use crate::{
    decode::{Broken, Decoder, Setting, Style},
    yaml::{Node, Yaml},
};

/// The name of a format; checked not when it is read but where it is used, as upstream does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrapeProtocol(pub String);

/// Names and content types.
const PROTOCOLS: [(&str, &str); 5] = [
    ("OpenMetricsText0.0.1", "application/openmetrics-text;version=0.0.1"),
    ("OpenMetricsText1.0.0", "application/openmetrics-text;version=1.0.0"),
    (
        "PrometheusProto",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
    ),
    ("PrometheusText0.0.4", "text/plain;version=0.0.4"),
    ("PrometheusText1.0.0", "text/plain;version=1.0.0"),
];

/// What is asked for unless the file says otherwise, most wanted first.
const STANDARD: [&str; 4] =
    ["OpenMetricsText1.0.0", "OpenMetricsText0.0.1", "PrometheusText1.0.0", "PrometheusText0.0.4"];

impl ScrapeProtocol {
    /// What is asked for by default; protobuf first if native histograms are wanted.
    pub fn standard(protobuf_first: bool) -> Vec<ScrapeProtocol> {
        let first = protobuf_first.then_some("PrometheusProto");
        first.into_iter().chain(STANDARD).map(|name| ScrapeProtocol(name.to_owned())).collect()
    }

    /// The content type to ask for; `None` for an unknown format.
    pub fn content_type(&self) -> Option<&'static str> {
        PROTOCOLS.iter().find(|(name, _)| *name == self.0).map(|(_, content_type)| *content_type)
    }

    /// The content type without its parameters.
    pub fn media_type(&self) -> Option<&'static str> {
        self.content_type()?.split(';').next()
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        if self.content_type().is_some() {
            return Ok(());
        }
        let supported = PROTOCOLS.map(|(name, _)| name).join(" ");
        Err(format!("unknown scrape protocol {}, supported: [{supported}]", self.0))
    }
}

/// Refuses unknown formats and repeated ones.
pub(super) fn validate_protocols(protocols: &[ScrapeProtocol]) -> Result<(), String> {
    if protocols.is_empty() {
        return Err("scrape_protocols cannot be empty".to_owned());
    }
    let mut seen = HashSet::new();
    for protocol in protocols {
        if !seen.insert(protocol.0.to_lowercase()) {
            let all: Vec<&str> = protocols.iter().map(|protocol| protocol.0.as_str()).collect();
            return Err(format!(
                "duplicated protocol in scrape_protocols, got [{}]",
                all.join(" ")
            ));
        }
        protocol.validate().map_err(|message| format!("scrape_protocols: {message}"))?;
    }
    Ok(())
}

impl Setting for ScrapeProtocol {
    const GO_TYPE: &'static str = "config.ScrapeProtocol";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<ScrapeProtocol>, Broken> {
        Ok(String::decode(node, decoder)?.map(ScrapeProtocol))
    }

    fn encode(&self, _: Style) -> Yaml {
        Yaml::Text(self.0.clone())
    }
}
