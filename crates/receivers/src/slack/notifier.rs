use alertmanager::{
    integration::{FailureReason, Notification, NotifyError},
    nflog::Datum,
};
use serde::{Deserialize, Serialize};
use transport::client::Response;

use super::{Action, Config, Confirmation};
use crate::{
    client::{check_status, quote_start},
    payload::to_go_json,
    sender::{Sender, Tell, Texts, fit, is_false},
    values::SecretUrl,
};

/// More is cut off by Slack.
const TITLE_RUNES_MAX: usize = 1024;

/// What is remembered of a group's message, so that it can be changed.
const STORED_TIMESTAMP: &str = "threadTs";
const STORED_CHANNEL: &str = "channelId";

#[derive(Serialize)]
struct Message {
    #[serde(skip_serializing_if = "str::is_empty")]
    channel: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    username: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    icon_emoji: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    icon_url: String,
    #[serde(skip_serializing_if = "is_false")]
    link_names: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    text: String,
    attachments: [Attachment; 1],
    /// Names the message to change.
    #[serde(skip_serializing_if = "str::is_empty")]
    ts: String,
}

#[derive(Serialize)]
struct Attachment {
    #[serde(skip_serializing_if = "str::is_empty")]
    title: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    title_link: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    pretext: String,
    text: String,
    fallback: String,
    callback_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<SentField>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<SentAction>,
    #[serde(skip_serializing_if = "str::is_empty")]
    image_url: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    thumb_url: String,
    footer: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    color: String,
    mrkdwn_in: Vec<String>,
}

#[derive(Serialize)]
struct SentField {
    #[serde(skip_serializing_if = "str::is_empty")]
    title: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    value: String,
    short: bool,
}

#[derive(Serialize)]
struct SentAction {
    #[serde(rename = "type", skip_serializing_if = "str::is_empty")]
    kind: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    text: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    url: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    style: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirm: Option<SentConfirmation>,
}

#[derive(Serialize)]
struct SentConfirmation {
    #[serde(skip_serializing_if = "str::is_empty")]
    text: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    title: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    ok_text: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    dismiss_text: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Answer {
    ok: bool,
    error: String,
    ts: String,
    channel: String,
}

impl Tell for Config {
    async fn tell(
        &self,
        sender: &Sender,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<(), NotifyError> {
        let mut message = self.message(texts, notification)?;
        let mut url = self.url(sender).await?;
        let store = &notification.store;
        let earlier = store.text(STORED_TIMESTAMP).zip(store.text(STORED_CHANNEL));
        if let Some((timestamp, channel)) = earlier.filter(|_| self.update_message) {
            message.ts = timestamp;
            message.channel = channel;
            url = url.replace("/chat.postMessage", "/chat.update");
        }
        let in_channel = |error: NotifyError| {
            let channel = model::labels::quote(&message.channel);
            NotifyError { message: format!("channel {channel}: {}", error.message), ..error }
        };
        let response = sender.http.post_json(&url, to_go_json(&message)).await?;
        check_status(&response, &[]).map_err(in_channel)?;
        let answer = check_answer(&response).map_err(in_channel)?;
        if self.update_message && !answer.ts.is_empty() {
            store.set(STORED_TIMESTAMP, Datum::Text(answer.ts));
            store.set(STORED_CHANNEL, Datum::Text(answer.channel));
        }
        Ok(())
    }
}

impl Config {
    async fn url(&self, sender: &Sender) -> Result<String, NotifyError> {
        // An app posts to its own URL; loading puts it in the other's place.
        let app_url = || self.app_url.clone().map(SecretUrl::from);
        let is_app = self.api_url.is_none() && self.api_url_file.is_empty();
        let url = if is_app { app_url() } else { self.api_url.clone() };
        sender.url(&url, &self.api_url_file, "api_url_file").await
    }

    fn message(
        &self,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<Message, NotifyError> {
        let mrkdwn_in = if self.mrkdwn_in.is_empty() {
            ["fallback", "pretext", "text"].map(str::to_owned).to_vec()
        } else {
            self.mrkdwn_in.clone()
        };
        let attachment = Attachment {
            title: fit(&texts.text(&self.title)?, TITLE_RUNES_MAX, "title", notification),
            title_link: texts.text(&self.title_link)?,
            pretext: texts.text(&self.pretext)?,
            text: texts.text(&self.text)?,
            fallback: texts.text(&self.fallback)?,
            callback_id: texts.text(&self.callback_id)?,
            fields: self.rendered_fields(texts)?,
            actions: self
                .actions
                .iter()
                .map(|action| rendered_action(action, texts))
                .collect::<Result<_, _>>()?,
            image_url: texts.text(&self.image_url)?,
            thumb_url: texts.text(&self.thumb_url)?,
            footer: texts.text(&self.footer)?,
            color: texts.text(&self.color)?,
            mrkdwn_in,
        };
        Ok(Message {
            channel: texts.text(&self.channel)?,
            username: texts.text(&self.username)?,
            icon_emoji: texts.text(&self.icon_emoji)?,
            icon_url: texts.text(&self.icon_url)?,
            link_names: self.link_names,
            text: texts.text(&self.message_text)?,
            attachments: [attachment],
            ts: String::new(),
        })
    }

    fn rendered_fields(&self, texts: &Texts<'_>) -> Result<Vec<SentField>, NotifyError> {
        let fields = self.fields.iter().map(|field| {
            Ok(SentField {
                title: texts.text(&field.title)?,
                value: texts.text(&field.value)?,
                short: field.short.unwrap_or(self.short_fields),
            })
        });
        fields.collect()
    }
}

fn rendered_action(action: &Action, texts: &Texts<'_>) -> Result<SentAction, NotifyError> {
    let confirm = |confirm: &Confirmation| {
        Ok(SentConfirmation {
            text: texts.text(&confirm.text)?,
            title: texts.text(&confirm.title)?,
            ok_text: texts.text(&confirm.ok_text)?,
            dismiss_text: texts.text(&confirm.dismiss_text)?,
        })
    };
    Ok(SentAction {
        kind: texts.text(&action.kind)?,
        text: texts.text(&action.text)?,
        url: texts.text(&action.url)?,
        style: texts.text(&action.style)?,
        name: texts.text(&action.name)?,
        value: texts.text(&action.value)?,
        confirm: action.confirm.as_ref().map(confirm).transpose()?,
    })
}

/// Slack says with status 200, too, that something is wrong: in JSON to apps, in a word to
/// webhooks.
fn check_answer(response: &Response) -> Result<Answer, NotifyError> {
    let quoted = || quote_start(&response.body);
    let kind = response.headers.get("content-type").and_then(|kind| kind.to_str().ok());
    let error = if kind.is_some_and(|kind| kind.starts_with("application/json")) {
        match serde_json::from_slice::<Answer>(&response.body) {
            Ok(answer) if answer.ok => return Ok(answer),
            Ok(answer) => {
                NotifyError::permanent(format!("error response from Slack: {}", answer.error))
            }
            Err(error) => {
                let body = model::labels::quote(&quoted());
                let message = format!("could not unmarshal JSON response {body}: {error}");
                NotifyError::transient(message)
            }
        }
    } else if &response.body[..] == b"ok" {
        return Ok(Answer::default());
    } else {
        NotifyError::permanent(format!("received an error response from Slack: {}", quoted()))
    };
    Err(error.with_reason(FailureReason::ClientError))
}
