//! One request to the receiver, and what its answer means.

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_ENCODING, RETRY_AFTER, USER_AGENT},
};
use transport::client::{Client, Limits, Request};
use url::Url;

use crate::{Message, Written};

/// More of an error's text is not shown.
const ERROR_BYTES_MAX: usize = 1024;
/// No answer is larger that anybody would look at.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Speaks to one receiver.
pub(super) struct WriteClient {
    pub(super) client: Client,
    pub(super) url: Url,
    pub(super) message: Message,
    pub(super) timeout: Duration,
    pub(super) retry_on_http_429: bool,
    pub(super) user_agent: String,
}

/// Why a request has failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(super) struct Failed {
    pub(super) text: String,
    /// Whether it may succeed another time.
    pub(super) is_recoverable: bool,
    /// Something of the request is not as it must be.
    pub(super) is_bad_request: bool,
    /// What the receiver asks for, if it does.
    pub(super) retry_after: Option<Duration>,
}

impl WriteClient {
    /// Sends a message that is packed already; `attempt` counts from 0. Says what the receiver
    /// says that it has written, if it does.
    pub(super) async fn post(
        &self,
        body: Bytes,
        attempt: u32,
        now: Duration,
    ) -> Result<Option<Written>, Failed> {
        let mut request = Request::post(self.url.clone(), content_type(self.message), body);
        let headers = &mut request.headers;
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("snappy"));
        headers.insert("x-prometheus-remote-write-version", version(self.message));
        if let Ok(user_agent) = HeaderValue::from_str(&self.user_agent) {
            headers.insert(USER_AGENT, user_agent);
        }
        if attempt > 0 {
            headers.insert("retry-attempt", attempt.into());
        }
        let limits = Limits { timeout: self.timeout, body_bytes: ANSWER_BYTES_MAX };
        // Whatever keeps an answer from coming may pass.
        let response = self.client.send(request, &limits).await.map_err(|error| Failed {
            text: error.to_string(),
            is_recoverable: true,
            is_bad_request: false,
            retry_after: None,
        })?;
        let written = written(&response.headers);
        if response.status.is_success() {
            return Ok(written);
        }
        let retry_after = response.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        Err(failed(
            response.status,
            &response.body,
            retry_after.unwrap_or_default(),
            self.retry_on_http_429,
            now,
        ))
    }
}

/// What an answer that is no success means.
pub(super) fn failed(
    status: StatusCode,
    body: &[u8],
    retry_after: &str,
    retry_on_http_429: bool,
    now: Duration,
) -> Failed {
    let shown = &body[..body.len().min(ERROR_BYTES_MAX)];
    let is_recoverable =
        status.is_server_error() || retry_on_http_429 && status == StatusCode::TOO_MANY_REQUESTS;
    let wait = parse_retry_after(retry_after, now);
    Failed {
        text: format!(
            "server returned HTTP status {} {}: {}",
            status.as_u16(),
            status.canonical_reason().unwrap_or_default(),
            String::from_utf8_lossy(shown)
        ),
        is_recoverable,
        is_bad_request: status == StatusCode::BAD_REQUEST,
        retry_after: Some(wait).filter(|wait| is_recoverable && !wait.is_zero()),
    }
}

/// Seconds, or a date of HTTP; zero for what is neither.
pub(super) fn parse_retry_after(text: &str, now: Duration) -> Duration {
    if let Ok(seconds) = text.trim().parse::<u32>() {
        return Duration::from_secs(seconds.into());
    }
    let Ok(zoned) = jiff::fmt::rfc2822::parse(text) else { return Duration::ZERO };
    let at = u64::try_from(zoned.timestamp().as_second()).unwrap_or_default();
    Duration::from_secs(at).saturating_sub(now)
}

/// The counts in an answer's headers; nothing unless one is there.
pub(super) fn written(headers: &HeaderMap) -> Option<Written> {
    let count = |name: &str| -> Option<u64> { headers.get(name)?.to_str().ok()?.parse().ok() };
    let samples = count("x-prometheus-remote-write-samples-written");
    let histograms = count("x-prometheus-remote-write-histograms-written");
    let exemplars = count("x-prometheus-remote-write-exemplars-written");
    samples.or(histograms).or(exemplars)?;
    Some(Written {
        samples: samples.unwrap_or_default(),
        histograms: histograms.unwrap_or_default(),
        exemplars: exemplars.unwrap_or_default(),
    })
}

fn content_type(message: Message) -> &'static str {
    match message {
        Message::Version1 => "application/x-protobuf",
        Message::Version2 => "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    }
}

fn version(message: Message) -> HeaderValue {
    HeaderValue::from_static(match message {
        Message::Version1 => "0.1.0",
        Message::Version2 => "2.0.0",
    })
}
