//! `alerting`: where alerts go and what they look like there.

use model::names::ValidationScheme;

use super::{auth::SigV4, relabel::Rule, sd::Discovery};
use crate::{
    decode::{Broken, List, Section},
    http::HttpClient,
    record,
    values::Duration,
    word,
};

record! {
    pub struct Alerting: "config.plain" {
        alert_relabel_configs: List<Rule>,
        alertmanagers: List<Alertmanagers>,
    }
}

record! {
    /// One group of Alertmanagers, found and spoken to in one way.
    pub struct Alertmanagers: "config.AlertmanagerConfig" {
        http: HttpClient = inline,
        sigv4: Option<SigV4>,
        scheme: String,
        path_prefix: String,
        timeout: Duration,
        api_version: ApiVersion = always,
        relabel_configs: List<Rule>,
        alert_relabel_configs: List<Rule>,
        discovery: Discovery = inline,
    }
}

word! {
    /// Only `v2` is left.
    pub struct ApiVersion: "config.AlertmanagerAPIVersion" { "v2" }
    else |text| format!("expected Alertmanager api version to be one of [v2] but got {text}")
}

impl Section for Alerting {
    fn check(&mut self) -> Result<(), Broken> {
        self.alert_relabel_configs.refuse_null("empty or null alert relabeling rule")?;
        self.alertmanagers.refuse_null("empty or null alertmanager config section")
    }
}

impl Section for Alertmanagers {
    fn defaults() -> Alertmanagers {
        Alertmanagers {
            scheme: "http".to_owned(),
            timeout: Duration::from_secs(10),
            api_version: "v2".into(),
            http: HttpClient::defaults(),
            ..Alertmanagers::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        self.discovery.check()?;
        self.http.check()?;
        if self.http.has_auth() && self.sigv4.is_some() {
            return Err(
                "at most one of basic_auth, authorization, oauth2, & sigv4 must be configured"
                    .into(),
            );
        }
        if self.relabel_configs.is_empty() {
            self.discovery.refuse_urls()?;
        }
        self.relabel_configs.refuse_null("empty or null Alertmanager target relabeling rule")?;
        self.alert_relabel_configs.refuse_null("empty or null Alertmanager alert relabeling rule")
    }
}

impl Alerting {
    pub(super) fn validate(&mut self, scheme: ValidationScheme) -> Result<(), Broken> {
        validate_rules(&mut self.alert_relabel_configs, scheme)?;
        for alertmanagers in self.alertmanagers.iter_mut() {
            validate_rules(&mut alertmanagers.alert_relabel_configs, scheme)?;
            validate_rules(&mut alertmanagers.relabel_configs, scheme)?;
        }
        Ok(())
    }
}

pub(super) fn validate_rules(
    rules: &mut List<Rule>,
    scheme: ValidationScheme,
) -> Result<(), Broken> {
    for (line, rule) in rules.with_lines() {
        rule.validate(scheme).map_err(|broken| broken.or_at(line))?;
    }
    Ok(())
}
