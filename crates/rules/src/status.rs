//! What users see of groups and rules: plain data, taken after each evaluation.

use std::{sync::Arc, time::Duration};

use model::Timestamp;

use crate::{
    alerting::{Alert, State},
    file,
};

/// A group as it was after its last evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupStatus {
    pub name: String,
    pub file: String,
    pub interval: Duration,
    pub query_offset: Option<Duration>,
    pub limit: Option<usize>,
    pub rules: Vec<RuleStatus>,
    pub evaluation_time: Duration,
    /// When the last evaluation began; `None` before the first.
    pub last_evaluation: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RuleStatus {
    pub rule: Arc<file::Rule>,
    pub health: Health,
    pub last_error: Option<String>,
    pub evaluation_time: Duration,
    pub last_evaluation: Option<Timestamp>,
    /// Pending and firing, sorted by labels; none for recording rules.
    pub alerts: Vec<Alert>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Not evaluated yet.
    Unknown,
    Good,
    Bad,
}

impl Health {
    pub fn as_str(self) -> &'static str {
        match self {
            Health::Unknown => "unknown",
            Health::Good => "ok",
            Health::Bad => "err",
        }
    }
}

impl RuleStatus {
    /// The worst state of its alerts.
    pub fn state(&self) -> State {
        self.alerts.iter().map(|alert| alert.state).max().unwrap_or(State::Inactive)
    }
}
