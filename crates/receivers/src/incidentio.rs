//! incident.io.

mod notifier;

use settings::{
    decode::{Broken, Section},
    http::HttpClient,
    record,
    values::Secret,
};

use crate::{
    Context, Global, Settings,
    build::NewNotifier,
    integration::{at_most_one, exactly_one},
    sender,
    values::{GoDuration, HttpUrl},
};

record! {
    pub struct Config: "incidentio.plain" {
        send_resolved: bool = always,
        http_config: Option<HttpClient>,
        url: Option<HttpUrl> = always,
        url_file: String = always,
        alert_source_token: Secret,
        alert_source_token_file: String,
        max_alerts: u64 = always,
        timeout: GoDuration = always,
    }
}

impl Section for Config {
    fn defaults() -> Config {
        Config { send_resolved: true, ..Config::default() }
    }

    fn check(&mut self) -> Result<(), Broken> {
        exactly_one(self.url.is_some(), "url", !self.url_file.is_empty(), "url_file")?;
        let has_token = !self.alert_source_token.is_empty();
        let has_file = !self.alert_source_token_file.is_empty();
        at_most_one(has_token, "alert_source_token", has_file, "alert_source_token_file")?;
        let Some(http) = &self.http_config else { return Ok(()) };
        match (http.authorization.is_some(), has_token || has_file) {
            (true, true) => Err("cannot specify alert_source_token or alert_source_token_file when using http_config.authorization".into()),
            (false, false) => Err("at least one of alert_source_token, alert_source_token_file or http_config.authorization must be configured".into()),
            _ => Ok(()),
        }
    }
}

impl Settings for Config {
    const NAME: &'static str = "incidentio";

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    /// None: upstream leaves the paths in it as they are written.
    fn http(&mut self) -> Option<&mut Option<HttpClient>> {
        None
    }

    fn inherit(&mut self, global: &Global) -> Result<(), Broken> {
        global.lend_http(&mut self.http_config);
        Ok(())
    }

    fn notifier(&self, context: &Context) -> NewNotifier {
        sender::new(self, &self.http_config, self.timeout.0, context)
    }
}
