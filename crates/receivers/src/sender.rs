//! What most notifiers are made of: settings, templates, an HTTP client.

use std::{sync::Arc, time::Duration};

use alertmanager::{
    Template,
    integration::{Notification, NotifyError},
    template::Data,
};
use runtime::BoxFuture;
use settings::http::HttpClient;

use crate::{
    Context,
    build::{NewNotifier, Notifier},
    client::Http,
    values::SecretUrl,
};

/// Settings that know how to tell their service.
pub(crate) trait Tell: Clone + Send + Sync + Sized + 'static {
    /// Makes one attempt; `texts` renders templates with the notification's data.
    fn tell(
        &self,
        sender: &Sender,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> impl Future<Output = Result<(), NotifyError>> + Send;
}

/// What an attempt needs beside the settings.
pub(crate) struct Sender {
    pub(crate) http: Http,
    template: Arc<Template>,
}

struct Told<T> {
    settings: T,
    sender: Sender,
}

/// Makes the notifier of `settings`; a `timeout` of zero is none.
pub(crate) fn new<T: Tell>(
    settings: &T,
    http: &Option<HttpClient>,
    timeout: Duration,
    context: &Context,
) -> NewNotifier {
    let sender = Sender::new(http, timeout, context)?;
    Ok(Box::new(Told { settings: settings.clone(), sender }))
}

/// As [`new`], for who has more to say about its requests than the settings can.
pub(crate) fn with_client<T: Tell>(
    settings: &T,
    config: transport::client::Config,
    context: &Context,
) -> NewNotifier {
    let http = Http::with_config(config, Duration::ZERO, &context.runtime)?;
    let sender = Sender { http, template: context.template.clone() };
    Ok(Box::new(Told { settings: settings.clone(), sender }))
}

impl<T: Tell> Notifier for Told<T> {
    fn notify<'a>(
        &'a self,
        notification: &'a Notification,
    ) -> BoxFuture<'a, Result<(), NotifyError>> {
        Box::pin(async move {
            let template = &*self.sender.template;
            let texts = Texts { template, data: template.data(notification) };
            self.settings.tell(&self.sender, &texts, notification).await
        })
    }
}

impl Sender {
    pub(crate) fn new(
        http: &Option<HttpClient>,
        timeout: Duration,
        context: &Context,
    ) -> Result<Sender, transport::client::Error> {
        let http = Http::new(http, timeout, &context.runtime)?;
        Ok(Sender { http, template: context.template.clone() })
    }

    /// The URL, as it is given or from the file at `path`, which `key` names.
    pub(crate) async fn url(
        &self,
        url: &Option<SecretUrl>,
        path: &str,
        key: &str,
    ) -> Result<String, NotifyError> {
        match url {
            Some(url) => Ok(url.as_str().to_owned()),
            None => self.read(path, &format!("read {key}")).await,
        }
    }

    /// What is in a file of secrets; `action` says in the error what it was for.
    pub(crate) async fn read(&self, path: &str, action: &str) -> Result<String, NotifyError> {
        let read = self.http.read_file(path).await;
        read.map_err(|reason| NotifyError::permanent(format!("{action}: {reason}")))
    }

    /// `text`, or what is in the file at `path` where there is no text.
    pub(crate) async fn secret(
        &self,
        text: &str,
        path: &str,
        action: &str,
    ) -> Result<String, NotifyError> {
        if text.is_empty() { self.read(path, action).await } else { Ok(text.to_owned()) }
    }
}

/// Renders templates with the data of one notification.
pub(crate) struct Texts<'a> {
    pub(crate) template: &'a Template,
    pub(crate) data: Data,
}

impl Texts<'_> {
    pub(crate) fn text(&self, text: &str) -> Result<String, NotifyError> {
        self.template
            .text(text, &self.data)
            .map_err(|error| NotifyError::permanent(error.to_string()))
    }

    pub(crate) fn html(&self, text: &str) -> Result<String, NotifyError> {
        self.template
            .html(text, &self.data)
            .map_err(|error| NotifyError::permanent(error.to_string()))
    }

    pub(crate) fn is_resolved(&self) -> bool {
        self.data.status == "resolved"
    }
}

/// Says in front of an error what was being done.
pub(crate) fn context(what: &str) -> impl Fn(NotifyError) -> NotifyError {
    move |error| NotifyError { message: format!("{what}: {}", error.message), ..error }
}

/// `text` in at most `limit` characters; that something is missing is logged.
pub(crate) fn fit(text: &str, limit: usize, what: &str, notification: &Notification) -> String {
    let (kept, truncated) = alertmanager::integration::http::truncate_in_runes(text, limit);
    if truncated {
        tracing::warn!(group_key = %notification.group_key, max_runes = limit, "Truncated {what}");
    }
    kept
}

/// For JSON in which what is empty is left out.
pub(crate) fn is_false(value: &bool) -> bool {
    !*value
}
