use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use alertmanager::integration::{FailureReason, Notification, NotifyError};
use bytes::Bytes;
use http::{HeaderMap, Method};
use runtime::Clock;
use serde::{Deserialize, Serialize};

use super::Config;
use crate::{
    Context,
    build::NewNotifier,
    client::join_path,
    payload::to_go_json,
    sender::{self, Sender, Tell, Texts, context},
    values::HttpUrl,
};

/// As long as WeChat's tokens live.
const TOKEN_AGE_MAX: Duration = Duration::from_secs(2 * 3600);
/// WeChat's word for a token that has expired earlier.
const TOKEN_EXPIRED: i64 = 42001;

/// The settings, with the token that they are exchanged for.
#[derive(Clone)]
struct WeChat {
    config: Config,
    clock: Arc<dyn Clock>,
    token: Arc<Mutex<Option<Token>>>,
}

#[derive(Clone)]
struct Token {
    text: String,
    /// On the monotonic clock.
    since: Duration,
}

#[derive(Serialize)]
struct Message {
    text: Content,
    #[serde(skip_serializing_if = "str::is_empty")]
    touser: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    toparty: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    totag: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    agentid: String,
    safe: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    msgtype: String,
    markdown: Content,
}

/// Both kinds are there, the other one empty: so upstream has it.
#[derive(Serialize, Default)]
struct Content {
    content: String,
}

pub(super) fn new(config: &Config, context: &Context) -> NewNotifier {
    let settings = WeChat {
        config: config.clone(),
        clock: context.runtime.clock.clone(),
        token: Arc::default(),
    };
    sender::new(&settings, &config.http_config, Duration::ZERO, context)
}

impl Tell for WeChat {
    async fn tell(
        &self,
        sender: &Sender,
        texts: &Texts<'_>,
        _: &Notification,
    ) -> Result<(), NotifyError> {
        let message = self.message(texts).map_err(context("templating error"))?;
        let token = self.token(sender, texts).await?;
        let query = query(&[("access_token", &token)]);
        let url = join_path(self.api(), &format!("message/send?{query}"));
        let response = sender.http.post_json(&url, to_go_json(&message)).await?;
        let status = response.status.as_u16();
        if status != 200 {
            let message = format!("unexpected status code {status}");
            let reason = FailureReason::of_status(status);
            return Err(NotifyError::transient(message).with_reason(reason));
        }
        let answer: Answer = serde_json::from_slice(&response.body)
            .map_err(|error| NotifyError::transient(error.to_string()))?;
        match answer.errcode {
            0 => Ok(()),
            TOKEN_EXPIRED => {
                *self.token.lock().expect("nothing panics while it is locked") = None;
                Err(NotifyError::transient(answer.errmsg))
            }
            _ => Err(NotifyError::permanent(answer.errmsg)),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Answer {
    errcode: i64,
    errmsg: String,
    access_token: String,
}

impl WeChat {
    fn api(&self) -> &str {
        self.config.api_url.as_ref().map_or("", HttpUrl::as_str)
    }

    fn message(&self, texts: &Texts<'_>) -> Result<Message, NotifyError> {
        let config = &self.config;
        let content = Content { content: texts.text(&config.message)? };
        let (text, markdown) = match config.message_type.as_str() {
            "markdown" => (Content::default(), content),
            _ => (content, Content::default()),
        };
        Ok(Message {
            text,
            touser: texts.text(&config.to_user)?,
            toparty: texts.text(&config.to_party)?,
            totag: texts.text(&config.to_tag)?,
            agentid: texts.text(&config.agent_id)?,
            safe: "0",
            msgtype: config.message_type.clone(),
            markdown,
        })
    }

    /// The token that we have, or a new one.
    async fn token(&self, sender: &Sender, texts: &Texts<'_>) -> Result<String, NotifyError> {
        let now = self.clock.monotonic();
        let kept = self.token.lock().expect("nothing panics while it is locked").clone();
        if let Some(token) = kept.filter(|it| now.saturating_sub(it.since) <= TOKEN_AGE_MAX) {
            return Ok(token.text);
        }
        let (config, action) = (&self.config, "read api_secret_file");
        let secret = sender.secret(&config.api_secret.0, &config.api_secret_file, action).await?;
        let templating = context("templating error");
        let secret = texts.text(&secret).map_err(&templating)?;
        let id = texts.text(&config.corp_id).map_err(&templating)?;
        let query = query(&[("corpid", &id), ("corpsecret", &secret)]);
        let url = join_path(self.api(), &format!("gettoken?{query}"));
        let response = sender.http.send(Method::GET, &url, HeaderMap::new(), Bytes::new()).await?;
        let answer: Answer = serde_json::from_slice(&response.body)
            .map_err(|error| NotifyError::permanent(error.to_string()))?;
        if answer.access_token.is_empty() {
            let message = format!("invalid APISecret for CorpID: {}", config.corp_id);
            return Err(NotifyError::permanent(message));
        }
        let token = Token { text: answer.access_token.clone(), since: now };
        *self.token.lock().expect("nothing panics while it is locked") = Some(token);
        Ok(answer.access_token)
    }
}

fn query(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
