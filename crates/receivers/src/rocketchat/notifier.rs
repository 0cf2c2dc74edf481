use alertmanager::integration::{FailureReason, Notification, NotifyError};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::{Deserialize, Serialize};
use transport::client::Response;

use super::Config;
use crate::{
    client::{check_status, join_path, quote_start},
    payload::to_go_json,
    sender::{Sender, Tell, Texts, fit},
    values::HttpUrl,
};

const TITLE_RUNES_MAX: usize = 1024;

#[derive(Serialize)]
struct Message {
    #[serde(skip_serializing_if = "str::is_empty")]
    channel: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    emoji: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    avatar: String,
    attachments: [Attachment; 1],
}

#[derive(Serialize)]
struct Attachment {
    #[serde(skip_serializing_if = "str::is_empty")]
    title: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    title_link: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    text: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    image_url: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    thumb_url: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    color: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<SentField>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<SentAction>,
}

#[derive(Serialize)]
struct SentField {
    short: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    title: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    value: String,
}

/// Of the configured keys upstream sends these only.
#[derive(Serialize)]
struct SentAction {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    text: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    url: String,
    is_webview: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    msg: String,
    msg_in_chat_window: bool,
}

impl Tell for Config {
    async fn tell(
        &self,
        sender: &Sender,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<(), NotifyError> {
        let message = self.message(texts, notification)?;
        let headers = self.headers(sender).await?;
        let api = self.api_url.as_ref().map_or("", HttpUrl::as_str);
        let url = join_path(api.trim_end_matches('/'), "/api/v1/chat.postMessage");
        let body = Bytes::from(to_go_json(&message));
        let response = sender.http.send(Method::POST, &url, headers, body).await?;
        let checked = check_status(&response, &[]).and_then(|()| check_answer(&response));
        checked.map_err(|error| {
            let channel = model::labels::quote(&message.channel);
            NotifyError { message: format!("channel {channel}: {}", error.message), ..error }
        })
    }
}

impl Config {
    fn message(
        &self,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<Message, NotifyError> {
        let fields = self.fields.iter().map(|field| {
            Ok(SentField {
                short: field.short.unwrap_or(self.short_fields),
                title: texts.text(&field.title)?,
                value: texts.text(&field.value)?,
            })
        });
        let actions = self.actions.iter().map(|action| {
            Ok(SentAction {
                kind: "button",
                text: texts.text(&action.text)?,
                url: texts.text(&action.url)?,
                is_webview: false,
                msg: texts.text(&action.msg)?,
                msg_in_chat_window: false,
            })
        });
        let attachment = Attachment {
            title: fit(&texts.text(&self.title)?, TITLE_RUNES_MAX, "title", notification),
            title_link: texts.text(&self.title_link)?,
            text: texts.text(&self.text)?,
            image_url: texts.text(&self.image_url)?,
            thumb_url: texts.text(&self.thumb_url)?,
            color: texts.text(&self.color)?,
            fields: fields.collect::<Result<_, NotifyError>>()?,
            actions: actions.collect::<Result<_, NotifyError>>()?,
        };
        Ok(Message {
            channel: texts.text(&self.channel)?,
            emoji: texts.text(&self.emoji)?,
            avatar: texts.text(&self.icon_url)?,
            attachments: [attachment],
        })
    }

    /// Who we are; files are read each time, so that tokens can change while we run.
    async fn headers(&self, sender: &Sender) -> Result<HeaderMap, NotifyError> {
        let json = HeaderValue::from_static("application/json");
        let mut headers = HeaderMap::from_iter([(header::CONTENT_TYPE, json)]);
        let secrets = [
            ("x-auth-token", &self.token, &self.token_file),
            ("x-user-id", &self.token_id, &self.token_id_file),
        ];
        for (name, given, path) in secrets {
            let action = format!("could not read {path}");
            let given = given.as_ref().map_or("", |secret| secret.0.as_str());
            let secret = sender.secret(given, path, &action).await?;
            let mut value = HeaderValue::from_str(&secret).map_err(|_| {
                NotifyError::permanent(format!("{name} has characters that headers cannot have"))
            })?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
        }
        Ok(headers)
    }
}

/// Rocket.Chat says with status 200, too, that something is wrong.
fn check_answer(response: &Response) -> Result<(), NotifyError> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Answer {
        success: bool,
        error: String,
    }
    let error = match serde_json::from_slice::<Answer>(&response.body) {
        Ok(answer) if answer.success => return Ok(()),
        Ok(answer) => {
            NotifyError::permanent(format!("error response from Rocketchat: {}", answer.error))
        }
        Err(error) => {
            let body = model::labels::quote(&quote_start(&response.body));
            NotifyError::transient(format!("could not unmarshal JSON response {body}: {error}"))
        }
    };
    Err(error.with_reason(FailureReason::ClientError))
}
