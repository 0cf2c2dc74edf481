use config::prometheus::{Scrape, ScrapeProtocol, relabel_rules};
use exposition::Protocol;
use model::names::{EscapingScheme, ValidationScheme};
use receivers::http_config;
use scrape::Config;

use super::Result;

/// What a job means. Names and limits were inherited and checked when the file was read.
pub(crate) fn job(section: &Scrape) -> Result<Config> {
    let names = section.metric_name_validation_scheme.scheme().unwrap_or(ValidationScheme::Utf8);
    let failure_log = &section.scrape_failure_log_file;
    Ok(Config {
        job_name: section.job_name.clone(),
        honor_labels: section.honor_labels,
        honor_timestamps: section.honor_timestamps,
        track_timestamps_staleness: section.track_timestamps_staleness,
        params: section.params.clone(),
        scrape_interval: section.scrape_interval.0,
        scrape_timeout: section.scrape_timeout.0,
        scrape_protocols: section.scrape_protocols.iter().filter_map(protocol).collect(),
        fallback_scrape_protocol: protocol(&section.fallback_scrape_protocol),
        scrape_native_histograms: section.scrape_native_histograms.unwrap_or_default(),
        always_scrape_classic_histograms: section
            .always_scrape_classic_histograms
            .unwrap_or_default(),
        convert_classic_histograms_to_nhcb: section
            .convert_classic_histograms_to_nhcb
            .unwrap_or_default(),
        scrape_failure_log_file: (!failure_log.is_empty()).then(|| failure_log.0.clone().into()),
        metrics_path: section.metrics_path.clone(),
        scheme: section.scheme.clone(),
        enable_compression: section.enable_compression,
        body_size_limit: u64::try_from(section.body_size_limit.0).unwrap_or_default(),
        sample_limit: section.sample_limit,
        target_limit: section.target_limit,
        label_limit: section.label_limit,
        label_name_length_limit: section.label_name_length_limit,
        label_value_length_limit: section.label_value_length_limit,
        native_histogram_bucket_limit: section.native_histogram_bucket_limit,
        native_histogram_min_bucket_factor: section.native_histogram_min_bucket_factor,
        keep_dropped_targets: section.keep_dropped_targets,
        metric_name_validation_scheme: names,
        metric_name_escaping_scheme: EscapingScheme::parse(&section.metric_name_escaping_scheme)
            .unwrap_or(EscapingScheme::AllowUtf8),
        extra_scrape_metrics: section.extra_scrape_metrics.unwrap_or_default(),
        http: http_config::to_client(&section.http)?,
        relabel_rules: relabel_rules(&section.relabel_configs, names)?,
        metric_relabel_rules: relabel_rules(&section.metric_relabel_configs, names)?,
    })
}

fn protocol(name: &ScrapeProtocol) -> Option<Protocol> {
    Protocol::parse(&name.0)
}
