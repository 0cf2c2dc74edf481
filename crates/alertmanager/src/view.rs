//! What the API asks for and gets.

use std::{collections::BTreeMap, sync::Arc};

use model::Labels;

use crate::{
    alert::{Alert, Annotations, Fingerprint},
    cluster::ClusterStatus,
    matcher::Matcher,
    silence::{Silence, State},
    time::Time,
};

/// An alert as somebody sends it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PostableAlert {
    /// Without labels whose value is empty: a label set has none.
    pub labels: Labels,
    pub annotations: Annotations,
    /// `None`, and Go's zero time, is not said.
    pub starts_at: Option<Time>,
    pub ends_at: Option<Time>,
    pub generator_url: String,
}

/// Why alerts of a batch were refused, a reason each; the others have been taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct InvalidAlerts(pub Vec<String>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum AlertState {
    /// No flush has looked at it yet.
    #[default]
    Unprocessed,
    Active,
    Suppressed,
}

/// What keeps an alert quiet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlertStatus {
    pub state: AlertState,
    /// Ids of silences, sorted.
    pub silenced_by: Vec<String>,
    pub inhibited_by: Vec<Fingerprint>,
    /// Names of time intervals; only known in groups.
    pub muted_by: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlertView {
    pub alert: Arc<Alert>,
    pub fingerprint: Fingerprint,
    pub receivers: Vec<String>,
    pub status: AlertStatus,
}

#[derive(Debug, Clone, PartialEq)]
pub struct GroupView {
    pub labels: Labels,
    pub receiver: String,
    /// Rendered.
    pub route_labels: BTreeMap<String, String>,
    /// By fingerprint.
    pub alerts: Vec<AlertView>,
    pub key: String,
    pub route_id: String,
}

/// Which alerts are wanted, alone or in groups.
#[derive(Debug, Clone)]
pub struct AlertFilter {
    pub active: bool,
    pub silenced: bool,
    pub inhibited: bool,
    /// Alerts of groups that a time interval keeps quiet; only asked of groups.
    pub muted: bool,
    /// All of them must match.
    pub matchers: Vec<Matcher>,
    /// One of the receivers must match all of it.
    pub receiver: Option<re2::Regex>,
    /// One of the receivers must have labels that all of these match.
    pub receiver_matchers: Vec<Matcher>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SilenceView {
    pub silence: Silence,
    pub state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiverView {
    pub name: String,
    pub labels: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub struct StatusView {
    pub started_at: Time,
    pub cluster: ClusterStatus,
    /// The configuration in force, without secrets.
    pub config: Arc<str>,
}

/// Everything.
impl Default for AlertFilter {
    fn default() -> AlertFilter {
        AlertFilter {
            active: true,
            silenced: true,
            inhibited: true,
            muted: true,
            matchers: Vec::new(),
            receiver: None,
            receiver_matchers: Vec::new(),
        }
    }
}

impl AlertState {
    pub fn as_str(self) -> &'static str {
        match self {
            AlertState::Unprocessed => "unprocessed",
            AlertState::Active => "active",
            AlertState::Suppressed => "suppressed",
        }
    }
}

impl AlertStatus {
    /// The status of an alert that was looked at.
    pub fn new(silenced_by: Vec<String>, inhibited_by: Vec<Fingerprint>) -> AlertStatus {
        let is_quiet = !silenced_by.is_empty() || !inhibited_by.is_empty();
        let state = if is_quiet { AlertState::Suppressed } else { AlertState::Active };
        AlertStatus { state, silenced_by, inhibited_by, muted_by: Vec::new() }
    }

    /// The same in a group that time intervals keep quiet.
    pub fn with_muted_by(mut self, muted_by: &[String]) -> AlertStatus {
        if !muted_by.is_empty() {
            self.state = AlertState::Suppressed;
            self.muted_by = muted_by.to_vec();
        }
        self
    }
}

/// Whether all `filter` matchers stand in one of the matcher sets of a silence, as they are.
pub fn silence_has_matchers(silence: &Silence, filter: &[Matcher]) -> bool {
    if filter.is_empty() {
        return true;
    }
    silence.matcher_sets.iter().any(|set| {
        filter.iter().all(|wanted| {
            set.iter().any(|pattern| {
                pattern.kind() == Some(wanted.kind)
                    && pattern.name == wanted.name
                    && pattern.pattern == wanted.value
            })
        })
    })
}
