use alertmanager::integration::{Notification, NotifyError};
use serde::Serialize;

use super::{Attachment, Config, Field};
use crate::{
    client::check_status,
    sender::{Sender, Tell, Texts, fit, is_false},
};

/// More is refused by Mattermost.
const TEXT_RUNES_MAX: usize = 16383;

#[derive(Serialize)]
struct Message {
    #[serde(skip_serializing_if = "str::is_empty")]
    text: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    channel: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    username: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    icon_url: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    icon_emoji: String,
    attachments: Vec<SentAttachment>,
    #[serde(rename = "type", skip_serializing_if = "str::is_empty")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    props: Option<SentProps>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<SentPriority>,
}

#[derive(Serialize)]
struct SentAttachment {
    #[serde(skip_serializing_if = "str::is_empty")]
    fallback: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    color: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    pretext: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    text: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    author_name: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    author_link: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    author_icon: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    title: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    title_link: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<SentField>,
    #[serde(skip_serializing_if = "str::is_empty")]
    thumb_url: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    footer: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    footer_icon: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    image_url: String,
}

#[derive(Serialize)]
struct SentField {
    #[serde(skip_serializing_if = "str::is_empty")]
    title: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    short: Option<bool>,
}

#[derive(Serialize)]
struct SentProps {
    card: String,
}

#[derive(Serialize)]
struct SentPriority {
    priority: &'static str,
    #[serde(skip_serializing_if = "is_false")]
    requested_ack: bool,
    #[serde(skip_serializing_if = "is_false")]
    persistent_notifications: bool,
}

impl Tell for Config {
    async fn tell(
        &self,
        sender: &Sender,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<(), NotifyError> {
        let message = self.message(texts, notification)?;
        let response = self.hook().send(sender, &message).await?;
        check_status(&response, &[]).map_err(|error| {
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
        let fitting =
            |text: &str| Ok(fit(&texts.text(text)?, TEXT_RUNES_MAX, "text", notification));
        // Without attachments of its own, the message is one: the text stands in there.
        let (text, attachments) = if self.attachments.is_empty() {
            (String::new(), vec![render(&self.as_attachment(), texts, fitting)?])
        } else {
            let attachments =
                self.attachments.iter().map(|attachment| render(attachment, texts, fitting));
            (fitting(&self.text)?, attachments.collect::<Result<_, _>>()?)
        };
        let card = self.props.as_ref().map_or("", |props| props.card.as_str());
        Ok(Message {
            text,
            channel: texts.text(&self.channel)?,
            username: texts.text(&self.username)?,
            icon_url: texts.text(&self.icon_url)?,
            icon_emoji: texts.text(&self.icon_emoji)?,
            attachments,
            kind: texts.text(&self.kind)?,
            props: match card {
                "" => None,
                card => Some(SentProps { card: texts.text(card)? }),
            },
            priority: self.rendered_priority(texts)?,
        })
    }

    fn as_attachment(&self) -> Attachment {
        Attachment {
            fallback: self.fallback.clone(),
            color: self.color.clone(),
            pretext: self.pretext.clone(),
            text: self.text.clone(),
            author_name: self.author_name.clone(),
            author_link: self.author_link.clone(),
            author_icon: self.author_icon.clone(),
            title: self.title.clone(),
            title_link: self.title_link.clone(),
            fields: self.fields.clone(),
            thumb_url: self.thumb_url.clone(),
            footer: self.footer.clone(),
            footer_icon: self.footer_icon.clone(),
            image_url: self.image_url.clone(),
        }
    }

    /// What Mattermost does not know is standard, and standard asks nothing of anybody.
    fn rendered_priority(&self, texts: &Texts<'_>) -> Result<Option<SentPriority>, NotifyError> {
        let Some(priority) = self.priority.as_ref().filter(|it| !it.priority.is_empty()) else {
            return Ok(None);
        };
        let name = match texts.text(&priority.priority)?.to_lowercase().as_str() {
            "urgent" => "urgent",
            "important" => "important",
            _ => "standard",
        };
        Ok(Some(SentPriority {
            priority: name,
            requested_ack: priority.requested_ack && name != "standard",
            persistent_notifications: priority.persistent_notifications && name == "urgent",
        }))
    }
}

fn render(
    attachment: &Attachment,
    texts: &Texts<'_>,
    fitting: impl Fn(&str) -> Result<String, NotifyError>,
) -> Result<SentAttachment, NotifyError> {
    let field = |field: &Field| {
        Ok(SentField {
            title: texts.text(&field.title)?,
            value: texts.text(&field.value)?,
            short: field.short,
        })
    };
    Ok(SentAttachment {
        fallback: texts.text(&attachment.fallback)?,
        color: texts.text(&attachment.color)?,
        pretext: texts.text(&attachment.pretext)?,
        text: fitting(&attachment.text)?,
        author_name: texts.text(&attachment.author_name)?,
        author_link: texts.text(&attachment.author_link)?,
        author_icon: texts.text(&attachment.author_icon)?,
        title: texts.text(&attachment.title)?,
        title_link: texts.text(&attachment.title_link)?,
        fields: attachment.fields.iter().map(field).collect::<Result<_, NotifyError>>()?,
        thumb_url: texts.text(&attachment.thumb_url)?,
        footer: texts.text(&attachment.footer)?,
        footer_icon: texts.text(&attachment.footer_icon)?,
        image_url: texts.text(&attachment.image_url)?,
    })
}
