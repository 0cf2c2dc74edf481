//! The two messages of remote write, and what requests say of themselves.

use std::fmt;

/// A message that remote write sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// Remote write 1.0.
    Version1,
    /// Remote write 2.0.
    Version2,
}

impl Message {
    pub const ALL: [Message; 2] = [Message::Version1, Message::Version2];

    /// The message's name in protobuf, as flags, configuration and headers spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Message::Version1 => "prometheus.WriteRequest",
            Message::Version2 => "io.prometheus.write.v2.Request",
        }
    }

    /// The message of that name.
    pub fn parse(name: &str) -> Result<Message, UnknownMessage> {
        let known = Message::ALL.into_iter().find(|message| message.name() == name);
        known.ok_or_else(|| UnknownMessage(name.to_owned()))
    }

    /// The message that a content type announces; none means version 1.
    fn of_content_type(content_type: &str) -> Result<Message, Unsupported> {
        let content_type = content_type.trim();
        let mut parts = content_type.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        if media.is_empty() {
            return Ok(Message::Version1);
        }
        if media != PROTOBUF {
            return Err(Unsupported::Media(content_type.to_owned()));
        }
        for part in parts {
            let Some((key, value)) = part.split_once('=').filter(|(_, v)| !v.contains('=')) else {
                return Err(Unsupported::Parameter {
                    part: part.to_owned(),
                    content_type: content_type.to_owned(),
                });
            };
            if key == "proto" {
                return Message::parse(value).map_err(|unknown| Unsupported::Message {
                    content_type: content_type.to_owned(),
                    unknown,
                });
            }
        }
        Ok(Message::Version1)
    }

    /// The message of a request with these headers, `""` where there is none.
    pub(crate) fn of_headers(
        content_type: &str,
        content_encoding: &str,
        accepted: &[Message],
    ) -> Result<Message, Unsupported> {
        let message = Message::of_content_type(content_type)?;
        if !accepted.contains(&message) {
            return Err(Unsupported::NotAccepted { message, accepted: accepted.to_vec() });
        }
        if !matches!(content_encoding, "" | SNAPPY) {
            return Err(Unsupported::Encoding(content_encoding.to_owned()));
        }
        Ok(message)
    }
}

const PROTOBUF: &str = "application/x-protobuf";
const SNAPPY: &str = "snappy";

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no message has; the words are upstream's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown type for remote write protobuf message {0}, supported: prometheus.WriteRequest, \
     io.prometheus.write.v2.Request"
)]
pub struct UnknownMessage(pub String);

/// Why the kind of a request is not taken: status 415. The words are upstream's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsupported {
    #[error("expected application/x-protobuf as the first (media) part, got {0} content-type")]
    Media(String),
    #[error(
        "as per https://www.rfc-editor.org/rfc/rfc9110#parameter expected parameters to be \
         key-values, got {part} in {content_type} content-type"
    )]
    Parameter { part: String, content_type: String },
    #[error("got {content_type} content type; {unknown}")]
    Message { content_type: String, unknown: UnknownMessage },
    #[error(
        "{message} protobuf message is not accepted by this server; only accepts {}",
        accepted.iter().map(|message| message.name()).collect::<Vec<_>>().join(", ")
    )]
    NotAccepted { message: Message, accepted: Vec<Message> },
    #[error("{0} encoding (compression) is not accepted by this server; only snappy is acceptable")]
    Encoding(String),
}
