//! Pushover.

use std::{collections::BTreeMap, time::Duration};

use alertmanager::integration::{Notification, NotifyError};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use settings::{
    decode::{Broken, Section},
    http::HttpClient,
    record,
    values::Secret,
};

use crate::{
    Context, Settings,
    build::NewNotifier,
    client::check_status,
    integration::exactly_one,
    sender::{self, Sender, Tell, Texts, fit},
    values::{TextDuration, shipped},
};

record! {
    pub struct Config: "pushover.plain" {
        send_resolved: bool = always,
        http_config: Option<HttpClient>,
        user_key: Secret,
        user_key_file: String,
        token: Secret,
        token_file: String,
        title: String,
        message: String,
        url: String,
        url_title: String,
        device: String,
        sound: String,
        priority: String,
        retry: TextDuration,
        expire: TextDuration,
        ttl: TextDuration,
        html: bool,
        monospace: bool,
    }
}

impl Section for Config {
    fn defaults() -> Config {
        Config {
            send_resolved: true,
            title: shipped("pushover.default.title"),
            message: shipped("pushover.default.message"),
            url: shipped("pushover.default.url"),
            priority: r#"{{ if eq .Status "firing" }}2{{ else }}0{{ end }}"#.to_owned(),
            retry: TextDuration(Duration::from_secs(60)),
            expire: TextDuration(Duration::from_secs(3600)),
            ..Config::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        let has_file = !self.user_key_file.is_empty();
        exactly_one(!self.user_key.is_empty(), "user_key", has_file, "user_key_file")?;
        let has_file = !self.token_file.is_empty();
        exactly_one(!self.token.is_empty(), "token", has_file, "token_file")?;
        if self.html && self.monospace {
            return Err("at most one of monospace & html must be configured".into());
        }
        Ok(())
    }
}

impl Settings for Config {
    const NAME: &'static str = "pushover";

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn http(&mut self) -> Option<&mut Option<HttpClient>> {
        Some(&mut self.http_config)
    }

    fn notifier(&self, context: &Context) -> NewNotifier {
        sender::new(self, &self.http_config, Duration::ZERO, context)
    }
}

const API: &str = "https://api.pushover.net/1/messages.json";

impl Tell for Config {
    async fn tell(
        &self,
        sender: &Sender,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<(), NotifyError> {
        self.tell_at(API, sender, texts, notification).await
    }
}

impl Config {
    /// Tells the service at `api`.
    pub(crate) async fn tell_at(
        &self,
        api: &str,
        sender: &Sender,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<(), NotifyError> {
        let read = "read token_file";
        let token = sender.secret(&self.token.0, &self.token_file, read).await?;
        let read = "read user_key_file";
        let user = sender.secret(&self.user_key.0, &self.user_key_file, read).await?;
        let fields = self.fields(&token, &user, texts, notification)?;
        let query: String =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let text = HeaderValue::from_static("text/plain");
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, text)]);
        let url = format!("{api}?{query}");
        let response = sender.http.send(Method::POST, &url, headers, Bytes::new()).await?;
        check_status(&response, &[])
    }

    /// The fields of the message, sorted by name.
    fn fields(
        &self,
        token: &str,
        user: &str,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<BTreeMap<&'static str, String>, NotifyError> {
        let title = fit(&texts.text(&self.title)?, 250, "title", notification);
        let message =
            if self.html { texts.html(&self.message)? } else { texts.text(&self.message)? };
        let message = fit(&message, 1024, "message", notification);
        let message = match message.trim() {
            // Pushover refuses empty messages.
            "" => "(no details)".to_owned(),
            message => message.to_owned(),
        };
        let seconds = |TextDuration(duration): TextDuration| duration.as_secs().to_string();
        let mut fields = BTreeMap::from([
            ("token", texts.text(token)?),
            ("user", texts.text(user)?),
            ("title", title),
            ("message", message),
            ("url", fit(&texts.text(&self.url)?, 512, "URL", notification)),
            ("url_title", texts.text(&self.url_title)?),
            ("priority", texts.text(&self.priority)?),
            ("retry", seconds(self.retry)),
            ("expire", seconds(self.expire)),
            ("device", texts.text(&self.device)?),
            ("sound", texts.text(&self.sound)?),
        ]);
        if self.html {
            fields.insert("html", "1".to_owned());
        }
        if self.monospace {
            fields.insert("monospace", "1".to_owned());
        }
        if !self.ttl.0.is_zero() {
            fields.insert("ttl", seconds(self.ttl));
        }
        Ok(fields)
    }
}
