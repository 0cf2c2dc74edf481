//! What a receiver is to this crate: something that can be told.

pub mod http;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use model::Labels;
use parking_lot::Mutex;
use runtime::BoxFuture;

use crate::{
    alert::Alert,
    nflog::{Datum, ReceiverData},
    time::Time,
};

/// One way to tell one receiver, such as its second webhook.
pub trait Integration: Send + Sync {
    /// The kind, such as `webhook`, as logs and metrics name it.
    fn name(&self) -> &str;

    /// Its place among those of its kind in the receiver.
    fn idx(&self) -> usize;

    /// Whether it wants to hear that alerts are over.
    fn send_resolved(&self) -> bool;

    /// Makes one attempt. Dropping the future gives up.
    fn notify<'a>(
        &'a self,
        notification: &'a Notification,
    ) -> BoxFuture<'a, Result<(), NotifyError>>;
}

/// A receiver with all ways to tell it.
#[derive(Clone)]
pub struct Receiver {
    pub name: String,
    /// With `name` among them.
    pub labels: BTreeMap<String, String>,
    pub integrations: Vec<Arc<dyn Integration>>,
}

/// What is to be told of one group.
#[derive(Debug)]
pub struct Notification {
    /// `{}/{a="b"}:{c="d"}`; its SHA-256 is what services deduplicate by.
    pub group_key: String,
    pub group_labels: Labels,
    pub receiver: String,
    /// Firing ones have no end; sorted.
    pub alerts: Vec<Arc<Alert>>,
    /// The moment of the flush.
    pub now: Time,
    pub repeat_interval: Duration,
    pub reason: Reason,
    /// Rendered.
    pub route_labels: BTreeMap<String, String>,
    /// What the integration remembers of the group from one notification to the next.
    pub store: Store,
}

/// Why a notification is sent, in upstream's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reason {
    #[default]
    Unknown,
    FirstNotification,
    NewAlertsAdded,
    AllAlertsResolved,
    SomeAlertsResolved,
    RepeatIntervalElapsed,
    /// Nothing is to be sent.
    None,
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NotifyError {
    pub message: String,
    /// Whether another attempt makes sense.
    pub retry: bool,
    pub reason: FailureReason,
}

/// The `reason` label of `alertmanager_notifications_failed_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum FailureReason {
    #[default]
    Other,
    ClientError,
    ServerError,
    AuthError,
    RateLimited,
    ContextCanceled,
    ContextDeadlineExceeded,
}

/// Data that an integration keeps in the notification log.
#[derive(Debug, Default)]
pub struct Store(Mutex<ReceiverData>);

impl Notification {
    /// The hash of the group key that services deduplicate by: 64 hex digits.
    pub fn group_key_hash(&self) -> String {
        group_key_hash(&self.group_key)
    }
}

/// SHA-256 of a group key in hex digits.
pub fn group_key_hash(group_key: &str) -> String {
    use sha2::Digest as _;
    let hash = sha2::Sha256::digest(group_key.as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl NotifyError {
    /// One after which another attempt makes sense.
    pub fn transient(message: impl Into<String>) -> NotifyError {
        NotifyError { message: message.into(), retry: true, reason: FailureReason::Other }
    }

    /// One that every attempt would end in.
    pub fn permanent(message: impl Into<String>) -> NotifyError {
        NotifyError { message: message.into(), retry: false, reason: FailureReason::Other }
    }

    pub fn with_reason(mut self, reason: FailureReason) -> NotifyError {
        self.reason = reason;
        self
    }
}

impl Store {
    pub fn new(data: ReceiverData) -> Store {
        Store(Mutex::new(data))
    }

    pub fn text(&self, name: &str) -> Option<String> {
        match self.0.lock().get(name)? {
            Datum::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    pub fn int(&self, name: &str) -> Option<i64> {
        match self.0.lock().get(name)? {
            Datum::Int(number) => Some(*number),
            _ => None,
        }
    }

    pub fn set(&self, name: impl Into<String>, datum: Datum) {
        self.0.lock().insert(name.into(), datum);
    }

    pub fn remove(&self, name: &str) {
        self.0.lock().remove(name);
    }

    /// Everything, as it goes into the log.
    pub fn snapshot(&self) -> ReceiverData {
        self.0.lock().clone()
    }
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Unknown => "unknown",
            Reason::FirstNotification => "first notification",
            Reason::NewAlertsAdded => "new alerts added",
            Reason::AllAlertsResolved => "all alerts resolved",
            Reason::SomeAlertsResolved => "some alerts resolved",
            Reason::RepeatIntervalElapsed => "repeat interval elapsed",
            Reason::None => "none",
        }
    }
}

impl FailureReason {
    pub const ALL: [FailureReason; 7] = [
        FailureReason::Other,
        FailureReason::ClientError,
        FailureReason::ServerError,
        FailureReason::AuthError,
        FailureReason::RateLimited,
        FailureReason::ContextCanceled,
        FailureReason::ContextDeadlineExceeded,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            FailureReason::Other => "other",
            FailureReason::ClientError => "clientError",
            FailureReason::ServerError => "serverError",
            FailureReason::AuthError => "authError",
            FailureReason::RateLimited => "rateLimited",
            FailureReason::ContextCanceled => "contextCanceled",
            FailureReason::ContextDeadlineExceeded => "contextDeadlineExceeded",
        }
    }

    /// What the status of an HTTP answer stands for.
    pub fn of_status(status: u16) -> FailureReason {
        match status {
            401 | 403 => FailureReason::AuthError,
            429 => FailureReason::RateLimited,
            400..=499 => FailureReason::ClientError,
            500..=599 => FailureReason::ServerError,
            _ => FailureReason::Other,
        }
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let integrations: Vec<String> =
            self.integrations.iter().map(|it| format!("{}[{}]", it.name(), it.idx())).collect();
        f.debug_struct("Receiver")
            .field("name", &self.name)
            .field("labels", &self.labels)
            .field("integrations", &integrations)
            .finish()
    }
}
