//! Webex.

use std::time::Duration;

use alertmanager::integration::{Notification, NotifyError, http::truncate_in_bytes};
use serde::Serialize;
use settings::{
    decode::{Broken, Section},
    http::HttpClient,
    record,
};

use crate::{
    Context, Global, Settings,
    build::NewNotifier,
    client::check_status,
    integration::inherit_url,
    payload::to_go_json,
    sender::{self, Sender, Tell, Texts},
    values::{HttpUrl, shipped},
};

record! {
    pub struct Config: "webex.plain" {
        send_resolved: bool = always,
        http_config: Option<HttpClient>,
        api_url: Option<HttpUrl>,
        message: String,
        room_id: String = always,
    }
}

impl Section for Config {
    fn defaults() -> Config {
        Config {
            send_resolved: true,
            message: shipped("webex.default.message"),
            ..Config::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        if self.room_id.is_empty() {
            return Err("missing room_id on webex_config".into());
        }
        // What is inherited has no say: the token belongs to the room.
        if self.http_config.as_ref().is_none_or(|http| http.authorization.is_none()) {
            return Err("missing webex_configs.http_config.authorization".into());
        }
        Ok(())
    }
}

impl Settings for Config {
    const NAME: &'static str = "webex";

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn http(&mut self) -> Option<&mut Option<HttpClient>> {
        Some(&mut self.http_config)
    }

    fn inherit(&mut self, global: &Global) -> Result<(), Broken> {
        global.lend_http(&mut self.http_config);
        inherit_url(&mut self.api_url, &global.webex_api_url, "Webex")
    }

    fn notifier(&self, context: &Context) -> NewNotifier {
        sender::new(self, &self.http_config, Duration::ZERO, context)
    }
}

/// In bytes, as Webex counts.
const MESSAGE_BYTES_MAX: usize = 7439;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    markdown: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    room_id: String,
}

impl Tell for Config {
    async fn tell(
        &self,
        sender: &Sender,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<(), NotifyError> {
        let (markdown, truncated) =
            truncate_in_bytes(&texts.text(&self.message)?, MESSAGE_BYTES_MAX);
        if truncated {
            let (group_key, max_bytes) = (&notification.group_key, MESSAGE_BYTES_MAX);
            tracing::warn!(group_key, max_bytes, "Truncated message");
        }
        let message = Message { markdown, room_id: texts.text(&self.room_id)? };
        let url = self.api_url.as_ref().map_or("", HttpUrl::as_str);
        let response = sender.http.post_json(url, to_go_json(&message)).await?;
        check_status(&response, &[])
    }
}
