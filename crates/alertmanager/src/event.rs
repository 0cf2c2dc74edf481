//! What has happened, for whoever keeps a record of it: upstream's events.

use std::{fmt, sync::Arc, time::Duration};

use model::Labels;

use crate::{
    alert::{Alert, Fingerprint},
    inhibit::InhibitRule,
    integration::Reason,
    matcher::Matcher,
    silence::Silence,
    time::Time,
};

/// Whoever keeps a record.
pub trait Recorder: Send + Sync {
    /// Takes note of an event. Must not wait: others do.
    fn record(&self, event: Event);
}

/// Something worth a record.
#[derive(Debug, Clone)]
pub enum Event {
    /// The process has started.
    Startup {
        version: String,
        build_context: String,
    },
    /// The process ends in good order.
    Shutdown,
    /// An alert has come that was not known.
    AlertCreated(Arc<Alert>),
    /// An alert has joined a group.
    AlertGrouped(Arc<Alert>, GroupInfo),
    /// An alert that is over has left its group, which was told of it.
    AlertResolved(Arc<Alert>, GroupInfo),
    /// A receiver was told.
    Notification(Box<Notified>),
    SilenceCreated(Silence),
    SilenceUpdated(Silence),
    /// A silence has kept an alert quiet.
    SilenceMutedAlert(Silence, MutedAlert),
    /// A rule has kept an alert quiet, because of `by`.
    InhibitionMutedAlert {
        rule: InhibitRule,
        alert: MutedAlert,
        by: Fingerprint,
    },
}

/// Which group it is about.
#[derive(Debug, Clone)]
pub struct GroupInfo {
    pub key: String,
    pub labels: Labels,
    pub receiver: String,
    /// Of the route.
    pub matchers: Vec<Matcher>,
}

/// What a receiver was told, and how.
#[derive(Debug, Clone)]
pub struct Notified {
    pub group: GroupInfo,
    pub alerts: Vec<Arc<Alert>>,
    /// The moment that it was about.
    pub now: Time,
    pub repeat_interval: Duration,
    pub reason: Reason,
    pub integration: String,
    pub idx: usize,
}

#[derive(Debug, Clone)]
pub struct MutedAlert {
    pub labels: Labels,
    pub fingerprint: Fingerprint,
}

impl Event {
    /// As metrics and records name the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Event::Startup { .. } => "alertmanager_startup_event",
            Event::Shutdown => "alertmanager_shutdown_event",
            Event::AlertCreated(_) => "alert_created",
            Event::AlertGrouped(..) => "alert_grouped",
            Event::AlertResolved(..) => "alert_resolved",
            Event::Notification(_) => "notification",
            Event::SilenceCreated(_) => "silence_created",
            Event::SilenceUpdated(_) => "silence_updated",
            Event::SilenceMutedAlert(..) => "silence_muted_alert",
            Event::InhibitionMutedAlert { .. } => "inhibition_muted_alert",
        }
    }
}

/// Where events go, if anywhere.
#[derive(Clone, Default)]
pub struct Events(Option<Arc<dyn Recorder>>);

impl Events {
    pub fn to(recorder: Arc<dyn Recorder>) -> Events {
        Events(Some(recorder))
    }

    pub(crate) fn are_recorded(&self) -> bool {
        self.0.is_some()
    }

    /// Makes the event only if somebody wants to know.
    pub(crate) fn record(&self, event: impl FnOnce() -> Event) {
        if let Some(recorder) = &self.0 {
            recorder.record(event());
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Events").field(&self.are_recorded()).finish()
    }
}
