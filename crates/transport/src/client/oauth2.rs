//! Tokens for credentials: OAuth 2, by the client's secret or by a signed assertion.

pub(super) mod assertion;
#[cfg(test)]
mod tests;

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderValue, header::AUTHORIZATION};
use runtime::{BoxFuture, Runtime};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::{Url, form_urlencoded};

use super::{
    Client, Config, Error, Limits, OAuth2, Request, Response, Result, call, percent_encode,
    secret::reveal_option,
};

pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A token that ends sooner than this is not used any more.
const EXPIRY_MARGIN: Duration = Duration::from_secs(10);
/// As much as Go reads of an answer.
pub(super) const LIMITS: Limits = Limits { timeout: Duration::from_secs(60), body_bytes: 1 << 20 };

/// Fetches tokens, and keeps one for as long as it is good.
pub(super) struct Tokens {
    settings: OAuth2,
    url: Url,
    client: Client,
    runtime: Runtime,
    /// Held while a token is fetched, so that others wait for it instead of fetching theirs.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: Option<Kept>,
    /// How the server takes the credentials, once that is known.
    style: Option<Style>,
}

pub(super) struct Kept {
    /// As it stands in the header.
    pub(super) value: String,
    /// On the monotonic clock.
    expires: Option<Duration>,
    /// What it was fetched with; another secret needs another token.
    secret: String,
}

impl Kept {
    pub(super) fn is_good(&self, now: Duration) -> bool {
        self.expires.is_none_or(|expires| now + EXPIRY_MARGIN < expires)
    }
}

/// Servers take the client's name and secret in one of two ways, and do not say in which.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Header,
    Form,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    access_token: String,
    #[serde(default)]
    token_type: String,
    /// A number, or a number as text.
    expires_in: Option<serde_json::Value>,
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Tokens {
    pub(super) fn new(settings: &OAuth2, runtime: &Runtime) -> Result<Tokens> {
        let bad = |reason: String| Error::Config { what: "oauth2 token_url".to_owned(), reason };
        let url = Url::parse(&settings.token_url).map_err(|error| bad(error.to_string()))?;
        let (tls, proxy) = (settings.tls.clone(), settings.proxy.clone());
        let config = Config { tls, proxy, ..Config::default() };
        let client = Client::new(config, runtime.clone())?;
        let (settings, runtime) = (settings.clone(), runtime.clone());
        Ok(Tokens { settings, url, client, runtime, state: Mutex::default() })
    }

    /// The value of the header: a token that is still good. Boxed, as clients have tokens and
    /// tokens have clients.
    pub(super) fn header(&self) -> BoxFuture<'_, Result<String>> {
        Box::pin(async move {
            let secret = match self.is_signed() {
                true => self.settings.client_certificate_key.as_ref(),
                false => self.settings.client_secret.as_ref(),
            };
            let secret = reveal_option(&self.runtime, secret).await?;
            let mut state = self.state.lock().await;
            let now = self.runtime.clock.monotonic();
            if let Some(kept) = &state.kept
                && kept.is_good(now)
                && kept.secret == secret
            {
                return Ok(kept.value.clone());
            }
            let kept = self.fetch(secret, &mut state.style).await?;
            let value = kept.value.clone();
            state.kept = Some(kept);
            Ok(value)
        })
    }

    fn is_signed(&self) -> bool {
        self.settings.grant_type == JWT_BEARER
    }

    async fn fetch(&self, secret: String, style: &mut Option<Style>) -> Result<Kept> {
        let form = match self.is_signed() {
            true => vec![
                ("grant_type".to_owned(), JWT_BEARER.to_owned()),
                ("assertion".to_owned(), self.assertion(&secret)?),
            ],
            false => self.client_credentials(),
        };
        let asked = self.runtime.clock.monotonic();
        let tried = match (self.is_signed(), *style) {
            (true, _) => return read(self.post(form, None).await?, secret, asked),
            (false, Some(style)) => style,
            (false, None) => Style::Header,
        };
        let response = self.post(form.clone(), Some((tried, &secret))).await?;
        let was_refused = !response.1.status.is_success();
        if style.is_none() && was_refused {
            // The other way, as Go finds out which one the server takes.
            let response = self.post(form, Some((Style::Form, &secret))).await?;
            if response.1.status.is_success() {
                *style = Some(Style::Form);
            }
            return read(response, secret, asked);
        }
        if !was_refused {
            *style = Some(tried);
        }
        read(response, secret, asked)
    }

    fn client_credentials(&self) -> Vec<(String, String)> {
        let mut form = vec![("grant_type".to_owned(), "client_credentials".to_owned())];
        if !self.settings.scopes.is_empty() {
            form.push(("scope".to_owned(), self.settings.scopes.join(" ")));
        }
        form
    }

    fn assertion(&self, key: &str) -> Result<String> {
        let now = self.runtime.clock.now().as_secs();
        let mut id = [0; 16];
        self.runtime.random.fill(&mut id);
        assertion::sign(&self.settings, key, now, id)
    }

    async fn post(
        &self,
        mut form: Vec<(String, String)>,
        credentials: Option<(Style, &str)>,
    ) -> Result<(Request, Response)> {
        form.extend(self.settings.endpoint_params.iter().cloned());
        let mut header = None;
        match credentials {
            Some((Style::Header, secret)) => {
                // Both are escaped before they are joined: RFC 6749, section 2.3.1.
                let (id, secret) =
                    (percent_encode(&self.settings.client_id), percent_encode(secret));
                header =
                    Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}"))));
            }
            Some((Style::Form, secret)) => {
                form.push(("client_id".to_owned(), self.settings.client_id.clone()));
                if !secret.is_empty() {
                    form.push(("client_secret".to_owned(), secret.to_owned()));
                }
            }
            None => {}
        }
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let url = self.url.clone();
        let mut request = Request::post(url, "application/x-www-form-urlencoded", body);
        if let Some(value) = header.and_then(|value| HeaderValue::from_str(&value).ok()) {
            request.headers.insert(AUTHORIZATION, value);
        }
        let response = self.client.send(request.clone(), &LIMITS).await?;
        Ok((request, response))
    }
}

