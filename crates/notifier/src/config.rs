use std::time::Duration;

use model::Labels;
use relabel::Rule;
use transport::client;

/// Upstream's section `alerting`, with the labels that it adds.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Added to alerts that don't have them.
    pub external_labels: Labels,
    pub alert_relabel: Vec<Rule>,
    pub sets: Vec<SetConfig>,
}

/// One entry of `alertmanagers`: how to treat the Alertmanagers that its discovery finds.
#[derive(Debug, Clone)]
pub struct SetConfig {
    pub scheme: String,
    pub path_prefix: String,
    pub timeout: Duration,
    pub http: client::Config,
    /// Chooses and changes the Alertmanagers.
    pub relabel: Vec<Rule>,
    /// Chooses and changes the alerts for them.
    pub alert_relabel: Vec<Rule>,
}

impl Default for SetConfig {
    fn default() -> SetConfig {
        SetConfig {
            scheme: "http".to_owned(),
            path_prefix: "/".to_owned(),
            timeout: Duration::from_secs(10),
            http: client::Config::default(),
            relabel: Vec::new(),
            alert_relabel: Vec::new(),
        }
    }
}

/// Settings for the whole life of the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Alerts that wait for one Alertmanager; the oldest give way.
    pub queue_capacity: usize,
    /// Whether waiting alerts are still sent at the end.
    pub drain_on_shutdown: bool,
    /// Alerts in one request.
    pub batch_size: usize,
    pub user_agent: String,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            queue_capacity: 10_000,
            drain_on_shutdown: true,
            batch_size: 256,
            user_agent: "Prometheus/3.14.0".to_owned(),
        }
    }
}

impl SetConfig {
    /// Whether Alertmanagers of the one set can stay in the other.
    pub(crate) fn is_same(&self, other: &SetConfig) -> bool {
        let settings = |set: &SetConfig| {
            (set.scheme.clone(), set.path_prefix.clone(), set.timeout, set.http.clone())
        };
        settings(self) == settings(other)
            && same_rules(&self.relabel, &other.relabel)
            && same_rules(&self.alert_relabel, &other.alert_relabel)
    }
}

/// Compiled patterns don't compare; what they were compiled from does.
fn same_rules(a: &[Rule], b: &[Rule]) -> bool {
    let same = |(a, b): (&Rule, &Rule)| {
        a.source_labels == b.source_labels
            && a.separator == b.separator
            && a.regex.as_str() == b.regex.as_str()
            && a.modulus == b.modulus
            && a.target_label == b.target_label
            && a.replacement == b.replacement
            && a.action == b.action
            && a.names == b.names
    };
    a.len() == b.len() && a.iter().zip(b).all(same)
}
