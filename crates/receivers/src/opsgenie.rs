//! Opsgenie.

mod notifier;

use std::{collections::BTreeMap, time::Duration};

use settings::{
    decode::{Broken, List, Section},
    http::HttpClient,
    record,
    values::Secret,
};

use crate::{
    Context, Global, Settings,
    build::NewNotifier,
    integration::{at_most_one, inherit_url_with_slash},
    sender,
    values::{HttpUrl, is_template, shipped},
};

record! {
    pub struct Config: "opsgenie.plain" {
        send_resolved: bool = always,
        http_config: Option<HttpClient>,
        api_key: Secret,
        api_key_file: String,
        api_url: Option<HttpUrl>,
        message: String,
        description: String,
        source: String,
        details: BTreeMap<String, String>,
        entity: String,
        responders: List<Responder>,
        actions: String,
        tags: String,
        note: String,
        priority: String,
        update_alerts: bool,
    }
}

record! {
    /// Who is to respond, by one of three ways to say who.
    pub struct Responder: "opsgenie.OpsGenieConfigResponder" {
        id: String,
        name: String,
        username: String,
        kind as "type": String,
    }
}

impl Section for Responder {}

impl Responder {
    fn check_fields(&self) -> Result<(), Broken> {
        let Responder { id, name, username, kind } = self;
        let shown = format!("{{{id} {name} {username} {kind}}}");
        if id.is_empty() && name.is_empty() && username.is_empty() {
            return Err(format!("opsGenieConfig responder {shown} has to have at least one of id, username or name specified").into());
        }
        let is_template = is_template(kind).map_err(|why| {
            format!("opsGenieConfig responder {shown} type contains invalid template syntax: {why}")
        })?;
        if !is_template && !is_responder_type(&kind.to_lowercase()) {
            return Err(format!("opsGenieConfig responder {shown} type does not match valid options ^(team|teams|user|escalation|schedule)$").into());
        }
        Ok(())
    }
}

/// Whether Opsgenie knows that kind of responder, in lower case.
pub(crate) fn is_responder_type(kind: &str) -> bool {
    ["team", "teams", "user", "escalation", "schedule"].contains(&kind)
}

impl Section for Config {
    fn defaults() -> Config {
        Config {
            send_resolved: true,
            message: shipped("opsgenie.default.message"),
            description: shipped("opsgenie.default.description"),
            source: shipped("opsgenie.default.source"),
            ..Config::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        let has_file = !self.api_key_file.is_empty();
        at_most_one(!self.api_key.is_empty(), "api_key", has_file, "api_key_file")?;
        for (line, responder) in self.responders.with_lines() {
            responder.check_fields().map_err(|broken| broken.or_at(line))?;
        }
        Ok(())
    }
}

impl Settings for Config {
    const NAME: &'static str = "opsgenie";

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn http(&mut self) -> Option<&mut Option<HttpClient>> {
        Some(&mut self.http_config)
    }

    fn inherit(&mut self, global: &Global) -> Result<(), Broken> {
        global.lend_http(&mut self.http_config);
        inherit_url_with_slash(&mut self.api_url, &global.opsgenie_api_url, "OpsGenie")?;
        if self.api_key.is_empty() && self.api_key_file.is_empty() {
            self.api_key = global.opsgenie_api_key.clone();
            self.api_key_file = global.opsgenie_api_key_file.clone();
        }
        if self.api_key.is_empty() && self.api_key_file.is_empty() {
            return Err("no global OpsGenie API Key set either inline or in a file".into());
        }
        Ok(())
    }

    fn notifier(&self, context: &Context) -> NewNotifier {
        sender::new(self, &self.http_config, Duration::ZERO, context)
    }
}
