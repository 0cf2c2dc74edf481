//! Microsoft Teams, through the connectors of old: message cards.

use std::time::Duration;

use alertmanager::integration::{Notification, NotifyError};
use serde::Serialize;
use settings::{
    decode::{Broken, Section},
    http::HttpClient,
    record,
};

use crate::{
    Context, Settings,
    build::NewNotifier,
    hook::Hook,
    sender::{self, Sender, Tell, Texts},
    values::{SecretUrl, shipped},
};

record! {
    pub struct Config: "msteams.plain" {
        send_resolved: bool = always,
        http_config: Option<HttpClient>,
        webhook_url: Option<SecretUrl>,
        webhook_url_file: String,
        title: String,
        summary: String,
        text: String,
    }
}

impl Section for Config {
    fn defaults() -> Config {
        Config {
            send_resolved: true,
            title: shipped("msteams.default.title"),
            summary: shipped("msteams.default.summary"),
            text: shipped("msteams.default.text"),
            ..Config::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        self.hook().check()
    }
}

impl Config {
    fn hook(&self) -> Hook<'_> {
        Hook { url: &self.webhook_url, file: &self.webhook_url_file }
    }
}

impl Settings for Config {
    const NAME: &'static str = "msteams";

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn http(&mut self) -> Option<&mut Option<HttpClient>> {
        Some(&mut self.http_config)
    }

    fn notifier(&self, context: &Context) -> NewNotifier {
        sender::new(self, &self.http_config, Duration::ZERO, context)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Card {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    title: String,
    summary: String,
    text: String,
    theme_color: &'static str,
}

impl Tell for Config {
    async fn tell(
        &self,
        sender: &Sender,
        texts: &Texts<'_>,
        _: &Notification,
    ) -> Result<(), NotifyError> {
        let card = Card {
            context: "http://schema.org/extensions",
            kind: "MessageCard",
            title: texts.text(&self.title)?,
            text: texts.text(&self.text)?,
            summary: texts.text(&self.summary)?,
            theme_color: if texts.is_resolved() { "2DC72D" } else { "8C1A1A" },
        };
        self.hook().post(sender, &card).await
    }
}
