//! Sends requests: credentials, TLS, redirects, time-out and a cap on the body.

mod aws;
mod cloud;
mod config;
mod connector;
mod error;
mod oauth2;
mod proxy;
mod redirect;
mod secret;
#[cfg(test)]
mod tests;
pub(crate) mod tls;
pub(crate) mod trust;

use std::{error::Error as _, sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use cloud::CloudTokens;
pub use config::{
    Authentication, Azure, AzureCertificate, AzureIdentity, Config, Google, Header, OAuth2, Proxy,
    Secret, SigV4, Tls, TlsVersion,
};
use connector::{ConnectError, Connector};
pub use error::{Call, Error, Result};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_ENCODING, PROXY_AUTHORIZATION},
};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use oauth2::Tokens;
use proxy::Proxies;
use runtime::Runtime;
use secret::{reveal, reveal_option};
use url::Url;

use crate::{tasks::Tasks, timer::ClockTimer};

/// As many hops as Go's client follows.
const REDIRECTS_MAX: usize = 10;
/// As long as upstream keeps connections that nobody uses.
const IDLE: Duration = Duration::from_secs(5 * 60);

/// Sends requests as its [`Config`] says; keeps connections alive between them.
pub struct Client {
    config: Arc<Config>,
    runtime: Runtime,
    http: legacy::Client<Connector, Full<Bytes>>,
    proxies: Arc<Proxies>,
    signer: Signer,
    /// The connections' tasks; they end with the client.
    _tasks: Tasks,
}

/// What makes credentials that are not just read.
enum Signer {
    None,
    Tokens(Box<Tokens>),
    Aws(Box<aws::Provider>),
    Cloud(Box<CloudTokens>),
}

#[derive(Debug, Clone)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
}

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For everything: connecting, redirects, the last byte of the body.
    pub timeout: Duration,
    /// A larger body, as sent, is an error. `usize::MAX` means any.
    pub body_bytes: usize,
}

#[derive(Debug, Clone)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// As sent: see [`Response::decoded`].
    pub body: Bytes,
}

/// An answer whose body comes bit by bit.
pub struct Streaming {
    pub status: StatusCode,
    pub headers: HeaderMap,
    body: Incoming,
    call: Call,
}

impl Streaming {
    /// The next bytes; nothing at the end. Waits for as long as the other side does.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|error| broken_off(&error, &self.call))?;
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }
}

impl Request {
    pub fn get(url: Url) -> Request {
        let (method, headers, body) = (Method::GET, HeaderMap::new(), Bytes::new());
        Request { method, url, headers, body }
    }

    pub fn post(url: Url, content_type: &'static str, body: impl Into<Bytes>) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Request { method: Method::POST, url, headers, body: body.into() }
    }
}

impl Response {
    /// The body without its content encoding; an error if it is larger than `limit` bytes.
    pub fn decoded(&self, limit: usize) -> Result<Bytes> {
        let encoding = self.headers.get(CONTENT_ENCODING).map_or(&b""[..], HeaderValue::as_bytes);
        if encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity") {
            return Ok(self.body.clone());
        }
        let encoding = String::from_utf8_lossy(encoding).into_owned();
        if !encoding.eq_ignore_ascii_case("gzip") {
            return Err(Error::Encoding { encoding, reason: "unknown encoding".to_owned() });
        }
        let mut out = Vec::new();
        match stdx::capped::gunzip(&self.body, limit, &mut out) {
            Ok(()) => Ok(out.into()),
            Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
                Err(Error::BodyTooLarge { limit })
            }
            Err(error) => Err(Error::Encoding { encoding, reason: error.to_string() }),
        }
    }
}

impl Client {
    /// An error if the settings can never work: unreadable certificates, what is not supported.
    pub fn new(config: Config, runtime: Runtime) -> Result<Client> {
        tls::client_config(&config, &*runtime.disk)?;
        let signer = match &config.authentication {
            Authentication::OAuth2(settings) => {
                Signer::Tokens(Box::new(Tokens::new(settings, &runtime)?))
            }
            Authentication::SigV4(settings) => {
                Signer::Aws(Box::new(aws::Provider::new(settings, &runtime)?))
            }
            cloud @ (Authentication::Google(_) | Authentication::Azure(_)) => {
                Signer::Cloud(Box::new(CloudTokens::new(cloud, &runtime)?))
            }
            _ => Signer::None,
        };
        let proxies = Arc::new(Proxies::new(&config.proxy, |name| std::env::var(name).ok())?);
        let config = Arc::new(config);
        let tasks = Tasks::default();
        let connector = Connector {
            config: config.clone(),
            proxies: proxies.clone(),
            runtime: runtime.clone(),
        };
        let http = legacy::Client::builder(tasks.executor())
            .pool_idle_timeout(IDLE)
            .timer(ClockTimer::new(runtime.clock.clone()))
            .build(connector);
        Ok(Client { config, runtime, http, proxies, signer, _tasks: tasks })
    }

