//! Speaking to a server: its API, and plain requests.

use std::time::Duration;

use anyhow::Context as _;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use settings::decode::{Setting as _, from_str};
use transport::client::{Client, Config, Limits, Request, Response};
use url::{Url, form_urlencoded};

use crate::{
    VERSION, World,
    arguments::{Global, Header},
};

const ANSWER_BYTES_MAX: usize = 1 << 30;
const FORM: &str = "application/x-www-form-urlencoded";

/// Speaks to one server.
pub(crate) struct Server {
    client: Client,
    base: Url,
    headers: HeaderMap,
    pub(crate) timeout: Duration,
}

/// What the API refused, in the words of upstream's client.
#[derive(Debug, thiserror::Error)]
#[error("{kind}: {message}{}", if detail.is_empty() { String::new() } else { format!(" (detail: {detail})") })]
pub(crate) struct ApiError {
    kind: String,
    message: String,
    detail: String,
}

/// What the API answered.
#[derive(Debug, Deserialize)]
struct Envelope {
    status: String,
    #[serde(default)]
    data: Value,
    #[serde(default, rename = "errorType")]
    error_type: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Vec<String>,
}

/// The data of an answer, and what the server has to say about it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) data: Value,
    pub(crate) warnings: Vec<String>,
}

impl Server {
    /// Reads the settings of the client; nothing is sent yet.
    pub(crate) fn new(
        global: &Global,
        world: &World,
        base: &Url,
        extra: &[Header],
    ) -> anyhow::Result<Server> {
        let has_credentials = !base.username().is_empty() || base.password().is_some();
        let settings = match &global.http_config_file {
            Some(_) if has_credentials => anyhow::bail!(
                "promtool: error: Cannot set base auth in the server URL and use a http.config.file at the same time"
            ),
            Some(path) => read_config(world, path)
                .context("promtool: error: Failed to load HTTP config file")?,
            None => Config::default(),
        };
        let client =
            Client::new(settings, world.runtime.clone()).context("error creating API client")?;
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, HeaderValue::from_str(&format!("promtool/{VERSION}"))?);
        for Header(name, value) in extra {
            headers.insert(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
        }
        let timeout = Duration::from_secs(2 * 60);
        Ok(Server { client, base: base.clone(), headers, timeout })
    }

    /// The address of `path` on this server, below the path that it has itself.
    pub(crate) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url
    }

    pub(crate) async fn send(&self, mut request: Request) -> anyhow::Result<Response> {
        for (name, value) in &self.headers {
            request.headers.insert(name, value.clone());
        }
        let limits = Limits { timeout: self.timeout, body_bytes: ANSWER_BYTES_MAX };
        Ok(self.client.send(request, &limits).await?)
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Response> {
        self.send(Request::get(self.url(path))).await
    }

    /// Posts a form to an endpoint of the API; a server that refuses the method is asked again.
    pub(crate) async fn ask(&self, path: &str, form: &[(&str, String)]) -> anyhow::Result<Answer> {
        let body = encode(form);
        let request = Request::post(self.url(path), FORM, body);
        let response = self.send(request).await?;
        let refused = [StatusCode::METHOD_NOT_ALLOWED, StatusCode::NOT_IMPLEMENTED];
        if refused.contains(&response.status) {
            return self.ask_by_get(path, form).await;
        }
        Ok(read_answer(&response)?)
    }

    pub(crate) async fn ask_by_get(
        &self,
        path: &str,
        form: &[(&str, String)],
    ) -> anyhow::Result<Answer> {
        let mut url = self.url(path);
        url.set_query(Some(&encode(form)));
        Ok(read_answer(&self.send(Request::get(url)).await?)?)
    }
}

fn encode(form: &[(&str, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

fn read_answer(response: &Response) -> Result<Answer, ApiError> {
    let error = |kind: &str, message: String| ApiError {
        kind: kind.to_owned(),
        message,
        detail: String::new(),
    };
    let code = response.status;
    let body = response.decoded(ANSWER_BYTES_MAX);
    let body = body.map_err(|reason| error("bad_response", reason.to_string()))?;
    // These two have the usual body; others may come from whatever stands between.
    let says_why = [StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY].contains(&code);
    if !code.is_success() && !says_why {
        let (kind, words) = match code.as_u16() {
            400..=499 => ("client_error", "client error:"),
            500..=599 => ("server_error", "server error:"),
            _ => ("bad_response", "bad response code"),
        };
        let mut error = error(kind, format!("{words} {}", code.as_u16()));
        error.detail = String::from_utf8_lossy(&body).trim().to_owned();
        return Err(error);
    }
    let envelope: Envelope = serde_json::from_slice(&body)
        .map_err(|reason| error("bad_response", reason.to_string()))?;
    match (envelope.status.as_str(), says_why) {
        ("error", _) => Err(error(&envelope.error_type, envelope.error)),
        (_, true) => Err(error("bad_response", "inconsistent body for response code".to_owned())),
        _ => Ok(Answer { data: envelope.data, warnings: envelope.warnings }),
    }
}

fn read_config(world: &World, path: &std::path::Path) -> anyhow::Result<Config> {
    let text = world.runtime.disk.read_to_string(path)?;
    let mut settings: config::http::HttpClient = from_str(&text)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    settings.set_directory(&directory.map_or(".".to_owned(), |it| it.display().to_string()));
    Ok(receivers::http_config::to_client(&settings)?)
}
