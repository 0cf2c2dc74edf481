//! An HTTP client as the settings of an integration ask for it, and what its failures mean.

use std::{io, path::Path, time::Duration};

use alertmanager::integration::{self, FailureReason, NotifyError};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use runtime::Runtime;
use transport::client::{Client, Error, Limits, Request, Response};
use url::Url;

use crate::http_config;

/// What a service answers is not read beyond this.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// What of an answer is quoted in an error.
const QUOTED_BYTES_MAX: usize = 4 << 10;
/// The pipeline gives up by dropping the future; this only has to be longer.
const NO_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 3600);

const USER_AGENT: &str = "Alertmanager/0.34.0";

/// Speaks to one service for one integration.
pub(crate) struct Http {
    client: Client,
    runtime: Runtime,
    timeout: Duration,
}

impl Http {
    /// `timeout` zero is none.
    pub(crate) fn new(
        settings: &Option<settings::http::HttpClient>,
        timeout: Duration,
        runtime: &Runtime,
    ) -> Result<Http, Error> {
        let config = match settings {
            Some(settings) => http_config::to_client(settings)?,
            None => transport::client::Config::default(),
        };
        Http::with_config(config, timeout, runtime)
    }

    /// As [`Http::new`], for who has more to say than the settings can.
    pub(crate) fn with_config(
        config: transport::client::Config,
        timeout: Duration,
        runtime: &Runtime,
    ) -> Result<Http, Error> {
        let client = Client::new(config, runtime.clone())?;
        Ok(Http { client, runtime: runtime.clone(), timeout })
    }

    pub(crate) async fn post_json(
        &self,
        url: &str,
        body: impl Into<Bytes>,
    ) -> Result<Response, NotifyError> {
        let json = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, json)]);
        self.send(Method::POST, url, headers, body.into()).await
    }

    /// Errors never show the URL: with many services, knowing it is being allowed to use it.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response, NotifyError> {
        let name = method_name(&method);
        let url = Url::parse(url).map_err(|error| {
            // As Go's client: what cannot be asked may be asked again.
            NotifyError::transient(format!("{name} \"<redacted>\": {error}"))
        })?;
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        let timeout = if self.timeout.is_zero() { NO_TIMEOUT } else { self.timeout };
        let limits = Limits { timeout, body_bytes: ANSWER_BYTES_MAX };
        let request = Request { method, url, headers, body };
        self.client.send(request, &limits).await.map_err(|error| explain(error, &name))
    }

    /// See [`read_file`].
    pub(crate) async fn read_file(&self, path: &str) -> Result<String, String> {
        read_file(&self.runtime, path).await
    }
}

/// The content of a small file, without blanks around it; read each time, so that secrets can be
/// changed while we run.
pub(crate) async fn read_file(runtime: &Runtime, path: &str) -> Result<String, String> {
    let disk = runtime.disk.clone();
    let owned = Path::new(path).to_owned();
    let read = tokio::task::spawn_blocking(move || disk.read_to_string(&owned)).await;
    match read.map_err(io::Error::other).flatten() {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) => Err(format!("open {path}: {}", describe(&error))),
    }
}

/// The system's words, as Go prints them.
fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// Go writes methods as words: Post.
fn method_name(method: &Method) -> String {
    let lower = method.as_str().to_ascii_lowercase();
    let mut chars = lower.chars();
    chars.next().map_or_else(String::new, |first| {
        format!("{}{}", first.to_ascii_uppercase(), chars.as_str())
    })
}

fn explain(error: Error, method: &str) -> NotifyError {
    let reason = match error {
        Error::Connect { reason, .. } | Error::Exchange { reason, .. } => reason,
        Error::TooManyRedirects { .. } => "stopped after 10 redirects".to_owned(),
        Error::Timeout { .. } => {
            let message = format!("{method} \"<redacted>\": context deadline exceeded");
            return NotifyError::transient(message)
                .with_reason(FailureReason::ContextDeadlineExceeded);
        }
        other => other.to_string(),
    };
    NotifyError::transient(format!("{method} \"<redacted>\": {reason}"))
}

/// What the status of an answer means: 2xx is success, and it is worth trying again after 5xx and
/// those in `retried`. The answer is part of the error.
pub(crate) fn check_status(response: &Response, retried: &[u16]) -> Result<(), NotifyError> {
    let details = quote_start(&response.body);
    integration::http::check_status(response.status.as_u16(), Some(&details), retried)
}

pub(crate) fn quote_start(body: &[u8]) -> String {
    String::from_utf8_lossy(body.get(..QUOTED_BYTES_MAX).unwrap_or(body)).into_owned()
}

/// Appends to the path of a URL, in front of a query. A URL that is a host alone gets the slash
/// that Go prints there.
pub(crate) fn join_path(url: &str, more: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let (path, rest) = url.split_at(end);
    let is_host = path.split_once("://").is_some_and(|(_, host)| !host.contains('/'));
    let slash = if is_host && !more.starts_with('/') { "/" } else { "" };
    format!("{path}{slash}{more}{rest}")
}
