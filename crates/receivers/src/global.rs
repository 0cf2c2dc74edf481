//! `global`: what the integrations inherit where they do not say it themselves.

use settings::{
    decode::{Broken, Section},
    http::{HttpClient, Tls},
    record,
    values::{Duration, Secret},
};

use crate::values::{HostPort, HttpUrl, SecretUrl};

record! {
    pub struct Global: "config.plain" {
        resolve_timeout: Duration = always,
        http_config: Option<HttpClient>,
        jira_api_url: Option<HttpUrl>,
        smtp_from: String,
        smtp_hello: String,
        smtp_smarthost: HostPort,
        smtp_auth_username: String,
        smtp_auth_password: Secret,
        smtp_auth_password_file: String,
        smtp_auth_secret: Secret,
        smtp_auth_secret_file: String,
        smtp_auth_identity: String,
        smtp_require_tls: bool = always,
        smtp_tls_config: Option<Tls>,
        smtp_force_implicit_tls: Option<bool>,
        slack_api_url: Option<SecretUrl>,
        slack_api_url_file: String,
        slack_app_token: Secret,
        slack_app_token_file: String,
        slack_app_url: Option<HttpUrl>,
        pagerduty_url: Option<HttpUrl>,
        opsgenie_api_url: Option<HttpUrl>,
        opsgenie_api_key: Secret,
        opsgenie_api_key_file: String,
        wechat_api_url: Option<HttpUrl>,
        wechat_api_secret: Secret,
        wechat_api_secret_file: String,
        wechat_api_corp_id: String,
        victorops_api_url: Option<HttpUrl>,
        victorops_api_key: Secret,
        victorops_api_key_file: String,
        telegram_api_url: Option<HttpUrl>,
        telegram_bot_token: Secret,
        telegram_bot_token_file: String,
        webex_api_url: Option<HttpUrl>,
        rocketchat_api_url: Option<HttpUrl>,
        rocketchat_token: Option<Secret>,
        rocketchat_token_file: String,
        rocketchat_token_id: Option<Secret>,
        rocketchat_token_id_file: String,
        mattermost_webhook_url: Option<SecretUrl>,
        mattermost_webhook_url_file: String,
    }
}

impl Section for Global {
    fn defaults() -> Global {
        let url = |text| Some(HttpUrl::known(text));
        Global {
            resolve_timeout: Duration::from_secs(300),
            http_config: Some(HttpClient::defaults()),
            smtp_hello: "localhost".to_owned(),
            smtp_require_tls: true,
            smtp_tls_config: Some(Tls::default()),
            slack_app_url: url("https://slack.com/api/chat.postMessage"),
            pagerduty_url: url("https://events.pagerduty.com/v2/enqueue"),
            opsgenie_api_url: url("https://api.opsgenie.com/"),
            wechat_api_url: url("https://qyapi.weixin.qq.com/cgi-bin/"),
            victorops_api_url: url(
                "https://alert.victorops.com/integrations/generic/20131114/alert/",
            ),
            telegram_api_url: url("https://api.telegram.org"),
            webex_api_url: url("https://webexapis.com/v1/messages"),
            rocketchat_api_url: url("https://open.rocket.chat/"),
            ..Global::default()
        }
    }
}

impl Global {
    /// Of a value and the file that holds it, at most one may be given. Not part of reading:
    /// upstream looks at this only once everything else in the file can be read.
    pub fn check_alternatives(&self) -> Result<(), Broken> {
        let both = |given: bool, file: &str| given && !file.is_empty();
        let has_app_token =
            !self.slack_app_token.is_empty() || !self.slack_app_token_file.is_empty();
        let has_api_url = self.slack_api_url.is_some() || !self.slack_api_url_file.is_empty();
        // Tokens used to be configured by giving Slack's own API as the URL; that still works.
        let is_slack_itself = self.slack_api_url.as_ref().map(SecretUrl::as_str)
            == self.slack_app_url.as_ref().map(HttpUrl::as_str);
        let pairs = [
            (
                both(!self.slack_app_token.is_empty(), &self.slack_app_token_file),
                "slack_app_token & slack_app_token_file",
            ),
            (
                both(self.slack_api_url.is_some(), &self.slack_api_url_file),
                "slack_api_url & slack_api_url_file",
            ),
            (
                has_app_token && has_api_url && !is_slack_itself,
                "slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file",
            ),
            (
                both(!self.opsgenie_api_key.is_empty(), &self.opsgenie_api_key_file),
                "opsgenie_api_key & opsgenie_api_key_file",
            ),
            (
                both(!self.victorops_api_key.is_empty(), &self.victorops_api_key_file),
                "victorops_api_key & victorops_api_key_file",
            ),
            (
                both(!self.telegram_bot_token.is_empty(), &self.telegram_bot_token_file),
                "telegram_bot_token & telegram_bot_token_file",
            ),
            (
                both(!self.smtp_auth_password.is_empty(), &self.smtp_auth_password_file),
                "smtp_auth_password & smtp_auth_password_file",
            ),
            (
                both(self.rocketchat_token.is_some(), &self.rocketchat_token_file),
                "rocketchat_token & rocketchat_token_file",
            ),
            (
                both(self.rocketchat_token_id.is_some(), &self.rocketchat_token_id_file),
                "rocketchat_token_id & rocketchat_token_id_file",
            ),
            (
                both(!self.smtp_auth_secret.is_empty(), &self.smtp_auth_secret_file),
                "smtp_auth_secret & smtp_auth_secret_file",
            ),
            (
                both(!self.wechat_api_secret.is_empty(), &self.wechat_api_secret_file),
                "wechat_api_secret & wechat_api_secret_file",
            ),
            (
                both(self.mattermost_webhook_url.is_some(), &self.mattermost_webhook_url_file),
                "mattermost_webhook_url & mattermost_webhook_url_file",
            ),
        ];
        match pairs.iter().find(|(is_wrong, _)| *is_wrong) {
            Some((_, keys)) => Err(format!("at most one of {keys} must be configured").into()),
            None => Ok(()),
        }
    }

    /// Gives an integration the global `http_config` if it has none of its own.
    pub(crate) fn lend_http(&self, http: &mut Option<HttpClient>) {
        http.get_or_insert_with(|| self.http_config.clone().unwrap_or_else(HttpClient::defaults));
    }
}
