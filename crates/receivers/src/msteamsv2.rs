//! Microsoft Teams, through workflows: adaptive cards.

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
        let has_file = !self.webhook_url_file.is_empty();
        exactly_one(self.webhook_url.is_some(), "webhook_url", has_file, "webhook_url_file")
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
}
