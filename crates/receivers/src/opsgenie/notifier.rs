use std::collections::BTreeMap;

use alertmanager::integration::{Notification, NotifyError};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde::Serialize;
use serde_json::json;

use super::Config;
use crate::{
    client::{check_status, join_path},
    payload::to_go_json,
    sender::{Sender, Tell, Texts, context, fit},
    values::HttpUrl,
};

/// More is refused by Opsgenie.
const MESSAGE_RUNES_MAX: usize = 130;

#[derive(Serialize)]
struct Create {
    alias: String,
    message: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: String,
    details: BTreeMap<String, String>,
    source: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    responders: Vec<SentResponder>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    note: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    priority: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    entity: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<String>,
}

#[derive(Serialize, Default, PartialEq)]
struct SentResponder {
    #[serde(skip_serializing_if = "str::is_empty")]
    id: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    username: String,
    #[serde(rename = "type")]
    kind: String,
}

/// One of the requests of a notification: its path and body.
type Call = (Method, String, String);

impl Tell for Config {
    async fn tell(
        &self,
        sender: &Sender,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<(), NotifyError> {
        let calls = self.calls(texts, notification).map_err(context("templating error"))?;
        let key = sender.secret(&self.api_key.0, &self.api_key_file, "read key_file error").await?;
        let key = texts.text(&key).map_err(context("templating error"))?;
        let mut authorization = HeaderValue::from_str(&format!("GenieKey {}", key.trim()))
            .map_err(|_| {
                NotifyError::permanent("the API key has characters that headers cannot have")
            })?;
        authorization.set_sensitive(true);
        let json = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([
            (header::AUTHORIZATION, authorization),
            (header::CONTENT_TYPE, json),
        ]);
        let api = self.api_url.as_ref().map_or("", HttpUrl::as_str);
        for (method, path, body) in calls {
            let url = join_path(api, &path);
            let body = Bytes::from(body);
            let response = sender.http.send(method, &url, headers.clone(), body).await?;
            check_status(&response, &[429])?;
        }
        Ok(())
    }
}

impl Config {
    fn calls(
        &self,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<Vec<Call>, NotifyError> {
        let alias = notification.group_key_hash();
        let of_alert = |what: &str| format!("v2/alerts/{alias}/{what}?identifierType=alias");
        if texts.is_resolved() {
            let close = to_go_json(&json!({"source": texts.text(&self.source)?}));
            return Ok(vec![(Method::POST, of_alert("close"), close)]);
        }
        let create = self.create(alias.clone(), texts, notification)?;
        let mut calls = vec![(Method::POST, "v2/alerts".to_owned(), to_go_json(&create))];
        if self.update_alerts {
            let only = |name: &str, text: &str| {
                let fields = (!text.is_empty()).then_some((name, text));
                to_go_json(&BTreeMap::from_iter(fields))
            };
            let message = only("message", &create.message);
            calls.push((Method::PUT, of_alert("message"), message));
            let description = only("description", &create.description);
            calls.push((Method::PUT, of_alert("description"), description));
        }
        Ok(calls)
    }

    fn create(
        &self,
        alias: String,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<Create, NotifyError> {
        let mut details = texts.data.common_labels.0.clone();
        for (name, text) in &self.details {
            details.insert(name.clone(), texts.text(text)?);
        }
        let message = texts.text(&self.message)?;
        Ok(Create {
            alias,
            message: fit(&message, MESSAGE_RUNES_MAX, "message", notification),
            description: texts.text(&self.description)?,
            details,
            source: texts.text(&self.source)?,
            responders: self.rendered_responders(texts)?,
            tags: split(&texts.text(&self.tags)?),
            note: texts.text(&self.note)?,
            priority: texts.text(&self.priority)?,
            entity: texts.text(&self.entity)?,
            actions: split(&texts.text(&self.actions)?),
        })
    }

    fn rendered_responders(&self, texts: &Texts<'_>) -> Result<Vec<SentResponder>, NotifyError> {
        let mut responders = Vec::new();
        for responder in self.responders.iter() {
            let rendered = SentResponder {
                id: texts.text(&responder.id)?,
                name: texts.text(&responder.name)?,
                username: texts.text(&responder.username)?,
                kind: texts.text(&responder.kind)?,
            };
            if rendered.kind == "teams" {
                let team = |name| SentResponder {
                    name,
                    kind: "team".to_owned(),
                    ..SentResponder::default()
                };
                responders.extend(split(&rendered.name).into_iter().map(team));
            } else if rendered != SentResponder::default() {
                // Templates over labels may leave nothing.
                responders.push(rendered);
            }
        }
        Ok(responders)
    }
}

/// The parts between commas that are not empty.
fn split(text: &str) -> Vec<String> {
    text.trim().split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
