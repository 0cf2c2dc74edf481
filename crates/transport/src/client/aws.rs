//! Requests that Amazon's services believe: who we are, and a signature to show for it.

mod credentials;
mod signature;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(super) use credentials::Provider;
use http::{HeaderMap, HeaderValue, Method};
pub(super) use signature::sign;
use url::Url;

/// Who signs, and until when that is good.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) access_key: String,
    pub(super) secret_key: String,
    pub(super) session_token: Option<String>,
    /// Since the epoch; `None` is for ever.
    pub(super) expires: Option<Duration>,
}

/// What a signature is good for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    /// Since the epoch.
    pub(super) now: Duration,
}

/// What is signed.
pub(super) struct Unsigned<'a> {
    pub(super) method: &'a Method,
    pub(super) url: &'a Url,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

fn header_value(text: &str) -> super::Result<HeaderValue> {
    super::header_value("of the AWS signature", text)
}
