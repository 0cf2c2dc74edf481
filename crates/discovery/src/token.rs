//! Tokens that a service wants to see, and that are good for a while.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use runtime::Runtime;

/// A token that ends sooner than this is not used any more.
const EXPIRY_MARGIN: Duration = Duration::from_secs(60);

/// Keeps a token for as long as it is good.
#[derive(Default)]
pub(crate) struct Tokens(Option<Token>);

/// A token, and until when on the monotonic clock.
pub(crate) struct Token {
    pub(crate) value: String,
    pub(crate) until: Duration,
}

impl Tokens {
    /// The token that is kept, or else the one that `fetch` gets.
    pub(crate) async fn get(
        &mut self,
        runtime: &Runtime,
        fetch: impl Future<Output = Result<Token, String>>,
    ) -> Result<String, String> {
        let now = runtime.clock.monotonic();
        if let Some(token) = self.0.as_ref().filter(|token| now + EXPIRY_MARGIN < token.until) {
            return Ok(token.value.clone());
        }
        let token = fetch.await?;
        let value = token.value.clone();
        self.0 = Some(token);
        Ok(value)
    }

    /// The service does not believe it any more.
    pub(crate) fn forget(&mut self) {
        self.0 = None;
    }
}

/// `Authorization: Bearer …`.
pub(crate) fn bearer(token: &str) -> Result<HeaderMap, String> {
    secret_header(header::AUTHORIZATION, &format!("Bearer {token}"))
}

/// A single header whose value nobody should print.
pub(crate) fn secret_header(name: HeaderName, value: &str) -> Result<HeaderMap, String> {
    let mut value =
        HeaderValue::from_str(value).map_err(|error| format!("value of header {name}: {error}"))?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(name, value)]))
}
