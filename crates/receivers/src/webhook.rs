//! Anything that takes a POST of JSON.

mod message;
mod notifier;

pub(crate) use message::encode as encode_message;
pub(crate) use notifier::{kept_alerts, truncate};

use settings::{
    decode::{Broken, Section},
    http::HttpClient,
    record,
    yaml::Yaml,
};

use crate::{
    Context, Settings,
    build::NewNotifier,
    integration::exactly_one,
    values::{GoDuration, SecretTemplateUrl},
};

record! {
    pub struct Config: "webhook.plain" {
        send_resolved: bool = always,
        http_config: Option<HttpClient>,
        url: SecretTemplateUrl,
        /// Holds the URL; read at each notification.
        url_file: String = always,
        /// How many alerts a message holds; zero: all.
        max_alerts: u64 = always,
        /// For the whole exchange; zero: as long as the group has.
        timeout: GoDuration = always,
        /// Replaces the message: a tree whose texts are templates.
        payload: Yaml,
    }
}

impl Section for Config {
    fn defaults() -> Config {
        Config { send_resolved: true, ..Config::default() }
    }

    fn check(&mut self) -> Result<(), Broken> {
        exactly_one(!self.url.is_empty(), "url", !self.url_file.is_empty(), "url_file")
    }
}

impl Settings for Config {
    const NAME: &'static str = "webhook";

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn http(&mut self) -> Option<&mut Option<HttpClient>> {
        Some(&mut self.http_config)
    }

    fn notifier(&self, context: &Context) -> NewNotifier {
        notifier::new(self, context)
    }
}
