//! Rocket.Chat.

mod notifier;

use std::time::Duration;

use settings::{
    decode::{Broken, List, Section},
    http::HttpClient,
    record,
    values::Secret,
};

use crate::{
    Context, Global, Settings,
    build::NewNotifier,
    integration::at_most_one,
    sender,
    values::{HttpUrl, shipped},
};

record! {
    pub struct Config: "rocketchat.plain" {
        send_resolved: bool = always,
        http_config: Option<HttpClient>,
        api_url: Option<HttpUrl>,
        token_id: Option<Secret>,
        token_id_file: String,
        token: Option<Secret>,
        token_file: String,
        channel: String,
        color: String,
        title: String,
        title_link: String,
        text: String,
        fields: List<Field>,
        short_fields: bool = always,
        emoji: String,
        icon_url: String,
        image_url: String,
        thumb_url: String,
        link_names: bool = always,
        actions: List<Action>,
    }
}

record! {
    pub struct Field: "rocketchat.RocketchatAttachmentField" {
        short: Option<bool> = always,
        title: String = always,
        value: String = always,
    }
}

record! {
    /// A button; the keys are Go's names in lower case, since upstream gives none.
    pub struct Action: "rocketchat.RocketchatAttachmentAction" {
        kind as "type": String = always,
        text: String = always,
        url: String = always,
        image_url as "imageurl": String = always,
        is_web_view as "iswebview": bool = always,
        web_view_height_ratio as "webviewheightratio": String = always,
        msg: String = always,
        msg_in_chat_window as "msginchatwindow": bool = always,
        msg_processing_type as "msgprocessingtype": String = always,
    }
}

impl Section for Field {}
impl Section for Action {}

impl Section for Config {
    fn defaults() -> Config {
        Config {
            color: r#"{{ if eq .Status "firing" }}red{{ else }}green{{ end }}"#.to_owned(),
            emoji: shipped("rocketchat.default.emoji"),
            icon_url: shipped("rocketchat.default.iconurl"),
            text: shipped("rocketchat.default.text"),
            title: shipped("rocketchat.default.title"),
            title_link: shipped("rocketchat.default.titlelink"),
            ..Config::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        let has_file = !self.token_file.is_empty();
        at_most_one(self.token.is_some(), "token", has_file, "token_file")?;
        let has_file = !self.token_id_file.is_empty();
        at_most_one(self.token_id.is_some(), "token_id", has_file, "token_id_file")
    }
}

impl Settings for Config {
    const NAME: &'static str = "rocketchat";

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn http(&mut self) -> Option<&mut Option<HttpClient>> {
        Some(&mut self.http_config)
    }

    fn inherit(&mut self, global: &Global) -> Result<(), Broken> {
        global.lend_http(&mut self.http_config);
        if self.api_url.is_none() {
            self.api_url.clone_from(&global.rocketchat_api_url);
        }
        if self.token_id.is_none() && self.token_id_file.is_empty() {
            self.token_id.clone_from(&global.rocketchat_token_id);
            self.token_id_file.clone_from(&global.rocketchat_token_id_file);
        }
        if self.token_id.is_none() && self.token_id_file.is_empty() {
            return Err("no global Rocketchat TokenID set either inline or in a file".into());
        }
        if self.token.is_none() && self.token_file.is_empty() {
            self.token.clone_from(&global.rocketchat_token);
            self.token_file.clone_from(&global.rocketchat_token_file);
        }
        if self.token.is_none() && self.token_file.is_empty() {
            return Err("no global Rocketchat Token set either inline or in a file".into());
        }
        Ok(())
    }

    fn notifier(&self, context: &Context) -> NewNotifier {
        sender::new(self, &self.http_config, Duration::ZERO, context)
    }
}