    /// Sends `request` and reads the whole response, whatever its status.
    pub async fn send(&self, request: Request, limits: &Limits) -> Result<Response> {
        let call = call(&request);
        runtime::clock::timeout(&*self.runtime.clock, limits.timeout, async {
            let response = self.follow(request).await?;
            let (parts, body) = response.into_parts();
            let body = read_body(body, limits.body_bytes, &call).await?;
            Ok(Response { status: parts.status, headers: parts.headers, body })
        })
        .await
        .unwrap_or(Err(Error::Timeout { call: call.clone() }))
    }

    /// Sends `request` and reads no further than the head of the answer, for which `timeout` is.
    pub async fn open(&self, request: Request, timeout: Duration) -> Result<Streaming> {
        let call = call(&request);
        let following = self.follow(request);
        let response = runtime::clock::timeout(&*self.runtime.clock, timeout, following).await;
        let response = response.unwrap_or(Err(Error::Timeout { call: call.clone() }))?;
        let (parts, body) = response.into_parts();
        Ok(Streaming { status: parts.status, headers: parts.headers, body, call })
    }

    async fn follow(&self, mut request: Request) -> Result<http::Response<Incoming>> {
        let first = request.url.clone();
        for _ in 0..=REDIRECTS_MAX {
            let is_trusted = redirect::may_see_credentials(&first, &request.url);
            let response = self.exchange(&request, is_trusted).await?;
            let next = match self.config.follow_redirects {
                true => redirect::next(&request, response.status(), response.headers()),
                false => None,
            };
            match next {
                Some(next) => request = next,
                None => return Ok(response),
            }
        }
        Err(Error::TooManyRedirects { call: call(&request) })
    }

    async fn exchange(
        &self,
        request: &Request,
        is_trusted: bool,
    ) -> Result<http::Response<Incoming>> {
        let mut headers = request.headers.clone();
        if is_trusted {
            self.add_headers(&mut headers).await?;
            self.add_credentials(request, &mut headers).await?;
        } else {
            redirect::remove_credentials(&mut headers);
        }
        let mut url = request.url.clone();
        url.set_fragment(None);
        // A URL with a host can lose its credentials.
        url.set_username("").and_then(|()| url.set_password(None)).unwrap_or_default();
        self.greet_proxy(&url, &mut headers)?;
        let mut outgoing = http::Request::new(Full::new(request.body.clone()));
        *outgoing.method_mut() = request.method.clone();
        *outgoing.headers_mut() = headers;
        *outgoing.uri_mut() = url.as_str().parse().map_err(|error: http::uri::InvalidUri| {
            Error::Exchange { call: call(request), reason: error.to_string() }
        })?;
        self.http.request(outgoing).await.map_err(|error| explain(&error, call(request)))
    }

