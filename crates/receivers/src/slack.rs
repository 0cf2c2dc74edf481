//! Slack, through a webhook or as an app.

mod notifier;

use settings::{
    decode::{Broken, List, Section},
    http::{Authorization, HttpClient},
    record,
    values::{FilePath, Secret},
};

use crate::{
    Context, Global, Settings,
    build::NewNotifier,
    integration::at_most_one,
    sender,
    values::{GoDuration, HttpUrl, SecretUrl, shipped},
};

/// Where apps post messages; only there can a message be changed later.
const POST_MESSAGE: &str = "https://slack.com/api/chat.postMessage";

record! {
    pub struct Config: "slack.plain" {
        send_resolved: bool = always,
        http_config: Option<HttpClient>,
        api_url: Option<SecretUrl>,
        api_url_file: String,
        app_token: Secret,
        app_token_file: String,
        app_url: Option<HttpUrl>,
        channel: String,
        username: String,
        color: String,
        title: String,
        title_link: String,
        pretext: String,
        text: String,
        message_text: String,
        fields: List<Field>,
        short_fields: bool = always,
        footer: String,
        fallback: String,
        callback_id: String,
        icon_emoji: String,
        icon_url: String,
        image_url: String,
        thumb_url: String,
        link_names: bool = always,
        mrkdwn_in: Vec<String>,
        actions: List<Action>,
        update_message: bool = always,
        timeout: GoDuration = always,
    }
}

record! {
    pub struct Field: "slack.plain" {
        title: String,
        value: String,
        short: Option<bool>,
    }
}

record! {
    /// A button: with a URL it is a link, with a name it sends a value.
    pub struct Action: "slack.plain" {
        kind as "type": String,
        text: String,
        url: String,
        style: String,
        name: String,
        value: String,
        confirm: Option<Confirmation>,
    }
}

record! {
    pub struct Confirmation: "slack.plain" {
        text: String,
        title: String,
        ok_text: String,
        dismiss_text: String,
    }
}

impl Section for Field {
    fn check(&mut self) -> Result<(), Broken> {
        if self.title.is_empty() {
            return Err("missing title in Slack field configuration".into());
        }
        if self.value.is_empty() {
            return Err("missing value in Slack field configuration".into());
        }
        Ok(())
    }
}

impl Section for Action {
    fn check(&mut self) -> Result<(), Broken> {
        if !self.url.is_empty() {
            (self.name, self.value, self.confirm) = (String::new(), String::new(), None);
        } else if self.name.is_empty() {
            return Err("missing name or url in Slack action configuration".into());
        }
        if self.kind.is_empty() {
            return Err("missing type in Slack action configuration".into());
        }
        if self.text.is_empty() {
            return Err("missing text in Slack action configuration".into());
        }
        Ok(())
    }
}

impl Section for Confirmation {
    fn check(&mut self) -> Result<(), Broken> {
        if self.text.is_empty() {
            return Err("missing text in Slack confirmation configuration".into());
        }
        Ok(())
    }
}

impl Section for Config {
    fn defaults() -> Config {
        Config {
            color: shipped("slack.default.color"),
            username: shipped("slack.default.username"),
            title: shipped("slack.default.title"),
            title_link: shipped("slack.default.titlelink"),
            icon_emoji: shipped("slack.default.iconemoji"),
            icon_url: shipped("slack.default.iconurl"),
            pretext: shipped("slack.default.pretext"),
            text: shipped("slack.default.text"),
            fallback: shipped("slack.default.fallback"),
            callback_id: shipped("slack.default.callbackid"),
            footer: shipped("slack.default.footer"),
            ..Config::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        let (has_url, has_url_file) = (self.api_url.is_some(), !self.api_url_file.is_empty());
        let has_token_file = !self.app_token_file.is_empty();
        at_most_one(has_url, "api_url", has_url_file, "api_url_file")?;
        at_most_one(!self.app_token.is_empty(), "app_token", has_token_file, "app_token_file")?;
        let (url, token) = ("api_url/api_url_file", "app_token/app_token_file");
        at_most_one(has_url || has_url_file, url, self.has_app_token(), token)?;
        let posts_as_app = self.api_url.as_ref().is_some_and(|url| url.as_str() == POST_MESSAGE);
        if self.update_message && !posts_as_app {
            return Err(format!("update_message can only be used with bot tokens. api_url must be set to {POST_MESSAGE}").into());
        }
        Ok(())
    }
}

impl Config {
    fn has_app_token(&self) -> bool {
        !self.app_token.is_empty() || !self.app_token_file.is_empty()
    }
}

impl Settings for Config {
    const NAME: &'static str = "slack";

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn http(&mut self) -> Option<&mut Option<HttpClient>> {
        Some(&mut self.http_config)
    }

    fn inherit(&mut self, global: &Global) -> Result<(), Broken> {
        if self.app_url.is_none() {
            self.app_url.clone_from(&global.slack_app_url);
        }
        let Some(app_url) = self.app_url.clone() else {
            return Err("no global Slack App URL set".into());
        };
        // Whoever says who they are, or where to post, does not want the app of all others.
        let has_own_way = self.api_url.is_some()
            || self.http_config.as_ref().is_some_and(|http| http.authorization.is_some());
        if !self.has_app_token() && !has_own_way {
            self.app_token.clone_from(&global.slack_app_token);
            self.app_token_file.clone_from(&global.slack_app_token_file);
        }
        if self.api_url.is_none() && self.api_url_file.is_empty() {
            self.api_url.clone_from(&global.slack_api_url);
            self.api_url_file.clone_from(&global.slack_api_url_file);
        }
        let has_url = self.api_url.is_some() || !self.api_url_file.is_empty();
        if !has_url && !self.has_app_token() {
            return Err("no Slack API URL nor App token set either inline or in a file".into());
        }
        global.lend_http(&mut self.http_config);
        if self.has_app_token() {
            self.authorize_app(app_url)?;
        }
        Ok(())
    }

    fn notifier(&self, context: &Context) -> NewNotifier {
        sender::new(self, &self.http_config, self.timeout.0, context)
    }
}

impl Config {
    fn authorize_app(&mut self, app_url: HttpUrl) -> Result<(), Broken> {
        let http = self.http_config.get_or_insert_with(HttpClient::defaults);
        if http.authorization.is_some() {
            return Err("http authorization can't be set when using Slack App tokens".into());
        }
        http.authorization = Some(Authorization {
            kind: "Bearer".to_owned(),
            credentials: self.app_token.clone(),
            credentials_file: FilePath(self.app_token_file.clone()),
            credentials_ref: String::new(),
        });
        self.api_url = Some(app_url.into());
        Ok(())
    }
}
