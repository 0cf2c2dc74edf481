use std::{path::PathBuf, sync::Arc, time::Duration};

use crate::{
    event::Events, inhibit::InhibitRule, integration::Receiver, interval::TimeIntervals,
    matcher::Mode, route::RouteConfig, silence, template::Template,
};

/// What a configuration file says, receivers built.
#[derive(Clone)]
pub struct Config {
    pub resolve_timeout: Duration,
    pub route: RouteConfig,
    /// In the order of the file.
    pub receivers: Vec<Receiver>,
    pub inhibit_rules: Vec<InhibitRule>,
    pub time_intervals: TimeIntervals,
    pub template: Arc<Template>,
    /// For status pages, without secrets.
    pub text: Arc<str>,
}

/// What the command line says.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the snapshots `nflog` and `silences` are.
    pub directory: PathBuf,
    pub retention: Duration,
    pub maintenance_interval: Duration,
    pub silence_limits: silence::Limits,
    pub log_silences: bool,
    pub alerts_gc_interval: Duration,
    /// At most so many alerts of one name; `None` is no limit.
    pub alerts_per_name_max: Option<usize>,
    /// At most so many groups; `None` is no limit.
    pub groups_max: Option<usize>,
    /// Groups fill but don't notify for so long after the start.
    pub start_delay: Duration,
    /// How long each node gives the one before it to notify.
    pub peer_timeout: Duration,
    pub mode: Mode,
    /// Whether alerts are kept in a file of ours over a restart.
    pub keeps_alerts: bool,
    /// Whether nodes tell each other what they are about to notify.
    pub claims: bool,
    /// So many of the latest notifications can be asked for.
    pub history_len: usize,
    /// Who keeps a record of what happens.
    pub events: Events,
    /// Feature `alert-names-in-metrics`.
    pub has_alert_names_in_metrics: bool,
    /// Feature `receiver-name-in-metrics`.
    pub has_receiver_names_in_metrics: bool,
    /// Feature `group-key-in-metrics`.
    pub has_group_keys_in_metrics: bool,
}

impl Options {
    /// Upstream's defaults, with the snapshots in `directory`.
    pub fn new(directory: impl Into<PathBuf>) -> Options {
        Options {
            directory: directory.into(),
            retention: Duration::from_secs(120 * 3600),
            maintenance_interval: Duration::from_secs(15 * 60),
            silence_limits: silence::Limits::default(),
            log_silences: false,
            alerts_gc_interval: Duration::from_secs(30 * 60),
            alerts_per_name_max: None,
            groups_max: None,
            start_delay: Duration::ZERO,
            peer_timeout: Duration::from_secs(15),
            mode: Mode::default(),
            keeps_alerts: true,
            claims: true,
            history_len: 1000,
            events: Events::default(),
            has_alert_names_in_metrics: false,
            has_receiver_names_in_metrics: false,
            has_group_keys_in_metrics: false,
        }
    }
}