/// What came of a request for a token that was `asked` for then.
pub(super) fn read(
    (request, response): (Request, Response),
    secret: String,
    asked: Duration,
) -> Result<Kept> {
    let refused = |reason: String| Error::Exchange { call: call(&request), reason };
    let body = String::from_utf8_lossy(&response.body);
    let answer: Answer = match serde_json::from_slice(&response.body) {
        Ok(answer) => answer,
        Err(_) if !response.status.is_success() => {
            let status = response.status;
            return Err(refused(format!("oauth2: cannot fetch token: {status}\nResponse: {body}")));
        }
        Err(error) => return Err(refused(format!("oauth2: cannot parse json: {error}"))),
    };
    if !answer.error.is_empty() {
        let description = match answer.error_description.as_str() {
            "" => String::new(),
            description => format!(" {description:?}"),
        };
        return Err(refused(format!("oauth2: {:?}{description}", answer.error)));
    }
    if !response.status.is_success() {
        let status = response.status;
        return Err(refused(format!("oauth2: cannot fetch token: {status}\nResponse: {body}")));
    }
    if answer.access_token.is_empty() {
        return Err(refused("oauth2: server response missing access_token".to_owned()));
    }
    let seconds = match &answer.expires_in {
        Some(serde_json::Value::Number(number)) => number.as_f64(),
        Some(serde_json::Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    let lifetime = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let kind = match answer.token_type.to_ascii_lowercase().as_str() {
        "" | "bearer" => "Bearer".to_owned(),
        "mac" => "MAC".to_owned(),
        "basic" => "Basic".to_owned(),
        _ => answer.token_type,
    };
    Ok(Kept {
        value: format!("{kind} {}", answer.access_token),
        expires: lifetime.filter(|lifetime| !lifetime.is_zero()).map(|lifetime| asked + lifetime),
        secret,
    })
}
