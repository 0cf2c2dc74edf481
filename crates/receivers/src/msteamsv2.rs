//! Microsoft Teams, through workflows: adaptive cards.

use std::time::Duration;

use alertmanager::integration::{Notification, NotifyError};
use serde::Serialize;
use settings::{
    decode::{Broken, Section},
    http::HttpClient,
    record,
};

use crate::{
    Context, Global, Settings,
    build::NewNotifier,
    hook::Hook,
    sender::{self, Sender, Tell, Texts},
    values::{SecretUrl, shipped},
};

record! {
    pub struct Config: "msteamsv2.plain" {
        send_resolved: bool = always,
        http_config: Option<HttpClient>,
        webhook_url: Option<SecretUrl>,
        webhook_url_file: String,
        title: String,
        text: String,
    }
}

impl Section for Config {
    fn defaults() -> Config {
        Config {
            send_resolved: true,
            title: shipped("msteamsv2.default.title"),
            text: shipped("msteamsv2.default.text"),
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
    const NAME: &'static str = "msteamsv2";

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn http(&mut self) -> Option<&mut Option<HttpClient>> {
        Some(&mut self.http_config)
    }

    /// The only integration that takes the global proxy into an `http_config` of its own.
    fn inherit(&mut self, global: &Global) -> Result<(), Broken> {
        global.lend_http(&mut self.http_config);
        if let (Some(http), Some(global)) = (&mut self.http_config, &global.http_config) {
            let has_proxy = !http.proxy.proxy_url.is_empty() || http.proxy.proxy_from_environment;
            if !has_proxy {
                http.proxy.proxy_url = global.proxy.proxy_url.clone();
            }
        }
        Ok(())
    }

    fn notifier(&self, context: &Context) -> NewNotifier {
        sender::new(self, &self.http_config, Duration::ZERO, context)
    }
}

#[derive(Serialize)]
struct Message {
    #[serde(rename = "type")]
    kind: &'static str,
    attachments: [Attachment; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attachment {
    content_type: &'static str,
    content_url: Option<String>,
    content: Card,
}

#[derive(Serialize)]
struct Card {
    #[serde(rename = "$schema")]
    schema: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    version: &'static str,
    body: [Block; 2],
    msteams: Width,
}

#[derive(Serialize, Default)]
struct Block {
    #[serde(rename = "type")]
    kind: &'static str,
    text: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    weight: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    size: &'static str,
    wrap: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    style: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    color: &'static str,
}

#[derive(Serialize)]
struct Width {
    width: &'static str,
}

fn card(title: String, text: String, is_resolved: bool) -> Message {
    let title = Block {
        kind: "TextBlock",
        text: title,
        weight: "Bolder",
        size: "Medium",
        wrap: true,
        style: "heading",
        color: if is_resolved { "Good" } else { "Attention" },
    };
    let text = Block { kind: "TextBlock", text, wrap: true, ..Block::default() };
    let content = Card {
        schema: "http://adaptivecards.io/schemas/adaptive-card.json",
        kind: "AdaptiveCard",
        version: "1.2",
        body: [title, text],
        msteams: Width { width: "full" },
    };
    let content_type = "application/vnd.microsoft.card.adaptive";
    Message {
        kind: "message",
        attachments: [Attachment { content_type, content_url: None, content }],
    }
}

impl Tell for Config {
    async fn tell(
        &self,
        sender: &Sender,
        texts: &Texts<'_>,
        _: &Notification,
    ) -> Result<(), NotifyError> {
        let (title, text) = (texts.text(&self.title)?, texts.text(&self.text)?);
        let message = card(title, text, texts.is_resolved());
        self.hook().post(sender, &message).await
    }
}
