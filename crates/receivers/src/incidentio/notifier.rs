use alertmanager::integration::{self, Notification, NotifyError};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde::Deserialize;
use transport::client::Response;

use super::Config;
use crate::{
    sender::{Sender, Tell, Texts},
    values::HttpUrl,
    webhook::{encode_message, kept_alerts, truncate},
};

/// More is refused by incident.io.
const BODY_BYTES_MAX: usize = 512 * 1024;

impl Tell for Config {
    async fn tell(
        &self,
        sender: &Sender,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<(), NotifyError> {
        let body = self.body(texts, notification);
        let url = match &self.url {
            Some(url) => HttpUrl::as_str(url).to_owned(),
            None => sender.read(&self.url_file, "read url_file").await?,
        };
        let headers = self.headers(sender).await?;
        let response = sender.http.send(Method::POST, &url, headers, Bytes::from(body)).await?;
        let details = details(&response);
        integration::http::check_status(response.status.as_u16(), details.as_deref(), &[429])
    }
}

impl Config {
    /// As a webhook's body, of version 1; if it is too large, of the first alert alone.
    pub(crate) fn body(&self, texts: &Texts<'_>, notification: &Notification) -> String {
        let count = notification.alerts.len();
        let encode = |kept: usize, truncated: usize| {
            let data = texts.template.data(&truncate(notification, kept));
            encode_message(&data, "1", &notification.group_key, truncated)
        };
        let kept = kept_alerts(self.max_alerts, count);
        let body = encode(kept, count - kept);
        if body.len() <= BODY_BYTES_MAX || kept <= 1 {
            return body;
        }
        let short = encode(1, count - kept);
        let (original_size, final_size, max_size) = (body.len(), short.len(), BODY_BYTES_MAX);
        tracing::warn!(
            original_size,
            final_size,
            max_size,
            "Truncated alert content due to incident.io payload size limit"
        );
        short
    }

    async fn headers(&self, sender: &Sender) -> Result<HeaderMap, NotifyError> {
        let json = HeaderValue::from_static("application/json");
        let mut headers = HeaderMap::from_iter([(header::CONTENT_TYPE, json)]);
        if self.alert_source_token.is_empty() && self.alert_source_token_file.is_empty() {
            // `http_config` says who we are.
            return Ok(headers);
        }
        let (text, path) = (&self.alert_source_token.0, &self.alert_source_token_file);
        let token = sender.secret(text, path, "read alert_source_token_file").await?;
        let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| {
            NotifyError::permanent("alert_source_token has characters that headers cannot have")
        })?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
        Ok(headers)
    }
}

/// What incident.io says is wrong.
fn details(response: &Response) -> Option<String> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Refusal {
        message: String,
        errors: Vec<String>,
        error: String,
    }
    let refusal: Refusal = serde_json::from_slice(&response.body).ok()?;
    let errors = if refusal.errors.is_empty() { refusal.error } else { refusal.errors.join(", ") };
    let parts = [refusal.message, errors];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Some(parts.join(": "))
}
