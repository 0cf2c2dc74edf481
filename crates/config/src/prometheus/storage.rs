//! `storage`, `otlp` and `tracing`.

use std::collections::{BTreeMap, HashSet};

use model::Matcher;

use super::remote::refuse_reserved;
use crate::{
    decode::{Broken, Section},
    http::Tls,
    record,
    values::{Bytes, Duration},
    word,
};

record! {
    pub struct Storage: "config.StorageConfig" {
        tsdb: Option<Tsdb>,
        exemplars: Option<Exemplars>,
    }
}

record! {
    pub struct Tsdb: "config.plain" {
        out_of_order_time_window: Duration,
        stale_series_compaction_threshold: f64,
        chunk_encoding: ChunkEncoding,
        retention: Option<Retention>,
    }
}

record! {
    pub struct ChunkEncoding: "config.ChunkEncodingConfig" {
        floats: String,
    }
}

record! {
    /// How much is kept: for a time, of a size, of a share of the disk.
    pub struct Retention: "config.plain" {
        time: Duration,
        size: Bytes,
        percentage: f64,
        classes: Vec<RetentionClass>,
    }
}

record! {
    /// Series that are kept for a time of their own: those that one of the selectors selects.
    /// Ours; upstream keeps everything for the same time.
    pub struct RetentionClass: "vesta.RetentionClass" {
        name: String,
        selectors as "match": Vec<String>,
        time: Duration,
    }
}

record! {
    pub struct Exemplars: "config.ExemplarsConfig" {
        max_exemplars: i64,
    }
}

impl Section for Storage {}
impl Section for ChunkEncoding {}
impl Section for Exemplars {}

impl Section for Tsdb {
    fn check(&mut self) -> Result<(), Broken> {
        let floats = &self.chunk_encoding.floats;
        if !["", "xor", "xor2"].contains(&floats.as_str()) {
            return Err(format!("'storage.tsdb.chunk_encoding.floats' must be 'xor' or 'xor2', or the field must be omitted entirely, got {floats:?}").into());
        }
        self.retention.get_or_insert_with(Retention::default);
        Ok(())
    }
}

impl Section for Retention {
    fn check(&mut self) -> Result<(), Broken> {
        if self.size < Bytes(0) {
            return Err(format!(
                "'storage.tsdb.retention.size' must be greater than or equal to 0, got {}",
                self.size
            )
            .into());
        }
        if !(0.0..=100.0).contains(&self.percentage) {
            return Err(format!(
                "'storage.tsdb.retention.percentage' must be in the range [0, 100], got {}",
                self.percentage
            )
            .into());
        }
        let mut names = HashSet::new();
        for RetentionClass { name, .. } in &self.classes {
            if !names.insert(name) {
                return Err(
                    format!("'storage.tsdb.retention.classes': {name:?} is given twice").into()
                );
            }
        }
        Ok(())
    }
}

impl Section for RetentionClass {
    fn check(&mut self) -> Result<(), Broken> {
        if self.name.is_empty() {
            return Err("a retention class has no name".into());
        }
        if self.selectors.is_empty() {
            return Err(format!("retention class {:?} has no match", self.name).into());
        }
        self.matchers()?;
        Ok(())
    }
}

impl RetentionClass {
    /// The matchers of each selector.
    pub fn matchers(&self) -> Result<Vec<Vec<Matcher>>, String> {
        let parse = |selector: &String| {
            let parsed = promql_syntax::parse_metric_selector(selector);
            parsed
                .map_err(|error| format!("retention class {:?}: {selector:?}: {error}", self.name))
        };
        self.selectors.iter().map(parse).collect()
    }
}

record! {
    /// What becomes of OpenTelemetry's names and attributes.
    pub struct Otlp: "config.plain" {
        promote_all_resource_attributes: bool,
        promote_resource_attributes: Vec<String>,
        ignore_resource_attributes: Vec<String>,
        translation_strategy: String,
        keep_identifying_resource_attributes: bool,
        convert_histograms_to_nhcb: bool,
        promote_scope_metadata: bool,
        label_name_underscore_sanitization: bool,
        label_name_preserve_multiple_underscores: bool,
    }
}

