//! WeChat.

mod notifier;

use settings::{
    decode::{Broken, Section},
    http::HttpClient,
    record,
    values::Secret,
};

use crate::{
    Context, Global, Settings,
    build::NewNotifier,
    integration::{at_most_one, inherit_url_with_slash},
    values::{HttpUrl, shipped},
};

record! {
    pub struct Config: "wechat.plain" {
        send_resolved: bool = always,
        http_config: Option<HttpClient>,
        api_secret: Secret,
        api_secret_file: String,
        corp_id: String,
        message: String,
        api_url: Option<HttpUrl>,
        to_user: String,
        to_party: String,
        to_tag: String,
        agent_id: String,
        message_type: String,
    }
}

impl Section for Config {
    fn defaults() -> Config {
        Config {
            message: shipped("wechat.default.message"),
            to_user: shipped("wechat.default.to_user"),
            to_party: shipped("wechat.default.to_party"),
            to_tag: shipped("wechat.default.to_tag"),
            agent_id: shipped("wechat.default.agent_id"),
            ..Config::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        if self.message_type.is_empty() {
            self.message_type = "text".to_owned();
        }
        if !["text", "markdown"].contains(&self.message_type.as_str()) {
            let kind = &self.message_type;
            return Err(format!(
                "weChat message type {kind:?} does not match valid options ^(text|markdown)$"
            )
            .into());
        }
        let has_file = !self.api_secret_file.is_empty();
        at_most_one(!self.api_secret.is_empty(), "api_secret", has_file, "api_secret_file")
    }
}

impl Settings for Config {
    const NAME: &'static str = "wechat";

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn http(&mut self) -> Option<&mut Option<HttpClient>> {
        Some(&mut self.http_config)
    }

    fn inherit(&mut self, global: &Global) -> Result<(), Broken> {
        global.lend_http(&mut self.http_config);
        inherit_url_with_slash(&mut self.api_url, &global.wechat_api_url, "Wechat")?;
        if self.api_secret.is_empty() && self.api_secret_file.is_empty() {
            self.api_secret = global.wechat_api_secret.clone();
            self.api_secret_file = global.wechat_api_secret_file.clone();
        }
        if self.api_secret.is_empty() && self.api_secret_file.is_empty() {
            return Err("no global Wechat Api Secret set either inline or in a file".into());
        }
        if self.corp_id.is_empty() {
            self.corp_id = global.wechat_api_corp_id.clone();
        }
        if self.corp_id.is_empty() {
            return Err("no global Wechat CorpID set".into());
        }
        Ok(())
    }

    fn notifier(&self, context: &Context) -> NewNotifier {
        notifier::new(self, context)
    }
}
