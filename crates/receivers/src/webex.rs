//! Webex.

use settings::{
    decode::{Broken, Section},
    http::HttpClient,
    record,
};

use crate::{
    Global, Settings,
    integration::inherit_url,
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
}
