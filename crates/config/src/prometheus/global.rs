//! `global` and `runtime`.

use model::names::{EscapingScheme, ValidationScheme};

use super::protocol::{ScrapeProtocol, validate_protocols};
use crate::{
    decode::{Broken, Section},
    record,
    values::{Bytes, Duration, FilePath, LabelSet},
    word,
};

pub(super) const SCRAPE_INTERVAL: Duration = Duration::from_secs(60);
pub(super) const SCRAPE_TIMEOUT: Duration = Duration::from_secs(10);
const EVALUATION_INTERVAL: Duration = Duration::from_secs(60);

record! {
    /// What scrape configurations inherit, and what is said once for all.
    pub struct Global: "config.plain" {
        scrape_interval: Duration,
        scrape_timeout: Duration,
        scrape_protocols: Vec<ScrapeProtocol>,
        evaluation_interval: Duration,
        rule_query_offset: Duration,
        query_log_file: FilePath,
        scrape_failure_log_file: FilePath,
        external_labels: LabelSet,
        body_size_limit: Bytes,
        sample_limit: u64,
        target_limit: u64,
        label_limit: u64,
        label_name_length_limit: u64,
        label_value_length_limit: u64,
        keep_dropped_targets: u64,
        metric_name_validation_scheme: SchemeName,
        metric_name_escaping_scheme: String,
        scrape_native_histograms: Option<bool>,
        convert_classic_histograms_to_nhcb: bool,
        always_scrape_classic_histograms: bool,
        extra_scrape_metrics: Option<bool>,
    }
}

word! {
    /// `utf8` or `legacy`.
    pub struct SchemeName: "model.ValidationScheme" { "", "legacy", "utf8" }
    else |text| format!("unrecognized ValidationScheme: {text:?}")
}

impl SchemeName {
    /// The scheme, if one is set.
    pub fn scheme(&self) -> Option<ValidationScheme> {
        ValidationScheme::parse(self.as_str()).expect("decoding let only known names in")
    }
}

record! {
    /// Settings of Go's runtime: known, kept, and without effect here.
    pub struct Runtime: "config.RuntimeConfig" {
        gogc: i64,
    }
}

impl Section for Runtime {
    fn defaults() -> Runtime {
        Runtime { gogc: 75 }
    }
}

impl Section for Global {
    /// Nothing yet: [`Global::check`] fills in what the file leaves out.
    fn defaults() -> Global {
        Global::default()
    }

    fn check(&mut self) -> Result<(), Broken> {
        if self.metric_name_validation_scheme.is_empty() {
            self.metric_name_validation_scheme = "utf8".into();
        }
        let scheme = self.scheme();
        for name in self.external_labels.keys() {
            if !scheme.is_valid_label_name(name) {
                return Err(format!("{name:?} is not a valid label name").into());
            }
        }
        self.scrape_interval = self.scrape_interval.or(SCRAPE_INTERVAL);
        if self.scrape_timeout > self.scrape_interval {
            return Err("global scrape timeout greater than scrape interval".into());
        }
        self.scrape_timeout = self.scrape_timeout.or(SCRAPE_TIMEOUT.min(self.scrape_interval));
        self.evaluation_interval = self.evaluation_interval.or(EVALUATION_INTERVAL);
        self.scrape_native_histograms.get_or_insert(false);
        self.extra_scrape_metrics.get_or_insert(false);
        if !self.scrape_protocols.is_empty() {
            validate_protocols(&self.scrape_protocols)
                .map_err(|message| format!("{message} for global config"))?;
        }
        Ok(())
    }
}

impl Global {
    /// What holds when the file has no `global`, or an empty one.
    pub fn standard() -> Global {
        let mut global = Global {
            metric_name_escaping_scheme: EscapingScheme::AllowUtf8.as_str().to_owned(),
            ..Global::default()
        };
        global.check().expect("the standard settings are valid");
        global
    }

    pub fn scheme(&self) -> ValidationScheme {
        self.metric_name_validation_scheme.scheme().unwrap_or(ValidationScheme::Utf8)
    }

    /// The escaping scheme that jobs inherit.
    pub(super) fn escaping(&self) -> Result<EscapingScheme, Broken> {
        match (self.metric_name_escaping_scheme.as_str(), self.scheme()) {
            ("", ValidationScheme::Legacy) => Ok(EscapingScheme::Underscores),
            ("", ValidationScheme::Utf8) => Ok(EscapingScheme::AllowUtf8),
            (name, _) => EscapingScheme::parse(name).map_err(|_| {
                format!("unknown global name escaping method specified, must be one of 'allow-utf-8', 'underscores', 'dots', or 'values', got {name:?}").into()
            }),
        }
    }
}
