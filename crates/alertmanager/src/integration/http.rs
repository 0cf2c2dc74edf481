//! What the answer of a service over HTTP means, and how to fit into its limits.

use super::{FailureReason, NotifyError};

const ELLIPSIS: &str = "…";

/// Whether the answer of a service is a success; server errors are worth another attempt, and so
/// are the `also_retried` codes.
pub fn check_status(
    status: u16,
    details: Option<&str>,
    also_retried: &[u16],
) -> Result<(), NotifyError> {
    if (200..300).contains(&status) {
        return Ok(());
    }
    let message = match details {
        Some(details) if !details.is_empty() => {
            format!("unexpected status code {status}: {details}")
        }
        _ => format!("unexpected status code {status}"),
    };
    let retry = (500..600).contains(&status) || also_retried.contains(&status);
    Err(NotifyError { message, retry, reason: FailureReason::of_status(status) })
}

/// `text` in at most `n` characters, and whether it had more.
pub fn truncate_in_runes(text: &str, n: usize) -> (String, bool) {
    if text.char_indices().nth(n).is_none() {
        return (text.to_owned(), false);
    }
    if n <= 3 {
        return (text.chars().take(n).collect(), true);
    }
    let kept: String = text.chars().take(n - 1).collect();
    (kept + ELLIPSIS, true)
}

/// `text` in at most `n` bytes, and whether it had more.
pub fn truncate_in_bytes(text: &str, n: usize) -> (String, bool) {
    if text.len() <= n {
        return (text.to_owned(), false);
    }
    let Some(room) = n.checked_sub(ELLIPSIS.len()) else { return (".".repeat(n), true) };
    let (kept, _) = text.split_at(text.floor_char_boundary(room));
    (kept.to_owned() + ELLIPSIS, true)
}
