use std::sync::Arc;

use runtime::Runtime;
use telemetry::Registry;

use crate::{
    alert::Fingerprint,
    cluster::{Cluster, StateKey},
    config::{Config, Options},
    error::Result,
    matcher::Matcher,
    silence::{self, Silence, State},
    snapshot,
    time::Time,
    view::{
        AlertFilter, AlertView, GroupView, InvalidAlerts, PostableAlert, ReceiverView, SilenceView,
        StatusView,
    },
};

/// A running Alertmanager.
///
/// Methods that aren't async compute under a lock: with many thousand alerts call the lists off
/// the async threads.
pub struct Alertmanager {
    runtime: Runtime,
    cluster: Arc<dyn Cluster>,
}

impl Alertmanager {
    /// Reads the snapshots. Nothing notifies before [`Alertmanager::apply`].
    pub fn open(
        options: Options,
        runtime: Runtime,
        registry: &Registry,
        cluster: Arc<dyn Cluster>,
    ) -> Result<Alertmanager> {
        let _ = (options, registry);
        Ok(Alertmanager { runtime, cluster })
    }

    /// Puts a configuration in force: all groups start anew, and the notification log keeps them
    /// from repeating themselves.
    pub async fn apply(&self, config: Config) {
        drop(config);
    }

    /// Takes alerts in. Valid ones are taken even if others are not.
    pub fn put_alerts(&self, alerts: Vec<PostableAlert>) -> Result<(), InvalidAlerts> {
        drop(alerts);
        Ok(())
    }

    /// The alerts that `filter` lets through and that are not over, by fingerprint.
    pub fn alerts(&self, filter: &AlertFilter) -> Vec<AlertView> {
        let _ = filter;
        Vec::new()
    }

    /// One alert, with its receivers and status.
    pub fn alert(&self, fingerprint: Fingerprint) -> Option<AlertView> {
        let _ = fingerprint;
        None
    }

    /// The groups that have alerts that `filter` lets through, by labels and receiver.
    pub fn groups(&self, filter: &AlertFilter) -> Vec<GroupView> {
        let _ = filter;
        Vec::new()
    }

    /// The silences in one of `states` that have all `matchers` in one set: active ones by their
    /// end, pending ones by their start, expired ones by their end, latest first.
    pub fn silences(&self, states: &[State], matchers: &[Matcher]) -> Vec<SilenceView> {
        let _ = (states, matchers);
        Vec::new()
    }

    pub fn silence(&self, id: &str) -> Option<SilenceView> {
        let _ = id;
        None
    }

    /// Creates a silence, or changes the one whose id it has; gives the id of the one in force.
    pub fn set_silence(&self, silence: Silence) -> Result<String, silence::Error> {
        let _ = silence;
        Err(silence::Error::NotFound)
    }

    pub fn expire_silence(&self, id: &str) -> Result<(), silence::Error> {
        let _ = id;
        Err(silence::Error::NotFound)
    }

    /// The receivers whose labels all `matchers` match, in the order of the configuration.
    pub fn receivers(&self, matchers: &[Matcher]) -> Vec<ReceiverView> {
        let _ = matchers;
        Vec::new()
    }

    pub fn status(&self) -> StatusView {
        StatusView {
            started_at: Time::now(&*self.runtime.clock),
            cluster: self.cluster.status(),
            config: Arc::from(""),
        }
    }

    /// The time by this node's clock, which all answers refer to.
    pub fn now(&self) -> Time {
        Time::now(&*self.runtime.clock)
    }

    /// Takes in what a peer says; says whether there was news, which then is to be passed on.
    pub fn merge(&self, state: StateKey, message: &[u8]) -> Result<bool, snapshot::Error> {
        let _ = (state, message);
        Ok(false)
    }

    /// All replicated state, for a peer.
    pub fn full_state(&self, state: StateKey) -> Vec<u8> {
        let _ = state;
        Vec::new()
    }

    /// Ends all flushes, writes the snapshots, and waits for both.
    pub async fn stop(&self) {}
}
