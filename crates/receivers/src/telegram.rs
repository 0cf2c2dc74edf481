//! Telegram, as a bot.

use std::{collections::BTreeMap, time::Duration};

use alertmanager::integration::{FailureReason, Notification, NotifyError};
use serde::Deserialize;
use settings::{
    decode::{Broken, Section},
    http::HttpClient,
    record,
    values::Secret,
};

use crate::{
    Context, Global, Settings,
    build::NewNotifier,
    integration::at_most_one,
    payload::to_go_json,
    sender::{self, Sender, Tell, Texts, fit},
    values::{HttpUrl, shipped},
};
use transport::client::Response;

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

    fn notifier(&self, context: &Context) -> NewNotifier {
        sender::new(self, &self.http_config, Duration::ZERO, context)
    }
}

/// More is refused by Telegram.
const MESSAGE_RUNES_MAX: usize = 4096;

/// Half of a tag would be no HTML, so that what is too long is replaced as a whole; the blanks
/// are upstream's.
const TOO_LONG: &str = "Alertmanager notification could not be sent: message length exceeds Telegram limits.\n\t\t\tPlease check the template used for producing the message content.";

#[derive(Deserialize)]
struct Answer {
    ok: bool,
    #[serde(default)]
    error_code: u16,
    #[serde(default)]
    description: String,
}

impl Tell for Config {
    async fn tell(
        &self,
        sender: &Sender,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<(), NotifyError> {
        let text = self.message(texts, notification)?;
        let retry = |error: NotifyError| NotifyError { retry: true, ..error };
        let action = format!("could not read {}", self.bot_token_file);
        let token = sender.secret(&self.bot_token.0, &self.bot_token_file, &action).await;
        let token = token.map_err(retry)?;
        let chat_id = self.chat_id(sender).await.map_err(retry)?;
        // All values are texts, as upstream's library sends them.
        let mut fields = BTreeMap::from([
            ("chat_id", chat_id.to_string()),
            ("disable_web_page_preview", "true".to_owned()),
            ("text", text),
        ]);
        if self.disable_notifications {
            fields.insert("disable_notification", "true".to_owned());
        }
        if self.message_thread_id != 0 {
            fields.insert("message_thread_id", self.message_thread_id.to_string());
        }
        if !self.parse_mode.is_empty() {
            fields.insert("parse_mode", self.parse_mode.clone());
        }
        let api = self.api_url.as_ref().map_or("", HttpUrl::as_str);
        let url = format!("{api}/bot{token}/sendMessage");
        let response = sender.http.post_json(&url, to_go_json(&fields)).await?;
        check_answer(&response)
    }
}

impl Config {
    fn message(
        &self,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<String, NotifyError> {
        if self.parse_mode != "HTML" {
            let text = texts.text(&self.message)?;
            return Ok(fit(&text, MESSAGE_RUNES_MAX, "message", notification));
        }
        let text = texts.html(&self.message)?;
        let is_too_long = text.chars().nth(MESSAGE_RUNES_MAX).is_some();
        Ok(if is_too_long { TOO_LONG.to_owned() } else { text })
    }

    async fn chat_id(&self, sender: &Sender) -> Result<i64, NotifyError> {
        let path = &self.chat_id_file;
        if path.is_empty() {
            return Ok(self.chat_id);
        }
        let text = sender.read(path, &format!("could not read {path}")).await?;
        text.parse().map_err(|error| {
            NotifyError::permanent(format!("could not parse chat_id from {path}: {error}"))
        })
    }
}

/// Every failure is worth another attempt to upstream.
fn check_answer(response: &Response) -> Result<(), NotifyError> {
    let status = response.status.as_u16();
    if response.status.is_server_error() {
        let message = format!("telegram: internal server error ({status})");
        return Err(NotifyError::transient(message).with_reason(FailureReason::ServerError));
    }
    match serde_json::from_slice::<Answer>(&response.body) {
        Ok(Answer { ok: true, .. }) => Ok(()),
        Ok(Answer { error_code, description, .. }) => {
            let message = format!("telegram: {description} ({error_code})");
            Err(NotifyError::transient(message).with_reason(FailureReason::of_status(error_code)))
        }
        Err(_) if response.status.is_success() => Ok(()),
        Err(error) => Err(NotifyError::transient(format!("telebot: {error}"))
            .with_reason(FailureReason::of_status(status))),
    }
}
