//! How to read a body: what its `Content-Type` says, or what the configuration says instead.

use crate::{Protocol, media_type::MediaType};

/// A way to read bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reader {
    Text,
    OpenMetrics,
    /// Length-delimited `MetricFamily` messages.
    Protobuf,
}

/// The decision, and what is wrong with the header. Without a reader the body cannot be read; with
/// one, the complaint is for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub reader: Option<Reader>,
    pub complaint: Option<String>,
}

impl Protocol {
    /// How answers in this protocol are read.
    pub fn reader(self) -> Reader {
        match self {
            Protocol::PrometheusProto => Reader::Protobuf,
            Protocol::PrometheusText0_0_4 | Protocol::PrometheusText1_0_0 => Reader::Text,
            Protocol::OpenMetricsText0_0_1 | Protocol::OpenMetricsText1_0_0 => Reader::OpenMetrics,
        }
    }
}

impl Reader {
    fn of(essence: &str) -> Option<Reader> {
        match essence {
            "text/plain" => Some(Reader::Text),
            "application/openmetrics-text" => Some(Reader::OpenMetrics),
            "application/vnd.google.protobuf" => Some(Reader::Protobuf),
            _ => None,
        }
    }

    fn essence(self) -> &'static str {
        match self {
            Reader::Text => "text/plain",
            Reader::OpenMetrics => "application/openmetrics-text",
            Reader::Protobuf => "application/vnd.google.protobuf",
        }
    }
}

/// Chooses by the header, which may be missing (""), and the job's `fallback_scrape_protocol`.
pub fn choose(content_type: &str, fallback: Option<Protocol>) -> Choice {
    let fallback = fallback.map(Protocol::reader);
    let otherwise = match fallback {
        Some(reader) => format!(", using fallback_scrape_protocol {:?}", reader.essence()),
        None => " and no fallback_scrape_protocol specified for target".to_owned(),
    };
    let complain = |text| Choice { reader: fallback, complaint: Some(text) };
    let quoted = model::labels::quote(content_type);
    if content_type.is_empty() {
        return complain(format!(
            "non-compliant scrape target sending blank Content-Type{otherwise}"
        ));
    }
    let media_type = match MediaType::parse(content_type) {
        Ok(media_type) => media_type,
        Err(error) if fallback.is_some() => {
            return complain(format!(
                "could not parse received Content-Type {quoted}{otherwise}\n{error}"
            ));
        }
        Err(error) => {
            return complain(format!(
                "cannot parse Content-Type {quoted} and no fallback_scrape_protocol for target\n{error}"
            ));
        }
    };
    match Reader::of(&media_type.essence) {
        Some(reader) => Choice { reader: Some(reader), complaint: None },
        None => complain(format!("received unsupported Content-Type {quoted}{otherwise}")),
    }
}

/// The reader of an answer to a tool, which takes only what it knows in every detail.
pub fn known(content_type: &str) -> Option<Reader> {
    let media_type = MediaType::parse(content_type).ok()?;
    let is_one_of = |name, known: &[&str]| known.contains(&media_type.parameter(name));
    let reader = Reader::of(&media_type.essence)?;
    let is_known = match reader {
        Reader::Text => is_one_of("version", &["", "0.0.4"]),
        Reader::Protobuf => {
            is_one_of("proto", &["", "io.prometheus.client.MetricFamily"])
                && is_one_of("encoding", &["", "delimited"])
        }
        Reader::OpenMetrics => false,
    };
    is_known.then_some(reader)
}
