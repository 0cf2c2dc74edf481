//! Telegram, as a bot.

use settings::{
    decode::{Broken, Section},
    http::HttpClient,
    record,
    values::Secret,
};

use crate::{
    Global, Settings,
    integration::at_most_one,
    values::{HttpUrl, shipped},
};

record! {
    pub struct Config: "telegram.plain" {
        send_resolved: bool = always,
        http_config: Option<HttpClient>,
        api_url: Option<HttpUrl> = always,
        bot_token: Secret,
        bot_token_file: String,
        chat_id: i64,
        chat_id_file: String,
        message_thread_id: i64,
        message: String,
        disable_notifications: bool,
        parse_mode: String,
    }
}

impl Section for Config {
    fn defaults() -> Config {
        Config {
            send_resolved: true,
            message: shipped("telegram.default.message"),
            parse_mode: "HTML".to_owned(),
            ..Config::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        let has_file = !self.bot_token_file.is_empty();
        at_most_one(!self.bot_token.is_empty(), "bot_token", has_file, "bot_token_file")?;
        let (has_id, has_file) = (self.chat_id != 0, !self.chat_id_file.is_empty());
        if !has_id && !has_file {
            return Err("missing chat_id or chat_id_file on telegram_config".into());
        }
        at_most_one(has_id, "chat_id", has_file, "chat_id_file")?;
        if !["", "Markdown", "MarkdownV2", "HTML"].contains(&self.parse_mode.as_str()) {
            return Err("unknown parse_mode on telegram_config, must be Markdown, MarkdownV2, HTML or empty string".into());
        }
        Ok(())
    }
}

impl Settings for Config {
    const NAME: &'static str = "telegram";

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn http(&mut self) -> Option<&mut Option<HttpClient>> {
        Some(&mut self.http_config)
    }

    fn inherit(&mut self, global: &Global) -> Result<(), Broken> {
        global.lend_http(&mut self.http_config);
        if self.api_url.is_none() {
            self.api_url = global.telegram_api_url.clone();
        }
        if self.bot_token.is_empty() && self.bot_token_file.is_empty() {
            self.bot_token = global.telegram_bot_token.clone();
            self.bot_token_file = global.telegram_bot_token_file.clone();
        }
        if self.bot_token.is_empty() && self.bot_token_file.is_empty() {
            return Err("missing bot_token or bot_token_file on telegram_config".into());
        }
        Ok(())
    }
}
