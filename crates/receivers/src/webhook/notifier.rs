use std::sync::Arc;

use alertmanager::{
    Template,
    integration::{Notification, NotifyError},
    template::Data,
};
use runtime::BoxFuture;
use settings::yaml::Yaml;

use super::{Config, message};
use crate::{
    Context,
    build::{NewNotifier, Notifier},
    client::{Http, check_status},
    payload,
    values::GoDuration,
};

struct Webhook {
    config: Config,
    template: Arc<Template>,
    http: Http,
}

pub(super) fn new(config: &Config, context: &Context) -> NewNotifier {
    let GoDuration(timeout) = config.timeout;
    let http = Http::new(&config.http_config, timeout, &context.runtime)?;
    Ok(Box::new(Webhook { config: config.clone(), template: context.template.clone(), http }))
}

impl Notifier for Webhook {
    fn notify<'a>(
        &'a self,
        notification: &'a Notification,
    ) -> BoxFuture<'a, Result<(), NotifyError>> {
        Box::pin(self.attempt(notification))
    }
}

impl Webhook {
    async fn attempt(&self, notification: &Notification) -> Result<(), NotifyError> {
        let kept = kept_alerts(self.config.max_alerts, notification.alerts.len());
        let truncated = notification.alerts.len() - kept;
        let data = if truncated == 0 {
            self.template.data(notification)
        } else {
            self.template.data(&truncate(notification, kept))
        };
        let body = self.body(&data, &notification.group_key, truncated)?;
        let url = self.url(&data).await?;
        let response = self.http.post_json(&url, body).await.map_err(|mut error| {
            let timed_out = error.message.ends_with("context deadline exceeded");
            if timed_out && !self.config.timeout.0.is_zero() {
                let timeout = self.config.timeout;
                error
                    .message
                    .push_str(&format!(": configured webhook timeout reached ({timeout})"));
            }
            error
        })?;
        check_status(&response, &[])
    }

    fn body(&self, data: &Data, group_key: &str, truncated: usize) -> Result<String, NotifyError> {
        if self.config.payload == Yaml::Null {
            return Ok(message::encode(data, "4", group_key, truncated));
        }
        let mut expand = |text: &str| self.template.text(text, data);
        let tree = payload::render(&self.config.payload, &mut expand).map_err(|error| {
            NotifyError::permanent(format!("failed to template webhook payload: {error}"))
        })?;
        Ok(payload::to_go_json(&tree))
    }

    async fn url(&self, data: &Data) -> Result<String, NotifyError> {
        let text = if self.config.url.is_empty() {
            self.http
                .read_file(&self.config.url_file)
                .await
                .map_err(|error| NotifyError::permanent(format!("read url_file: {error}")))?
        } else {
            self.config.url.0.clone()
        };
        let url = self.template.text(&text, data).map_err(|error| {
            NotifyError::permanent(format!("failed to template webhook URL: {error}"))
        })?;
        if url.is_empty() {
            return Err(NotifyError::permanent("webhook URL is empty after templating"));
        }
        Ok(url)
    }
}

/// How many of `count` alerts a message holds; a limit of zero is none.
pub(crate) fn kept_alerts(limit: u64, count: usize) -> usize {
    match usize::try_from(limit) {
        Ok(limit) if limit > 0 => count.min(limit),
        _ => count,
    }
}

/// The notification with its first alerts only.
pub(crate) fn truncate(notification: &Notification, kept: usize) -> Notification {
    Notification {
        group_key: notification.group_key.clone(),
        group_labels: notification.group_labels.clone(),
        receiver: notification.receiver.clone(),
        alerts: notification.alerts.iter().take(kept).cloned().collect(),
        now: notification.now,
        repeat_interval: notification.repeat_interval,
        reason: notification.reason,
        route_labels: notification.route_labels.clone(),
        store: Default::default(),
    }
}
