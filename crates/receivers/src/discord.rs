//! Discord, through a webhook of a channel.

use settings::{
    decode::{Broken, Section},
    http::HttpClient,
    record,
};

use crate::{
    Global, Settings,
    integration::exactly_one,
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
        let has_file = !self.webhook_url_file.is_empty();
        exactly_one(self.webhook_url.is_some(), "webhook_url", has_file, "webhook_url_file")
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

    fn inherit(&mut self, global: &Global) -> Result<(), Broken> {
        global.lend_http(&mut self.http_config);
        Ok(())
    }
}
