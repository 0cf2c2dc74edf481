//! From an `Accept` header to a format.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderValue, header::ACCEPT};
use model::names::{self, EscapingScheme};

/// How metrics are written, and how names outside of the classic character set are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) syntax: Syntax,
    pub(crate) escaping: EscapingScheme,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    Text,
    OpenMetrics0_0_1,
    OpenMetrics1_0_0,
    /// Messages with their lengths before them.
    Protobuf,
}

impl Syntax {
    pub(crate) const ALL: &[Syntax] =
        &[Syntax::Text, Syntax::OpenMetrics0_0_1, Syntax::OpenMetrics1_0_0, Syntax::Protobuf];
    /// What federation offers.
    pub(crate) const WITHOUT_OPEN_METRICS: &[Syntax] = &[Syntax::Text, Syntax::Protobuf];
}

impl Format {
    /// The first of `offered` in the order that the client likes; the text format if there is none.
    pub(crate) fn negotiate(headers: &HeaderMap, offered: &[Syntax]) -> Format {
        let mut escaping = EscapingScheme::Underscores;
        for range in ranges(headers) {
            if let Some(wanted) = range.parameter("escaping") {
                escaping = EscapingScheme::parse(wanted).unwrap_or(escaping);
            }
            let syntax = match (range.media_type, range.parameter("version").unwrap_or_default()) {
                ("text/plain", "" | "0.0.4") => Syntax::Text,
                ("application/openmetrics-text", "" | "0.0.1") => Syntax::OpenMetrics0_0_1,
                ("application/openmetrics-text", "1.0.0") => Syntax::OpenMetrics1_0_0,
                ("application/vnd.google.protobuf", _) if range.is_delimited_families() => {
                    Syntax::Protobuf
                }
                _ => continue,
            };
            if offered.contains(&syntax) {
                return Format { syntax, escaping };
            }
        }
        Format { syntax: Syntax::Text, escaping }
    }

    pub(crate) fn content_type(self) -> HeaderValue {
        let media_type = match self.syntax {
            Syntax::Text => "text/plain; version=0.0.4; charset=utf-8",
            Syntax::OpenMetrics0_0_1 => {
                "application/openmetrics-text; version=0.0.1; charset=utf-8"
            }
            Syntax::OpenMetrics1_0_0 => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
            Syntax::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; \
                encoding=delimited"
            }
        };
        let text = format!("{media_type}; escaping={}", self.escaping.as_str());
        HeaderValue::try_from(text).expect("it is printable ASCII")
    }
}

/// A metric or label name for clients that may know only the classic character set.
pub(super) fn escape(name: &str, scheme: EscapingScheme) -> Cow<'_, str> {
    match scheme {
        EscapingScheme::AllowUtf8 => Cow::Borrowed(name),
        // Dots also touch classic names.
        scheme if scheme != EscapingScheme::Dots && names::is_legacy_metric_name(name) => {
            Cow::Borrowed(name)
        }
        scheme => Cow::Owned(names::escape(name, scheme)),
    }
}

/// One of the media types that a client accepts.
struct Range<'a> {
    media_type: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl Range<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn is_delimited_families(&self) -> bool {
        self.parameter("proto") == Some("io.prometheus.client.MetricFamily")
            && self.parameter("encoding") == Some("delimited")
    }

    fn quality(&self) -> f64 {
        self.parameter("q").and_then(|q| q.parse().ok()).unwrap_or(1.0)
    }
}

/// The best first; of equals the one that is written first.
fn ranges(headers: &HeaderMap) -> Vec<Range<'_>> {
    let texts = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut ranges: Vec<Range<'_>> = texts.flat_map(|text| text.split(',')).map(range).collect();
    ranges.sort_by(|a, b| b.quality().total_cmp(&a.quality()));
    ranges
}

fn range(text: &str) -> Range<'_> {
    let mut parts = text.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    let parameters = parts.filter_map(|part| part.split_once('='));
    let parameters = parameters.map(|(name, value)| (name.trim(), value.trim())).collect();
    Range { media_type, parameters }
}
