//! `remote_write` and `remote_read`.

use std::collections::BTreeMap;

use super::{
    auth::{AzureAd, GoogleIam, SigV4},
    relabel::Rule,
};
use crate::{
    decode::{Broken, List, Section},
    http::HttpClient,
    record,
    values::{Duration, LabelSet, Url},
};

const MESSAGES: [&str; 2] = ["prometheus.WriteRequest", "io.prometheus.write.v2.Request"];

/// Headers that requests to remote storage and traces set themselves.
const RESERVED_HEADERS: [&str; 16] = [
    "host",
    "content-encoding",
    "content-length",
    "content-type",
    "user-agent",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "www-authenticate",
    "accept-encoding",
    "x-prometheus-remote-write-version",
    "x-prometheus-remote-read-version",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
];

record! {
    /// One receiver of samples.
    pub struct RemoteWrite: "config.plain" {
        url: Option<Url> = always,
        remote_timeout: Duration,
        headers: BTreeMap<String, String>,
        write_relabel_configs: List<Rule>,
        name: String,
        send_exemplars: bool,
        send_native_histograms: bool,
        round_robin_dns: bool,
        protobuf_message: String,
        failed_request_logging: bool,
        http: HttpClient = inline,
        queue_config: Queue,
        metadata_config: SendMetadata,
        sigv4: Option<SigV4>,
        azuread: Option<AzureAd>,
        google_iam: Option<GoogleIam>,
    }
}

record! {
    /// How much is kept waiting for a receiver, and how it is sent.
    pub struct Queue: "config.QueueConfig" {
        capacity: i64,
        max_shards: i64,
        min_shards: i64,
        max_samples_per_send: i64,
        batch_send_deadline: Duration,
        min_backoff: Duration,
        max_backoff: Duration,
        retry_on_http_429: bool,
        sample_age_limit: Duration,
    }
}

record! {
    pub struct SendMetadata: "config.MetadataConfig" {
        send: bool = always,
        send_interval: Duration = always,
        max_samples_per_send: i64,
    }
}

record! {
    /// One store that queries read from.
    pub struct RemoteRead: "config.plain" {
        url: Option<Url> = always,
        remote_timeout: Duration,
        chunked_read_limit: u64,
        headers: BTreeMap<String, String>,
        read_recent: bool,
        name: String,
        http: HttpClient = inline,
        required_matchers: LabelSet,
        filter_external_labels: bool,
    }
}

impl Section for Queue {
    fn defaults() -> Queue {
        Queue {
            capacity: 10_000,
            max_shards: 50,
            min_shards: 1,
            max_samples_per_send: 2000,
            batch_send_deadline: Duration::from_secs(5),
            min_backoff: Duration::from_millis(30),
            max_backoff: Duration::from_secs(5),
            ..Queue::default()
        }
    }
}

impl Section for SendMetadata {
    fn defaults() -> SendMetadata {
        SendMetadata {
            send: true,
            send_interval: Duration::from_secs(60),
            max_samples_per_send: 2000,
        }
    }
}

impl Section for RemoteWrite {
    fn defaults() -> RemoteWrite {
        RemoteWrite {
            remote_timeout: Duration::from_secs(30),
            protobuf_message: MESSAGES[0].to_owned(),
            http: HttpClient { follow_redirects: true, ..HttpClient::default() },
            queue_config: Queue::defaults(),
            metadata_config: SendMetadata::defaults(),
            ..RemoteWrite::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        if self.url.is_none() {
            return Err("url for remote_write is empty".into());
        }
        self.write_relabel_configs
            .refuse_null("empty or null relabeling rule in remote write config")?;
        check_headers(&self.headers)?;
        if !MESSAGES.contains(&self.protobuf_message.as_str()) {
            let (message, supported) = (&self.protobuf_message, MESSAGES.join(", "));
            return Err(format!("invalid protobuf_message value: unknown type for remote write protobuf message {message}, supported: {supported}").into());
        }
        self.http.check()?;
        self.queue_config.validate()?;
        self.check_auth()
    }
}

impl RemoteWrite {
    fn check_auth(&self) -> Result<(), Broken> {
        let ways = [
            ("basic_auth", self.http.basic_auth.is_some()),
            ("authorization", self.http.authorization.is_some()),
            ("oauth2", self.http.oauth2.is_some()),
            ("sigv4", self.sigv4.is_some()),
            ("azuread", self.azuread.is_some()),
            ("google_iam", self.google_iam.is_some()),
        ];
        let given: Vec<&str> =
            ways.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect();
        if given.len() > 1 {
            let given = given.join(" ");
            return Err(format!("at most one of basic_auth, authorization, oauth2, sigv4, azuread or google_iam must be configured. Currently configured: [{given}]").into());
        }
        Ok(())
    }
}

impl Queue {
    fn validate(&self) -> Result<(), Broken> {
        let positive = [
            ("max_shards", self.max_shards),
            ("min_shards", self.min_shards),
            ("max_samples_per_send", self.max_samples_per_send),
            ("capacity", self.capacity),
        ];
        if let Some((key, _)) = positive.iter().find(|(_, value)| *value <= 0) {
            return Err(format!("remote write queue {key} must be positive").into());
        }
        if self.min_shards > self.max_shards {
            return Err("remote write queue min_shards must not be greater than max_shards".into());
        }
        if self.max_backoff < self.min_backoff {
            return Err("remote write queue max_backoff must not be less than min_backoff".into());
        }
        Ok(())
    }
}

impl Section for RemoteRead {
    fn defaults() -> RemoteRead {
        RemoteRead {
            remote_timeout: Duration::from_secs(60),
            chunked_read_limit: 50_000_000,
            http: HttpClient::defaults(),
            filter_external_labels: true,
            ..RemoteRead::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        if self.url.is_none() {
            return Err("url for remote_read is empty".into());
        }
        check_headers(&self.headers)?;
        self.http.check()
    }
}

fn check_headers(headers: &BTreeMap<String, String>) -> Result<(), Broken> {
    if headers.keys().any(|name| name.eq_ignore_ascii_case("authorization")) {
        return Err("authorization header must be changed via the basic_auth, authorization, oauth2, sigv4, azuread or google_iam parameter".into());
    }
    refuse_reserved(headers)
}

pub(super) fn refuse_reserved(headers: &BTreeMap<String, String>) -> Result<(), Broken> {
    match headers.keys().find(|name| RESERVED_HEADERS.contains(&name.to_ascii_lowercase().as_str()))
    {
        Some(name) => Err(format!("{name} is a reserved header. It must not be changed").into()),
        None => Ok(()),
    }
}
