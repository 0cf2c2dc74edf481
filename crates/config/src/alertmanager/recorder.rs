//! `event_recorder`: read and kept, but nothing is recorded yet.

use crate::{
    decode::{List, Section},
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
        path: FilePath,
    }
}

record! {
    pub struct WebhookOutput: "eventrecorder.WebhookOutput" {
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
impl Section for FileOutput {}

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
}