impl Section for Otlp {
    fn defaults() -> Otlp {
        Otlp {
            translation_strategy: "UnderscoreEscapingWithSuffixes".to_owned(),
            label_name_underscore_sanitization: true,
            label_name_preserve_multiple_underscores: true,
            ..Otlp::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        if !self.promote_all_resource_attributes {
            if !self.ignore_resource_attributes.is_empty() {
                return Err("'ignore_resource_attributes' cannot be configured unless 'promote_all_resource_attributes' is true".into());
            }
            return tidy_attributes(&mut self.promote_resource_attributes, "promoted").map_err(
                |message| format!("invalid 'promote_resource_attributes': {message}").into(),
            );
        }
        if !self.promote_resource_attributes.is_empty() {
            return Err("'promote_all_resource_attributes' and 'promote_resource_attributes' cannot be configured simultaneously".into());
        }
        tidy_attributes(&mut self.ignore_resource_attributes, "ignored")
            .map_err(|message| format!("invalid 'ignore_resource_attributes': {message}").into())
    }
}

impl Otlp {
    /// Checks the strategy, which depends on whether UTF-8 names are allowed.
    pub(super) fn check_strategy(&self, utf8_names: bool) -> Result<(), Broken> {
        let strategy = &self.translation_strategy;
        match strategy.as_str() {
            "" | "UnderscoreEscapingWithSuffixes" | "UnderscoreEscapingWithoutSuffixes" => Ok(()),
            "NoTranslation" | "NoUTF8EscapingWithSuffixes" if utf8_names => Ok(()),
            "NoTranslation" | "NoUTF8EscapingWithSuffixes" => Err(format!(
                "OTLP translation strategy {strategy:?} is not allowed when UTF8 is disabled"
            )
            .into()),
            _ => Err(format!("unsupported OTLP translation strategy {strategy:?}").into()),
        }
    }
}

/// Takes spaces off and refuses empty and repeated names, all of them in one message.
fn tidy_attributes(attributes: &mut [String], adjective: &str) -> Result<(), String> {
    let mut seen = HashSet::new();
    let mut wrong = Vec::new();
    for attribute in attributes {
        let tidy = attribute.trim().to_owned();
        if tidy.is_empty() {
            wrong.push(format!("empty {adjective} OTel resource attribute"));
        } else if !seen.insert(tidy.clone()) {
            wrong.push(format!("duplicated {adjective} OTel resource attribute {tidy:?}"));
        }
        *attribute = tidy;
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

record! {
    /// Where our own traces go.
    pub struct Tracing: "config.plain" {
        client_type: ClientType,
        endpoint: String,
        sampling_fraction: f64,
        insecure: bool,
        tls_config: Tls,
        headers: BTreeMap<String, String>,
        compression: String,
        timeout: Duration,
    }
}

word! {
    pub struct ClientType: "config.TracingClientType" { "http", "grpc" }
    else |text| format!("expected tracing client type to be to be http or grpc, but got {text}")
}

impl Section for Tracing {
    fn defaults() -> Tracing {
        Tracing { client_type: "grpc".into(), ..Tracing::default() }
    }

    fn check(&mut self) -> Result<(), Broken> {
        if self.headers.keys().any(|name| name.eq_ignore_ascii_case("authorization")) {
            return Err("custom authorization header configuration is not yet supported".into());
        }
        refuse_reserved(&self.headers)?;
        if self.endpoint.is_empty() {
            return Err("tracing endpoint must be set".into());
        }
        if !["", "gzip"].contains(&self.compression.as_str()) {
            return Err(format!(
                "invalid compression type {} provided, valid options: gzip",
                self.compression
            )
            .into());
        }
        Ok(())
    }
}
