use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use exposition::Protocol;
use model::names::{EscapingScheme, ValidationScheme};
use transport::client;

/// One `scrape_config` as meant: what it inherits from `global` is filled in.
///
/// Limits of zero mean "no limit".
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub job_name: String,
    pub honor_labels: bool,
    pub honor_timestamps: bool,
    pub track_timestamps_staleness: bool,
    pub params: BTreeMap<String, Vec<String>>,
    pub scrape_interval: Duration,
    pub scrape_timeout: Duration,
    /// What is asked for, best first.
    pub scrape_protocols: Vec<Protocol>,
    /// How to read an answer that does not say what it is.
    pub fallback_scrape_protocol: Option<Protocol>,
    pub scrape_native_histograms: bool,
    pub always_scrape_classic_histograms: bool,
    pub convert_classic_histograms_to_nhcb: bool,
    pub scrape_failure_log_file: Option<PathBuf>,
    pub metrics_path: String,
    /// `http` or `https`.
    pub scheme: String,
    pub enable_compression: bool,
    pub body_size_limit: u64,
    pub sample_limit: u64,
    pub target_limit: u64,
    pub label_limit: u64,
    pub label_name_length_limit: u64,
    pub label_value_length_limit: u64,
    pub native_histogram_bucket_limit: u64,
    pub native_histogram_min_bucket_factor: f64,
    pub keep_dropped_targets: u64,
    pub metric_name_validation_scheme: ValidationScheme,
    pub metric_name_escaping_scheme: EscapingScheme,
    pub extra_scrape_metrics: bool,
    pub http: client::Config,
    pub relabel_rules: Vec<relabel::Rule>,
    pub metric_relabel_rules: Vec<relabel::Rule>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            job_name: String::new(),
            honor_labels: false,
            honor_timestamps: true,
            track_timestamps_staleness: false,
            params: BTreeMap::new(),
            scrape_interval: Duration::from_secs(60),
            scrape_timeout: Duration::from_secs(10),
            scrape_protocols: Protocol::STANDARD.to_vec(),
            fallback_scrape_protocol: None,
            scrape_native_histograms: false,
            always_scrape_classic_histograms: false,
            convert_classic_histograms_to_nhcb: false,
            scrape_failure_log_file: None,
            metrics_path: "/metrics".to_owned(),
            scheme: "http".to_owned(),
            enable_compression: true,
            body_size_limit: 0,
            sample_limit: 0,
            target_limit: 0,
            label_limit: 0,
            label_name_length_limit: 0,
            label_value_length_limit: 0,
            native_histogram_bucket_limit: 0,
            native_histogram_min_bucket_factor: 0.0,
            keep_dropped_targets: 0,
            metric_name_validation_scheme: ValidationScheme::Utf8,
            metric_name_escaping_scheme: EscapingScheme::AllowUtf8,
            extra_scrape_metrics: false,
            http: client::Config::default(),
            relabel_rules: Vec::new(),
            metric_relabel_rules: Vec::new(),
        }
    }
}
