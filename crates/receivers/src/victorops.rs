//! VictorOps, by now Splunk On-Call.

use std::{collections::BTreeMap, time::Duration};

use alertmanager::integration::{Notification, NotifyError};
use settings::{
    decode::{Broken, Section},
    http::HttpClient,
    record,
    values::Secret,
};

use crate::{
    Context, Global, Settings,
    build::NewNotifier,
    client::{check_status, join_path},
    integration::{at_most_one, inherit_url_with_slash},
    payload::to_go_json,
    sender::{self, Sender, Tell, Texts, context, fit},
    values::{HttpUrl, shipped},
};

/// Fields of the message that are ours to fill.
const RESERVED: [&str; 7] = [
    "routing_key",
    "message_type",
    "state_message",
    "entity_display_name",
    "monitoring_tool",
    "entity_id",
    "entity_state",
];

record! {
    pub struct Config: "victorops.plain" {
        send_resolved: bool = always,
        http_config: Option<HttpClient>,
        api_key: Secret,
        api_key_file: String,
        api_url: Option<HttpUrl> = always,
        routing_key: String = always,
        message_type: String = always,
        state_message: String = always,
        entity_display_name: String = always,
        monitoring_tool: String = always,
        custom_fields: BTreeMap<String, String>,
    }
}

impl Section for Config {
    fn defaults() -> Config {
        Config {
            send_resolved: true,
            message_type: "CRITICAL".to_owned(),
            state_message: shipped("victorops.default.state_message"),
            entity_display_name: shipped("victorops.default.entity_display_name"),
            monitoring_tool: shipped("victorops.default.monitoring_tool"),
            ..Config::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        if self.routing_key.is_empty() {
            return Err("missing Routing key in VictorOps config".into());
        }
        let has_file = !self.api_key_file.is_empty();
        at_most_one(!self.api_key.is_empty(), "api_key", has_file, "api_key_file")?;
        match RESERVED.iter().find(|name| self.custom_fields.contains_key(**name)) {
            Some(name) => Err(format!("victorOps config contains custom field {name} which cannot be used as it conflicts with the fixed/static fields").into()),
            None => Ok(()),
        }
    }
}

impl Settings for Config {
    const NAME: &'static str = "victorops";

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn http(&mut self) -> Option<&mut Option<HttpClient>> {
        Some(&mut self.http_config)
    }

    fn inherit(&mut self, global: &Global) -> Result<(), Broken> {
        global.lend_http(&mut self.http_config);
        inherit_url_with_slash(&mut self.api_url, &global.victorops_api_url, "VictorOps")?;
        // Upstream fills each of the two where it is empty; reading a key and a file of which
        // only one was meant would be a surprise.
        if self.api_key.is_empty() && self.api_key_file.is_empty() {
            self.api_key = global.victorops_api_key.clone();
            self.api_key_file = global.victorops_api_key_file.clone();
        }
        if self.api_key.is_empty() && self.api_key_file.is_empty() {
            return Err("no global VictorOps API Key set".into());
        }
        Ok(())
    }

    fn notifier(&self, context: &Context) -> NewNotifier {
        sender::new(self, &self.http_config, Duration::ZERO, context)
    }
}

const STATE_MESSAGE_RUNES_MAX: usize = 20480;

impl Tell for Config {
    async fn tell(
        &self,
        sender: &Sender,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<(), NotifyError> {
        let action = "failed to read API key from file";
        let key = sender.secret(&self.api_key.0, &self.api_key_file, action).await?;
        let routing_key = texts.text(&self.routing_key).map_err(context("templating error"))?;
        let message = self.message(texts, notification).map_err(context("templating error"))?;
        let api = self.api_url.as_ref().map_or("", HttpUrl::as_str);
        let url = join_path(api, &format!("{key}/{routing_key}"));
        let response = sender.http.post_json(&url, to_go_json(&message)).await?;
        check_status(&response, &[])
    }
}

impl Config {
    fn message(
        &self,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<BTreeMap<String, String>, NotifyError> {
        let kind = texts.text(&self.message_type)?;
        let kind = match kind.as_str() {
            _ if texts.is_resolved() => "RECOVERY",
            kind @ ("INFO" | "WARNING") => kind,
            _ => "CRITICAL",
        };
        let state = texts.text(&self.state_message)?;
        let mut message = BTreeMap::from([
            ("message_type".to_owned(), kind.to_owned()),
            ("entity_id".to_owned(), notification.group_key_hash()),
            ("entity_display_name".to_owned(), texts.text(&self.entity_display_name)?),
            (
                "state_message".to_owned(),
                fit(&state, STATE_MESSAGE_RUNES_MAX, "state_message", notification),
            ),
            ("monitoring_tool".to_owned(), texts.text(&self.monitoring_tool)?),
        ]);
        for (name, text) in &self.custom_fields {
            message.insert(name.clone(), texts.text(text)?);
        }
        Ok(message)
    }
}
