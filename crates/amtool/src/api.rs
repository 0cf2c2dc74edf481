//! The API of an Alertmanager, as its client sees it.

mod types;

use std::time::Duration;

use anyhow::Context as _;
use config::decode::from_str;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use transport::client::{Client, Limits, Request, Response};
use url::Url;

pub(crate) use types::{
    Alert, Cluster, Matcher, Peer, PostableAlert, PostableSilence, PostedSilence, Silence, Status,
    Told,
};

use crate::{Outcome, VERSION, World, arguments::Global};

const ANSWER_BYTES_MAX: usize = 1 << 30;

/// Speaks to one Alertmanager.
pub(crate) struct Api {
    client: Client,
    base: Url,
    timeout: Duration,
}

/// What an endpoint may answer: its path as errors show it, and the name of each failure.
pub(crate) struct Endpoint {
    pub(crate) path: &'static str,
    pub(crate) failures: &'static [(u16, &'static str)],
}

impl Api {
    /// Connects, so to say: reads the settings, and warns if the other side has another version.
    pub(crate) async fn new(
        global: &Global,
        world: &World,
        outcome: &mut Outcome,
    ) -> anyhow::Result<Api> {
        let Some(url) = &global.url else {
            anyhow::bail!("required flag --alertmanager.url not provided");
        };
        let mut base = url.clone();
        // Other paths are appended to it.
        base.set_path(url.path().trim_end_matches('/'));
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        let settings = match &global.http_config_file {
            Some(_) if has_credentials => {
                anyhow::bail!("basic authentication and http.config.file are mutually exclusive")
            }
            Some(path) => {
                read_http_config(world, path).context("failed to load HTTP config file")?
            }
            None => transport::client::Config::default(),
        };
        let client = Client::new(settings, world.runtime.clone())
            .context("failed to create a new HTTP client")?;
        let api = Api { client, base, timeout: global.timeout };
        if global.version_check {
            api.compare_versions(outcome).await;
        }
        Ok(api)
    }

    /// Says if the other side is not of our version; not knowing is no reason to stop.
    async fn compare_versions(&self, outcome: &mut Outcome) {
        let Ok(status) = self.status().await else { return };
        let theirs = status.version_info.version;
        let major_minor = |version: &str| {
            let mut parts = version.split('.').map(str::to_owned);
            (parts.next(), parts.next())
        };
        if major_minor(&theirs) != major_minor(VERSION) {
            outcome.stderr.push_str(&format!(
                "Warning: amtool version ({VERSION}) and alertmanager version ({theirs}) are different.\n"
            ));
        }
    }

    pub(crate) async fn status(&self) -> anyhow::Result<Status> {
        const ENDPOINT: Endpoint = Endpoint { path: "/status", failures: &[] };
        self.get(&ENDPOINT, "/status", &[]).await
    }

    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        endpoint: &Endpoint,
        path: &str,
        query: &[(&str, &str)],
    ) -> anyhow::Result<T> {
        let response = self.send(Request::get(self.url(path, query)), endpoint).await?;
        Ok(serde_json::from_slice(&response.body)?)
    }

    /// Asks for what only our Alertmanagers have.
    pub(crate) async fn get_own<T: DeserializeOwned>(
        &self,
        endpoint: &Endpoint,
        path: &str,
        query: &[(&str, &str)],
    ) -> anyhow::Result<T> {
        let url = self.url_below("/api/vesta/v1", path, query);
        let response = self.send(Request::get(url), endpoint).await?;
        Ok(serde_json::from_slice(&response.body)?)
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        endpoint: &Endpoint,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        let body = serde_json::to_vec(body)?;
        let request = Request::post(self.url(path, &[]), "application/json", body);
        let response = self.send(request, endpoint).await?;
        // An answer without a body is null.
        let body = if response.body.is_empty() { b"null".as_slice() } else { &response.body };
        Ok(serde_json::from_slice(body)?)
    }

    pub(crate) async fn delete(&self, endpoint: &Endpoint, path: &str) -> anyhow::Result<()> {
        let (url, headers) = (self.url(path, &[]), HeaderMap::new());
        let request = Request { method: Method::DELETE, url, headers, body: Default::default() };
        self.send(request, endpoint).await.map(drop)
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        self.url_below("/api/v2", path, query)
    }

    fn url_below(&self, folder: &str, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{folder}{path}", self.base.path().trim_end_matches('/')));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn send(&self, mut request: Request, endpoint: &Endpoint) -> anyhow::Result<Response> {
        request.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let method = request.method.clone();
        let limits = Limits { timeout: self.timeout, body_bytes: ANSWER_BYTES_MAX };
        let response = self.client.send(request, &limits).await?;
        if response.status == StatusCode::OK {
            return Ok(response);
        }
        Err(Failure::new(&method, endpoint, &response).into())
    }
}

/// An answer that is no success, in the words of upstream's generated client.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    message: String,
}

impl Failure {
    fn new(method: &Method, endpoint: &Endpoint, response: &Response) -> Failure {
        let status = response.status;
        let code = status.as_u16();
        let known = endpoint.failures.iter().find(|(known, _)| *known == code);
        let message = match known {
            Some((_, name)) => {
                let body = String::from_utf8_lossy(&response.body);
                let text = format!("[{method} {}][{code}] {name} {}", endpoint.path, body.trim());
                text.trim_end().to_owned()
            }
            None => format!(
                "response status code does not match any response statuses defined for this endpoint in the swagger spec (status {code}): {{}}"
            ),
        };
        Failure { status, message }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

fn read_http_config(
    world: &World,
    path: &std::path::Path,
) -> anyhow::Result<transport::client::Config> {
    let text = world.runtime.disk.read_to_string(path)?;
    let settings: config::http::HttpClient = from_str(&text)?;
    Ok(receivers::http_config::to_client(&settings)?)
}
