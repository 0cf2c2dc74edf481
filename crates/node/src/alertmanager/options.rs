use std::{path::PathBuf, time::Duration};

use alertmanager::{event::Events, silence::Limits};
use config::alertmanager::Features;

/// What the command line says of an Alertmanager; paths are as given.
#[derive(Debug, Clone)]
pub struct Options {
    pub config_file: PathBuf,
    pub storage_directory: PathBuf,
    pub retention: Duration,
    pub maintenance_interval: Duration,
    /// At most so many silences; `None` is no limit.
    pub silences_max: Option<usize>,
    pub silence_bytes_max: Option<usize>,
    pub log_silences: bool,
    pub alerts_gc_interval: Duration,
    /// At most so many alerts of one name; `None` is no limit.
    pub alerts_per_name_max: Option<usize>,
    pub dispatch_start_delay: Duration,
    pub listen_addresses: Vec<String>,
    /// TLS, users and headers of the listeners.
    pub web_config_file: Option<PathBuf>,
    pub external_url: String,
    /// Begins with a slash and has none at the end, but for `/` itself.
    pub route_prefix: String,
    /// At most so many GET requests at once; `None` picks a number.
    pub get_concurrency: Option<usize>,
    /// For a whole request; `None` is no limit.
    pub request_timeout: Option<Duration>,
    /// How long each node waits for the ones before it to notify.
    pub peer_timeout: Duration,
    /// The part in a cluster, or none; an empty name becomes a new one.
    pub cluster: Option<gossip::Options>,
    /// The file with the TLS settings of gossip.
    pub cluster_tls_file: Option<PathBuf>,
    /// Whether alerts are kept over a restart.
    pub keeps_alerts: bool,
    /// Whether nodes tell each other what they are about to notify.
    pub claims: bool,
    /// So many of the latest notifications can be asked for.
    pub history_len: usize,
    /// `--enable-feature` as it is written.
    pub features: String,
}

impl Options {
    /// What the component is opened with.
    pub(super) fn to_settings(&self, features: Features, events: Events) -> alertmanager::Options {
        alertmanager::Options {
            retention: self.retention,
            maintenance_interval: self.maintenance_interval,
            silence_limits: Limits { silences: self.silences_max, bytes: self.silence_bytes_max },
            log_silences: self.log_silences,
            alerts_gc_interval: self.alerts_gc_interval,
            alerts_per_name_max: self.alerts_per_name_max,
            start_delay: self.dispatch_start_delay,
            peer_timeout: self.peer_timeout,
            mode: features.mode,
            keeps_alerts: self.keeps_alerts,
            claims: self.claims,
            history_len: self.history_len,
            events,
            has_alert_names_in_metrics: features.alert_names_in_metrics,
            has_receiver_names_in_metrics: features.receiver_name_in_metrics,
            has_group_keys_in_metrics: features.group_key_in_metrics,
            ..alertmanager::Options::new(&self.storage_directory)
        }
    }
}
