//! `scrape_configs`: what to scrape, how, and what to make of it.

use std::collections::BTreeMap;

use model::names::{EscapingScheme, ValidationScheme};

use super::{
    global::{Global, SchemeName},
    protocol::{ScrapeProtocol, validate_protocols},
    relabel::Rule,
    sd::Discovery,
};
use crate::{
    decode::{Broken, List, Section},
    http::HttpClient,
    record,
    values::{Bytes, Duration, FilePath},
};

record! {
    /// One job.
    pub struct Scrape: "config.ScrapeConfig" {
        job_name: String = always,
        honor_labels: bool,
        honor_timestamps: bool = always,
        track_timestamps_staleness: bool = always,
        params: BTreeMap<String, Vec<String>>,
        scrape_interval: Duration,
        scrape_timeout: Duration,
        scrape_protocols: Vec<ScrapeProtocol>,
        fallback_scrape_protocol: ScrapeProtocol,
        scrape_native_histograms: Option<bool>,
        always_scrape_classic_histograms: Option<bool>,
        convert_classic_histograms_to_nhcb: Option<bool>,
        scrape_failure_log_file: FilePath,
        metrics_path: String,
        scheme: String,
        enable_compression: bool = always,
        body_size_limit: Bytes,
        sample_limit: u64,
        target_limit: u64,
        label_limit: u64,
        label_name_length_limit: u64,
        label_value_length_limit: u64,
        native_histogram_bucket_limit: u64,
        native_histogram_min_bucket_factor: f64,
        keep_dropped_targets: u64,
        metric_name_validation_scheme: SchemeName,
        metric_name_escaping_scheme: String,
        extra_scrape_metrics: Option<bool>,
        http: HttpClient = inline,
        relabel_configs: List<Rule>,
        metric_relabel_configs: List<Rule>,
        discovery: Discovery = inline,
    }
}

record! {
    /// A file named in `scrape_config_files`.
    pub struct ScrapeFile: "config.ScrapeConfigs" {
        scrape_configs: List<Scrape>,
    }
}

impl Section for ScrapeFile {}

impl Section for Scrape {
    fn defaults() -> Scrape {
        Scrape {
            honor_timestamps: true,
            metrics_path: "/metrics".to_owned(),
            scheme: "http".to_owned(),
            enable_compression: true,
            http: HttpClient::defaults(),
            ..Scrape::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        self.discovery.check()?;
        if self.job_name.is_empty() {
            return Err("job_name is empty".into());
        }
        self.http.check()?;
        if self.relabel_configs.is_empty() {
            self.discovery.refuse_urls()?;
        }
        self.relabel_configs
            .refuse_null("empty or null target relabeling rule in scrape config")?;
        self.metric_relabel_configs
            .refuse_null("empty or null metric relabeling rule in scrape config")
    }
}

impl Scrape {
    /// Takes from `global` what the job leaves out, then checks what depends on both.
    pub(super) fn inherit(&mut self, global: &Global) -> Result<(), Broken> {
        self.inherit_times(global)?;
        self.inherit_limits(global);
        self.scrape_native_histograms =
            self.scrape_native_histograms.or(global.scrape_native_histograms);
        self.extra_scrape_metrics = self.extra_scrape_metrics.or(global.extra_scrape_metrics);
        self.inherit_protocols(global)?;
        let scheme = self.inherit_names(global)?;
        self.convert_classic_histograms_to_nhcb
            .get_or_insert(global.convert_classic_histograms_to_nhcb);
        self.always_scrape_classic_histograms
            .get_or_insert(global.always_scrape_classic_histograms);
        for rules in [&mut self.relabel_configs, &mut self.metric_relabel_configs] {
            for (line, rule) in rules.with_lines() {
                rule.validate(scheme).map_err(|broken| broken.or_at(line))?;
            }
        }
        Ok(())
    }

    fn inherit_times(&mut self, global: &Global) -> Result<(), Broken> {
        self.scrape_interval = self.scrape_interval.or(global.scrape_interval);
        if self.scrape_timeout > self.scrape_interval {
            let job = &self.job_name;
            return Err(format!("scrape timeout greater than scrape interval for scrape config with job name {job:?}").into());
        }
        self.scrape_timeout =
            self.scrape_timeout.or(global.scrape_timeout.min(self.scrape_interval));
        Ok(())
    }

    fn inherit_limits(&mut self, global: &Global) {
        let or = |own: u64, global: u64| if own == 0 { global } else { own };
        self.body_size_limit = self.body_size_limit.or(global.body_size_limit);
        self.sample_limit = or(self.sample_limit, global.sample_limit);
        self.target_limit = or(self.target_limit, global.target_limit);
        self.label_limit = or(self.label_limit, global.label_limit);
        self.label_name_length_limit =
            or(self.label_name_length_limit, global.label_name_length_limit);
        self.label_value_length_limit =
            or(self.label_value_length_limit, global.label_value_length_limit);
        self.keep_dropped_targets = or(self.keep_dropped_targets, global.keep_dropped_targets);
        if self.scrape_failure_log_file.is_empty() {
            self.scrape_failure_log_file = global.scrape_failure_log_file.clone();
        }
    }

    fn inherit_protocols(&mut self, global: &Global) -> Result<(), Broken> {
        let job = &self.job_name;
        if self.scrape_protocols.is_empty() {
            self.scrape_protocols = match global.scrape_protocols.as_slice() {
                [] => ScrapeProtocol::standard(self.scrape_native_histograms == Some(true)),
                protocols => protocols.to_vec(),
            };
        }
        validate_protocols(&self.scrape_protocols)
            .map_err(|message| format!("{message} for scrape config with job name {job:?}"))?;
        if !self.fallback_scrape_protocol.0.is_empty() {
            self.fallback_scrape_protocol.validate().map_err(|message| {
                format!("invalid fallback_scrape_protocol for scrape config with job name {job:?}: {message}")
            })?;
        }
        Ok(())
    }

    fn inherit_names(&mut self, global: &Global) -> Result<ValidationScheme, Broken> {
        let own_scheme = self.metric_name_validation_scheme.scheme();
        let scheme = own_scheme.unwrap_or(global.scheme());
        let inherited = global.escaping()?;
        let escaping = match (self.metric_name_escaping_scheme.as_str(), own_scheme) {
            ("", None) => inherited,
            // A job that asks for classic names only cannot inherit "as they are".
            ("", Some(ValidationScheme::Legacy)) => EscapingScheme::Underscores,
            ("", Some(ValidationScheme::Utf8)) => EscapingScheme::AllowUtf8,
            (name, _) => EscapingScheme::parse(name).map_err(|_| {
                format!("unknown scrape config name escaping method specified, must be one of 'allow-utf-8', 'underscores', 'dots', or 'values', got {name:?}")
            })?,
        };
        if escaping == EscapingScheme::AllowUtf8 && scheme == ValidationScheme::Legacy {
            return Err(
                "utf8 metric names requested but validation scheme is not set to UTF8".into()
            );
        }
        self.metric_name_validation_scheme = scheme.as_str().into();
        self.metric_name_escaping_scheme = escaping.as_str().to_owned();
        Ok(scheme)
    }
}
