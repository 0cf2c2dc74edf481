//! Discord, through a webhook of a channel.

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
    sender::{self, Sender, Tell, Texts, fit},
    values::{SecretUrl, shipped},
};

record! {
    pub struct Config: "discord.plain" {
        send_resolved: bool = always,
        http_config: Option<HttpClient>,
        webhook_url: Option<SecretUrl>,
        webhook_url_file: String,
        content: String,
        title: String,
        message: String,
        username: String,
        avatar_url: String,
    }
}

impl Section for Config {
    fn defaults() -> Config {
        Config {
            send_resolved: true,
            title: shipped("discord.default.title"),
            message: shipped("discord.default.message"),
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
    const NAME: &'static str = "discord";

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

const COLOR_FIRING: u32 = 0x99_2d22;
const COLOR_RESOLVED: u32 = 0x2e_cc71;

#[derive(Serialize)]
struct Message {
    content: String,
    embeds: [Embed; 1],
    #[serde(skip_serializing_if = "str::is_empty")]
    username: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    avatar_url: String,
}

#[derive(Serialize)]
struct Embed {
    title: String,
    description: String,
    color: u32,
}

impl Tell for Config {
    async fn tell(
        &self,
        sender: &Sender,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<(), NotifyError> {
        // The limits are Discord's.
        let title = fit(&texts.text(&self.title)?, 256, "title", notification);
        let description = fit(&texts.text(&self.message)?, 4096, "message", notification);
        let content = fit(&texts.text(&self.content)?, 2000, "content", notification);
        let color = if texts.is_resolved() { COLOR_RESOLVED } else { COLOR_FIRING };
        let message = Message {
            content,
            embeds: [Embed { title, description, color }],
            username: self.username.clone(),
            avatar_url: self.avatar_url.clone(),
        };
        self.hook().post(sender, &message).await
    }
}
