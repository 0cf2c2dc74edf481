//! One request to one target.

use std::time::Duration;

use exposition::Protocol;
use http::{
    HeaderValue, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT},
};
use model::names::EscapingScheme;
use transport::client::{self, Client, Limits, Request, Response};
use url::Url;

use crate::Config;

/// What a body may grow to where the configuration sets no limit: a bomb must not take the node.
const BODY_BYTES_MAX: usize = 512 << 20;

/// Why there is no body; the words are upstream's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error(transparent)]
    Transport(client::Error),
    #[error("server returned HTTP status {0}")]
    Status(StatusCode),
    #[error("body size limit exceeded")]
    BodyTooLarge,
    #[error("{0}")]
    Refused(String),
}

/// What the requests to all targets of a job have in common.
#[derive(Debug, Clone)]
pub(crate) struct Headers {
    accept: HeaderValue,
    accept_encoding: HeaderValue,
    user_agent: HeaderValue,
}

impl Headers {
    pub(crate) fn new(config: &Config, user_agent: &str) -> Headers {
        let value = |text: &str| HeaderValue::from_str(text).expect("names of formats are ASCII");
        Headers {
            accept: value(&accept(&config.scrape_protocols, config.metric_name_escaping_scheme)),
            accept_encoding: value(if config.enable_compression { "gzip" } else { "identity" }),
            user_agent: HeaderValue::from_str(user_agent)
                .unwrap_or(HeaderValue::from_static("Vesta")),
        }
    }
}

/// The formats with falling weights, then anything.
fn accept(protocols: &[Protocol], escaping: EscapingScheme) -> String {
    let mut weight = 6;
    let mut accept = String::new();
    for protocol in protocols {
        let escaping = match protocol {
            Protocol::PrometheusText1_0_0 | Protocol::OpenMetricsText1_0_0 => {
                format!(";escaping={}", escaping.as_str())
            }
            _ => String::new(),
        };
        accept.push_str(&format!("{}{escaping};q=0.{weight},", protocol.media_type()));
        weight -= 1;
    }
    accept.push_str(&format!("*/*;q=0.{weight}"));
    accept
}

/// The size from which on a body is too large.
fn body_limit(config: &Config) -> usize {
    match usize::try_from(config.body_size_limit) {
        Ok(0) => BODY_BYTES_MAX,
        Ok(limit) => limit - 1,
        Err(_) => BODY_BYTES_MAX,
    }
}

/// Asks the target; the body is still compressed.
pub(crate) async fn fetch(
    client: &Client,
    config: &Config,
    headers: &Headers,
    url: &Url,
    timeout: Duration,
) -> Result<Response, FetchError> {
    let mut request = Request::get(url.clone());
    let mut seconds = String::new();
    model::float::write_plain(timeout.as_secs_f64(), &mut seconds);
    let seconds = HeaderValue::from_str(&seconds).expect("numbers are ASCII");
    request.headers.insert(ACCEPT, headers.accept.clone());
    request.headers.insert(ACCEPT_ENCODING, headers.accept_encoding.clone());
    request.headers.insert(USER_AGENT, headers.user_agent.clone());
    request.headers.insert("x-prometheus-scrape-timeout-seconds", seconds);
    let limits = Limits { timeout, body_bytes: body_limit(config) };
    let response = client.send(request, &limits).await?;
    match response.status {
        StatusCode::OK => Ok(response),
        status => Err(FetchError::Status(status)),
    }
}

/// The body as text.
pub(crate) fn decode(config: &Config, response: &Response) -> Result<bytes::Bytes, FetchError> {
    Ok(response.decoded(body_limit(config))?)
}

pub(crate) fn content_type(response: &Response) -> &str {
    response.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

impl From<client::Error> for FetchError {
    fn from(error: client::Error) -> FetchError {
        match error {
            client::Error::BodyTooLarge { .. } => FetchError::BodyTooLarge,
            error => FetchError::Transport(error),
        }
    }
}
