//! Tokens for the clouds of Google and Microsoft, found as their own programs find them.

mod azure;
mod google;
#[cfg(test)]
mod tests;

use runtime::{BoxFuture, Runtime};
use serde_json::Value;
use tokio::sync::Mutex;
use url::{Url, form_urlencoded};

use super::{
    Authentication, Client, Config, Error, Request, Result,
    oauth2::{self, Kept, LIMITS},
};

const FORM: &str = "application/x-www-form-urlencoded";

/// Fetches tokens, and keeps one for as long as it is good.
pub(super) struct CloudTokens {
    authentication: Authentication,
    world: World,
    client: Client,
    /// Held while a token is fetched, so that others wait for it.
    kept: Mutex<Option<Kept>>,
}

/// Where credentials are looked for.
struct World {
    runtime: Runtime,
    environment: fn(&str) -> Option<String>,
}

impl CloudTokens {
    /// For those ways that are a cloud's.
    pub(super) fn new(authentication: &Authentication, runtime: &Runtime) -> Result<CloudTokens> {
        let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Ok(CloudTokens {
            authentication: authentication.clone(),
            world: World { runtime: runtime.clone(), environment },
            client: Client::new(Config::default(), runtime.clone())?,
            kept: Mutex::default(),
        })
    }

    /// The value of the header: a token that is still good. Boxed, as clients have tokens and
    /// tokens have clients.
    pub(super) fn header(&self) -> BoxFuture<'_, Result<String>> {
        Box::pin(async move {
            let mut kept = self.kept.lock().await;
            let now = self.world.runtime.clock.monotonic();
            if let Some(kept) = kept.as_ref().filter(|kept| kept.is_good(now)) {
                return Ok(kept.value.clone());
            }
            let request = match &self.authentication {
                Authentication::Google(google) => google::request(google, &self.world)?,
                Authentication::Azure(azure) => azure::request(azure, &self.world)?,
                _ => return Err(refused("a cloud", "there is none")),
            };
            let response = self.client.send(request.clone(), &LIMITS).await?;
            let fetched = oauth2::read((request, response), String::new(), now)?;
            let value = fetched.value.clone();
            *kept = Some(fetched);
            Ok(value)
        })
    }
}

impl World {
    fn read(&self, path: &str) -> Result<String> {
        let disk = self.runtime.disk.clone();
        let read = runtime::blocking(|| disk.read_to_string(path.as_ref()));
        read.map_err(|error| refused(&format!("file {path}"), error.to_string()))
    }

    fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name)
    }

    /// Seconds since the epoch, and a number that nobody has used.
    fn moment(&self) -> (u64, [u8; 16]) {
        let mut id = [0; 16];
        self.runtime.random.fill(&mut id);
        (self.runtime.clock.now().as_secs(), id)
    }
}

/// A form for whoever gives tokens.
fn post(url: &str, form: &[(&str, &str)]) -> Result<Request> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    Ok(Request::post(parse(url)?, FORM, body))
}

/// A question to the machine that we run on.
fn ask(url: &str, header: (&'static str, &'static str)) -> Result<Request> {
    let mut request = Request::get(parse(url)?);
    request.headers.insert(header.0, http::HeaderValue::from_static(header.1));
    Ok(request)
}

fn parse(url: &str) -> Result<Url> {
    url.parse().map_err(|error: url::ParseError| refused(&format!("url {url}"), error.to_string()))
}

fn text<'a>(json: &'a Value, key: &str) -> &'a str {
    json[key].as_str().unwrap_or_default()
}

fn refused(what: &str, reason: impl Into<String>) -> Error {
    Error::Config { what: what.to_owned(), reason: reason.into() }
}
