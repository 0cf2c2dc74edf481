//! What the services that speak HTTP have in common.

use std::time::Duration;

use transport::client::Limits;

/// Whoever asks has a shorter one.
pub(super) const LIMITS: Limits = Limits { timeout: Duration::from_secs(10), body_bytes: 1 << 20 };

/// As much of an answer as fits into an error.
pub(super) fn text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(200)]);
    text.trim().replace('\n', " ")
}
