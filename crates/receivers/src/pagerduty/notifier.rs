use alertmanager::integration::{self, Notification, NotifyError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use transport::client::Response;

use super::Config;
use crate::{
    payload::{self, to_go_json},
    sender::{Sender, Tell, Texts, context, fit},
    values::HttpUrl,
};

const API_V1: &str = "https://events.pagerduty.com/generic/2010-04-15/create_event.json";

/// More is refused by PagerDuty.
const EVENT_BYTES_MAX: usize = 512_000;
const SUMMARY_RUNES_MAX: usize = 1024;

/// What stands in the place of details that are too long.
const DETAILS_REMOVED: &str =
    "Custom details have been removed because the original event exceeds the maximum size of 512KB";

type Details = Map<String, Value>;

/// An event, of either version.
#[derive(Serialize, Default)]
struct Event {
    #[serde(skip_serializing_if = "str::is_empty")]
    routing_key: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    service_key: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    dedup_key: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    incident_key: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    event_type: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: String,
    event_action: &'static str,
    payload: Option<Payload>,
    #[serde(skip_serializing_if = "str::is_empty")]
    client: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    client_url: String,
    #[serde(skip_serializing_if = "Details::is_empty")]
    details: Details,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<SentImage>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<SentLink>,
}

#[derive(Serialize)]
struct SentLink {
    href: String,
    text: String,
}

#[derive(Serialize)]
struct SentImage {
    src: String,
    alt: String,
    href: String,
}

#[derive(Serialize)]
struct Payload {
    summary: String,
    source: String,
    severity: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    class: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    component: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    group: String,
    #[serde(skip_serializing_if = "Details::is_empty")]
    custom_details: Details,
}

impl Tell for Config {
    async fn tell(
        &self,
        sender: &Sender,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<(), NotifyError> {
        let details = self.rendered_details(texts)?;
        let is_v1 = !self.service_key.is_empty() || !self.service_key_file.is_empty();
        if is_v1 {
            let event = self.event_v1(sender, texts, notification, details).await?;
            let response = sender.http.post_json(API_V1, encode(event)).await?;
            return check_answer(&response, 403);
        }
        let event = self.event_v2(sender, texts, notification, details).await?;
        let url = self.url.as_ref().map_or("", HttpUrl::as_str);
        let response = sender.http.post_json(url, encode(event)).await;
        let response = response.map_err(context("failed to post message to PagerDuty"))?;
        check_answer(&response, 429)
    }
}

impl Config {
    pub(crate) fn rendered_details(&self, texts: &Texts<'_>) -> Result<Details, NotifyError> {
        let mut expand = |text: &str| texts.text(text);
        let mut details = Details::new();
        for (name, tree) in &self.details {
            let rendered = payload::render(tree, &mut expand);
            let rendered = rendered.map_err(context("failed to render details"))?;
            details.insert(name.clone(), rendered);
        }
        Ok(details)
    }

    async fn event_v1(
        &self,
        sender: &Sender,
        texts: &Texts<'_>,
        notification: &Notification,
        details: Details,
    ) -> Result<Event, NotifyError> {
        let action = "failed to read service key from file";
        let key = sender.secret(&self.service_key.0, &self.service_key_file, action).await?;
        let is_trigger = !texts.is_resolved();
        let render = || {
            let description = texts.text(&self.description)?;
            Ok(Event {
                service_key: texts.text(&key)?,
                event_type: if is_trigger { "trigger" } else { "resolve" },
                incident_key: notification.group_key_hash(),
                description: fit(&description, SUMMARY_RUNES_MAX, "description", notification),
                client: if is_trigger { texts.text(&self.client)? } else { String::new() },
                client_url: if is_trigger { texts.text(&self.client_url)? } else { String::new() },
                details,
                ..Event::default()
            })
        };
        let event = render().map_err(context("failed to template PagerDuty v1 message"))?;
        if event.service_key.is_empty() {
            return Err(NotifyError::permanent("service key cannot be empty"));
        }
        Ok(event)
    }

    async fn event_v2(
        &self,
        sender: &Sender,
        texts: &Texts<'_>,
        notification: &Notification,
        details: Details,
    ) -> Result<Event, NotifyError> {
        let action = "failed to read routing key from file";
        let key = sender.secret(&self.routing_key.0, &self.routing_key_file, action).await?;
        let render = || {
            Ok(Event {
                routing_key: texts.text(&key)?,
                dedup_key: notification.group_key_hash(),
                event_action: if texts.is_resolved() { "resolve" } else { "trigger" },
                payload: Some(self.payload(texts, notification, details)?),
                client: texts.text(&self.client)?,
                client_url: texts.text(&self.client_url)?,
                images: self.rendered_images(texts)?,
                links: self.rendered_links(texts)?,
                ..Event::default()
            })
        };
        let event = render().map_err(context("failed to template PagerDuty v2 message"))?;
        if event.routing_key.is_empty() {
            return Err(NotifyError::permanent("routing key cannot be empty"));
        }
        Ok(event)
    }

    fn payload(
        &self,
        texts: &Texts<'_>,
        notification: &Notification,
        custom_details: Details,
    ) -> Result<Payload, NotifyError> {
        let summary = texts.text(&self.description)?;
        let severity = if self.severity.is_empty() { "error" } else { &self.severity };
        Ok(Payload {
            summary: fit(&summary, SUMMARY_RUNES_MAX, "summary", notification),
            source: texts.text(&self.source)?,
            severity: texts.text(severity)?,
            class: texts.text(&self.class)?,
            component: texts.text(&self.component)?,
            group: texts.text(&self.group)?,
            custom_details,
        })
    }

    /// PagerDuty refuses an event with an image without a source.
    fn rendered_images(&self, texts: &Texts<'_>) -> Result<Vec<SentImage>, NotifyError> {
        let mut images = Vec::new();
        for image in &self.images {
            let src = texts.text(&image.src)?;
            let (alt, href) = (texts.text(&image.alt)?, texts.text(&image.href)?);
            if !src.is_empty() {
                images.push(SentImage { src, alt, href });
            }
        }
        Ok(images)
    }

    fn rendered_links(&self, texts: &Texts<'_>) -> Result<Vec<SentLink>, NotifyError> {
        let mut links = Vec::new();
        for link in &self.links {
            let (href, text) = (texts.text(&link.href)?, texts.text(&link.text)?);
            if !href.is_empty() {
                links.push(SentLink { href, text });
            }
        }
        Ok(links)
    }
}

/// Prints the event; without details if these make it too long.
fn encode(mut event: Event) -> String {
    let encoded = to_go_json(&event);
    if encoded.len() <= EVENT_BYTES_MAX {
        return encoded;
    }
    tracing::warn!(
        bytes = encoded.len(),
        "Truncated details because message of size exceeds limit"
    );
    let removed = || Details::from_iter([("error".to_owned(), json!(DETAILS_REMOVED))]);
    match &mut event.payload {
        Some(payload) => payload.custom_details = removed(),
        None => event.details = removed(),
    }
    to_go_json(&event)
}

fn check_answer(response: &Response, retried: u16) -> Result<(), NotifyError> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Refusal {
        message: String,
        errors: Vec<String>,
    }
    let status = response.status.as_u16();
    let refusal = serde_json::from_slice::<Refusal>(&response.body);
    let details = match refusal {
        Ok(refusal) if status == 400 => {
            Some(format!("{}: {}", refusal.message, refusal.errors.join(",")))
        }
        _ => None,
    };
    integration::http::check_status(status, details.as_deref(), &[retried])
}
