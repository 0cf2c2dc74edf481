//! Jira, in the cloud and in the data centre.

mod notifier;

use std::collections::BTreeMap;

use settings::{
    decode::{Broken, Decoder, Section, Setting, Style},
    http::HttpClient,
    record,
    values::Duration,
    yaml::{Node, Value, Yaml},
};

use crate::{
    Context, Global, Settings,
    build::NewNotifier,
    integration::inherit_url,
    sender,
    values::{HttpUrl, shipped},
};

record! {
    pub struct Config: "jira.plain" {
        send_resolved: bool = always,
        http_config: Option<HttpClient>,
        api_url: Option<HttpUrl>,
        api_type: String,
        project: String,
        summary: Field,
        description: Field,
        labels: Vec<String>,
        priority: String,
        issue_type: String,
        reopen_transition: String,
        resolve_transition: String,
        wont_fix_resolution: String,
        reopen_duration: Duration,
        fields: BTreeMap<String, Yaml>,
    }
}

record! {
    struct FieldSettings: "jira.plain" {
        template: String,
        enable_update: Option<bool>,
    }
}

/// A template, alone or with whether an issue that exists gets its new text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Field(FieldSettings);

impl Field {
    fn shipped(name: &str) -> Field {
        Field(FieldSettings { template: shipped(name), enable_update: None })
    }

    pub fn template(&self) -> &str {
        &self.0.template
    }

    pub fn is_updated(&self) -> bool {
        self.0.enable_update.unwrap_or(true)
    }
}

impl Section for FieldSettings {}

impl Setting for Field {
    const GO_TYPE: &'static str = "jira.JiraFieldConfig";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<Field>, Broken> {
        if let Value::Scalar(_) = node.value {
            let template = String::decode(node, decoder)?;
            return Ok(
                template.map(|template| Field(FieldSettings { template, enable_update: None }))
            );
        }
        Ok(FieldSettings::decode(node, decoder)?.map(Field))
    }

    fn encode(&self, style: Style) -> Yaml {
        self.0.encode(style)
    }
}

impl Section for Config {
    fn defaults() -> Config {
        Config {
            send_resolved: true,
            api_type: "auto".to_owned(),
            summary: Field::shipped("jira.default.summary"),
            description: Field::shipped("jira.default.description"),
            priority: shipped("jira.default.priority"),
            ..Config::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        if self.project.is_empty() {
            return Err("missing project in jira_config".into());
        }
        if self.issue_type.is_empty() {
            return Err("missing issue_type in jira_config".into());
        }
        if !["auto", "cloud", "datacenter"].contains(&self.api_type.as_str()) {
            return Err("unknown api_type on jira_config, must be auto, cloud or datacenter".into());
        }
        Ok(())
    }
}

impl Settings for Config {
    const NAME: &'static str = "jira";

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn http(&mut self) -> Option<&mut Option<HttpClient>> {
        Some(&mut self.http_config)
    }

    fn inherit(&mut self, global: &Global) -> Result<(), Broken> {
        global.lend_http(&mut self.http_config);
        inherit_url(&mut self.api_url, &global.jira_api_url, "Jira Cloud")
    }

    fn notifier(&self, context: &Context) -> NewNotifier {
        sender::new(self, &self.http_config, Duration::ZERO.0, context)
    }
}