    async fn add_headers(&self, headers: &mut HeaderMap) -> Result<()> {
        for header in &self.config.headers {
            let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|error| {
                Error::Config { what: header.name.clone(), reason: error.to_string() }
            })?;
            for value in &header.values {
                let value = reveal(&self.runtime, value).await?;
                headers.append(&name, header_value(&header.name, &value)?);
            }
        }
        Ok(())
    }

    async fn add_credentials(&self, request: &Request, headers: &mut HeaderMap) -> Result<()> {
        // Who sets the header on the request itself knows better; upstream leaves it alone too.
        if headers.contains_key(AUTHORIZATION) {
            return Ok(());
        }
        let url = &request.url;
        let value = match (&self.signer, &self.config.authentication) {
            (Signer::Tokens(tokens), _) => tokens.header().await?,
            (Signer::Cloud(tokens), _) => tokens.header().await?,
            (Signer::Aws(provider), _) => {
                return sign(provider, request, headers, &self.runtime).await;
            }
            (_, Authentication::Basic { username, password }) => {
                let username = reveal_option(&self.runtime, username.as_ref()).await?;
                basic(&username, &reveal_option(&self.runtime, password.as_ref()).await?)
            }
            (_, Authentication::Authorization { scheme, credentials }) => {
                let credentials = reveal_option(&self.runtime, credentials.as_ref()).await?;
                format!("{scheme} {credentials}")
            }
            _ if url.username().is_empty() && url.password().is_none() => return Ok(()),
            _ => {
                let password = percent_decode(url.password().unwrap_or_default());
                basic(&percent_decode(url.username()), &password)
            }
        };
        let mut value = header_value("authorization", &value)?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
        Ok(())
    }

    /// A request that a proxy passes on, rather than a connection, tells the proxy who we are.
    fn greet_proxy(&self, url: &Url, headers: &mut HeaderMap) -> Result<()> {
        let Some(host) = url.host_str().filter(|_| url.scheme() == "http") else { return Ok(()) };
        let port = url.port_or_known_default().unwrap_or_default();
        let is_direct = self.config.unix_socket.is_some();
        let proxy = self.proxies.choose(false, host, port);
        let proxy = proxy.filter(|proxy| proxy.scheme().starts_with("http") && !is_direct);
        if let Some(value) = proxy.and_then(proxy::authorization) {
            headers.insert(PROXY_AUTHORIZATION, header_value("proxy-authorization", &value)?);
        }
        Ok(())
    }
}

async fn sign(
    provider: &aws::Provider,
    request: &Request,
    headers: &mut HeaderMap,
    runtime: &Runtime,
) -> Result<()> {
    let (region, credentials) = (provider.region().await?, provider.credentials().await?);
    let now = runtime.clock.now();
    let scope = aws::Scope { region: &region, service: provider.service(), now };
    let Request { method, url, body, .. } = request;
    let unsigned = aws::Unsigned { method, url, headers, body };
    let added = aws::sign(&unsigned, &scope, &credentials)?;
    headers.extend(added);
    Ok(())
}

/// Speaks TLS, as `tls` says, from here on; for protocols that begin without, such as SMTP.
pub async fn start_tls(
    tls: Tls,
    runtime: &Runtime,
    host: &str,
    stream: Box<dyn runtime::network::Stream>,
) -> Result<Box<dyn runtime::network::Stream>> {
    let config = Config { tls, ..Config::default() };
    connector::start_tls(config, runtime, host, stream).await
}

fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{password}")))
}

/// As in a form.
fn percent_encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn percent_decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(value).map_err(|error| Error::Config {
        what: format!("header {name}"),
        reason: error.to_string(),
    })
}

fn call(request: &Request) -> Call {
    let mut url = request.url.clone();
    if url.password().is_some() {
        // Go hides the password so, too; a URL with a password has a host, so this succeeds.
        url.set_password(Some("xxxxx")).unwrap_or_default();
    }
    Call { method: request.method.clone(), url: url.into() }
}

async fn read_body(mut body: Incoming, limit: usize, call: &Call) -> Result<Bytes> {
    let mut out = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken_off(&error, call))?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit - out.len() {
            return Err(Error::BodyTooLarge { limit });
        }
        out.extend_from_slice(&data);
    }
    Ok(out.into())
}

fn broken_off(error: &hyper::Error, call: &Call) -> Error {
    let reason = match error.is_incomplete_message() || ends_early(error) {
        true => "unexpected EOF".to_owned(),
        false => innermost(error),
    };
    Error::Exchange { call: call.clone(), reason }
}

fn explain(error: &legacy::Error, call: Call) -> Error {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(connect) = cause.downcast_ref::<ConnectError>() {
            return Error::Connect { call, reason: connect.0.clone() };
        }
        if cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message) {
            return Error::Exchange { call, reason: "EOF".to_owned() };
        }
        source = cause.source();
    }
    Error::Exchange { call, reason: innermost(error) }
}

/// Whether the body is shorter than its head said.
fn ends_early(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::UnexpectedEof)
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    match innermost.downcast_ref::<std::io::Error>() {
        Some(error) => connector::describe(error),
        None => innermost.to_string(),
    }
}
