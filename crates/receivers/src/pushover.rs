//! Pushover.

use std::time::Duration;

use settings::{
    decode::{Broken, Section},
    http::HttpClient,
    record,
    values::Secret,
};

use crate::{
    Global, Settings,
    integration::exactly_one,
    values::{TextDuration, shipped},
};

record! {
    pub struct Config: "pushover.plain" {
        send_resolved: bool = always,
        http_config: Option<HttpClient>,
        user_key: Secret,
        user_key_file: String,
        token: Secret,
        token_file: String,
        title: String,
        message: String,
        url: String,
        url_title: String,
        device: String,
        sound: String,
        priority: String,
        retry: TextDuration,
        expire: TextDuration,
        ttl: TextDuration,
        html: bool,
        monospace: bool,
    }
}

impl Section for Config {
    fn defaults() -> Config {
        Config {
            send_resolved: true,
            title: shipped("pushover.default.title"),
            message: shipped("pushover.default.message"),
            url: shipped("pushover.default.url"),
            priority: r#"{{ if eq .Status "firing" }}2{{ else }}0{{ end }}"#.to_owned(),
            retry: TextDuration(Duration::from_secs(60)),
            expire: TextDuration(Duration::from_secs(3600)),
            ..Config::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        let has_file = !self.user_key_file.is_empty();
        exactly_one(!self.user_key.is_empty(), "user_key", has_file, "user_key_file")?;
        let has_file = !self.token_file.is_empty();
        exactly_one(!self.token.is_empty(), "token", has_file, "token_file")?;
        if self.html && self.monospace {
            return Err("at most one of monospace & html must be configured".into());
        }
        Ok(())
    }
}

impl Settings for Config {
    const NAME: &'static str = "pushover";

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
