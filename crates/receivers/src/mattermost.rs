//! Mattermost, through a webhook.

mod notifier;

use std::time::Duration;

use settings::{
    decode::{Broken, List, Section},
    http::HttpClient,
    record,
};

use crate::{
    Context, Global, Settings,
    build::NewNotifier,
    hook::Hook,
    sender,
    values::{SecretUrl, shipped},
};

record! {
    pub struct Config: "mattermost.plain" {
        send_resolved: bool = always,
        http_config: Option<HttpClient>,
        webhook_url: Option<SecretUrl>,
        webhook_url_file: String,
        channel: String,
        username: String,
        text: String,
        fallback: String,
        color: String,
        pretext: String,
        author_name: String,
        author_link: String,
        author_icon: String,
        title: String,
        title_link: String,
        fields: List<Field>,
        thumb_url: String,
        footer: String,
        footer_icon: String,
        image_url: String,
        icon_url: String,
        icon_emoji: String,
        attachments: List<Attachment>,
        kind as "type": String,
        props: Option<Props>,
        priority: Option<Priority>,
    }
}

record! {
    pub struct Field: "mattermost.plain" {
        title: String,
        value: String,
        short: Option<bool>,
    }
}

record! {
    /// Replaces the attachment that is made of the settings beside it.
    pub struct Attachment: "mattermost.MattermostAttachment" {
        fallback: String,
        color: String,
        pretext: String,
        text: String,
        author_name: String,
        author_link: String,
        author_icon: String,
        title: String,
        title_link: String,
        fields: List<Field>,
        thumb_url: String,
        footer: String,
        footer_icon: String,
        image_url: String,
    }
}

record! {
    pub struct Props: "mattermost.MattermostProps" {
        card: String,
    }
}

record! {
    pub struct Priority: "mattermost.MattermostPriority" {
        priority: String,
        requested_ack: bool,
        persistent_notifications: bool,
    }
}

impl Section for Attachment {}
impl Section for Props {}
impl Section for Priority {}

impl Section for Field {
    fn check(&mut self) -> Result<(), Broken> {
        if self.title.is_empty() {
            return Err("missing title in Mattermost field configuration".into());
        }
        if self.value.is_empty() {
            return Err("missing value in Mattermost field configuration".into());
        }
        Ok(())
    }
}

impl Section for Config {
    fn defaults() -> Config {
        Config {
            send_resolved: true,
            username: shipped("mattermost.default.username"),
            color: shipped("mattermost.default.color"),
            text: shipped("mattermost.default.text"),
            title: shipped("mattermost.default.title"),
            title_link: shipped("mattermost.default.titlelink"),
            fallback: shipped("mattermost.default.fallback"),
            ..Config::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        self.hook().check_optional()
    }
}

impl Config {
    fn hook(&self) -> Hook<'_> {
        Hook { url: &self.webhook_url, file: &self.webhook_url_file }
    }
}

impl Settings for Config {
    const NAME: &'static str = "mattermost";

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn http(&mut self) -> Option<&mut Option<HttpClient>> {
        Some(&mut self.http_config)
    }

    fn inherit(&mut self, global: &Global) -> Result<(), Broken> {
        global.lend_http(&mut self.http_config);
        if self.webhook_url.is_none() && self.webhook_url_file.is_empty() {
            self.webhook_url.clone_from(&global.mattermost_webhook_url);
            self.webhook_url_file.clone_from(&global.mattermost_webhook_url_file);
        }
        if self.webhook_url.is_none() && self.webhook_url_file.is_empty() {
            return Err("missing webhook_url or webhook_url_file on mattermost_config".into());
        }
        Ok(())
    }

    fn notifier(&self, context: &Context) -> NewNotifier {
        sender::new(self, &self.http_config, Duration::ZERO, context)
    }
}
