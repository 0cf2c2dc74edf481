//! `event_recorder`: where a record of what happens is kept.

use crate::{
    decode::{Broken, List, Section},
    http::HttpClient,
    record,
    values::{Duration, FilePath},
    yaml::Yaml,
};

record! {
    pub struct EventRecorder: "eventrecorder.Config" {
        file_outputs: List<FileOutput>,
        webhook_outputs: List<WebhookOutput>,
        kafka_outputs: Vec<Yaml>,
        stdout_outputs: Vec<Yaml>,
    }
}

record! {
    pub struct FileOutput: "eventrecorder.FileOutput" {
        name: String,
        path: FilePath,
    }
}

record! {
    pub struct WebhookOutput: "eventrecorder.WebhookOutput" {
        name: String,
        url: String,
        http_config: Option<HttpClient>,
        timeout: Duration,
        workers: i64,
        max_retries: i64,
        retry_backoff: Duration,
        batch: bool,
        batch_max_events: i64,
        batch_max_bytes: i64,
        batch_flush_interval: Duration,
    }
}

impl Section for EventRecorder {}
impl Section for FileOutput {
    fn check(&mut self) -> Result<(), Broken> {
        match self.path.0.is_empty() {
            true => Err("event_recorder file output requires a path".into()),
            false => Ok(()),
        }
    }
}

impl Section for WebhookOutput {
    fn defaults() -> WebhookOutput {
        WebhookOutput {
            timeout: Duration::from_secs(10),
            workers: 4,
            max_retries: 3,
            retry_backoff: Duration::from_millis(500),
            batch_max_events: 100,
            batch_max_bytes: 1 << 20,
            batch_flush_interval: Duration::from_millis(100),
            ..WebhookOutput::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        match url::Url::parse(&self.url) {
            _ if self.url.is_empty() => Err("event_recorder webhook output requires a url".into()),
            Ok(url) if url.has_host() && ["http", "https"].contains(&url.scheme()) => Ok(()),
            _ => Err("event_recorder webhook output requires an absolute http(s) url".into()),
        }
    }
}
