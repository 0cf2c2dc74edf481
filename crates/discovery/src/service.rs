//! Asks services over HTTP.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use runtime::Runtime;
use serde_json::Value;
use transport::client::{Client, Config, Limits, Request, Response, Streaming};
use url::Url;

const USER_AGENT: &str = "Prometheus/3.14.0";
/// The largest clusters say some hundred megabytes.
const LIMITS: Limits = Limits { timeout: Duration::from_secs(60), body_bytes: 1 << 30 };
/// A list that goes on and on is a mistake of the service.
pub(crate) const PAGES_MAX: usize = 10_000;
/// Of an answer that says what is wrong.
const QUOTED_BYTES_MAX: usize = 256;

/// A service that knows of targets.
pub(crate) struct Service {
    client: Client,
    limits: Limits,
    headers: HeaderMap,
}

impl Service {
    pub(crate) fn new(config: &Config, runtime: &Runtime) -> Result<Service, String> {
        let client = Client::new(config.clone(), runtime.clone());
        let client = client.map_err(|error| error.to_string())?;
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        Ok(Service { client, limits: LIMITS, headers })
    }

    pub(crate) fn with_timeout(self, timeout: Duration) -> Service {
        Service { limits: Limits { timeout, ..self.limits }, ..self }
    }

    /// Sends a header with every request.
    pub(crate) fn with_header(
        mut self,
        name: &'static str,
        value: &str,
    ) -> Result<Service, String> {
        let value = HeaderValue::from_str(value)
            .map_err(|error| format!("value of header {name}: {error}"))?;
        self.headers.insert(HeaderName::from_static(name), value);
        Ok(self)
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response, String> {
        let url = Url::parse(url).map_err(|error| format!("parse {url:?}: {error}"))?;
        let mut all = self.headers.clone();
        all.extend(headers);
        let request = Request { method, url, headers: all, body };
        self.client.send(request, &self.limits).await.map_err(|error| error.to_string())
    }

    /// The answer to a GET, whatever its status.
    pub(crate) async fn get(&self, url: &str) -> Result<Response, String> {
        self.send(Method::GET, url, HeaderMap::new(), Bytes::new()).await
    }

    /// The JSON that a GET gives.
    pub(crate) async fn get_json(&self, url: &str) -> Result<Value, String> {
        json(&self.get(url).await?)
    }

    pub(crate) async fn post_json(&self, url: &str, body: &Value) -> Result<Value, String> {
        let kind = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]);
        json(&self.send(Method::POST, url, headers, body.to_string().into()).await?)
    }

    /// The JSON that a GET with these headers gives.
    pub(crate) async fn ask(&self, url: &str, headers: HeaderMap) -> Result<Value, String> {
        json(&self.send(Method::GET, url, headers, Bytes::new()).await?)
    }

    /// All pages of a list, of which each says where the `next` one is, if there is one.
    pub(crate) async fn pages(
        &self,
        first: String,
        headers: &HeaderMap,
        next: impl Fn(&Value) -> String,
    ) -> Result<Vec<Value>, String> {
        let (mut pages, mut url) = (Vec::new(), first);
        while !url.is_empty() {
            if pages.len() == PAGES_MAX {
                return Err(format!("more than {PAGES_MAX} pages"));
            }
            let page = self.ask(&url, headers.clone()).await?;
            url = next(&page);
            pages.push(page);
        }
        Ok(pages)
    }

    /// An answer that does not end by itself.
    pub(crate) async fn stream(&self, url: &str) -> Result<Streaming, String> {
        let url = Url::parse(url).map_err(|error| format!("parse {url:?}: {error}"))?;
        let mut request = Request::get(url);
        request.headers = self.headers.clone();
        let opened = self.client.open(request, self.limits.timeout).await;
        opened.map_err(|error| error.to_string())
    }
}

/// The body of a good answer; of another one its status is the error.
pub(crate) fn body(response: &Response) -> Result<Bytes, String> {
    let status = response.status;
    if status.is_success() {
        return response.decoded(LIMITS.body_bytes).map_err(|error| error.to_string());
    }
    let quoted = response.body.get(..QUOTED_BYTES_MAX).unwrap_or(&response.body);
    let quoted = String::from_utf8_lossy(quoted);
    let words = status_words(status);
    match quoted.trim() {
        "" => Err(format!("server returned HTTP status {words}")),
        quoted => Err(format!("server returned HTTP status {words}: {quoted}")),
    }
}

pub(crate) fn json(response: &Response) -> Result<Value, String> {
    serde_json::from_slice(&body(response)?).map_err(|error| format!("parse the answer: {error}"))
}

/// Code and name, as Go prints them.
pub(crate) fn status_words(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

/// For the query of a URL.
pub(crate) fn escape(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Asks for each of `items`, so many at once; the answers are in their order.
pub(crate) fn for_each<T, R, F: Future<Output = Result<R, String>>>(
    items: impl IntoIterator<Item = T>,
    n_at_once: usize,
    ask: impl FnMut(T) -> F,
) -> impl Future<Output = Result<Vec<R>, String>> {
    // Made at once, as a closure that is kept while waiting is none that threads can share.
    let questions: Vec<F> = items.into_iter().map(ask).collect();
    futures_util::stream::iter(questions).buffered(n_at_once.max(1)).try_collect()
}
