use std::{path::PathBuf, time::Duration};

use model::Labels;
use transport::client;
use url::Url;

use crate::Message;

/// What all queues share.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data directory: its `wal` is read, and positions are kept in its `remote_write`.
    pub directory: PathBuf,
    /// How long a queue that ends may still send.
    pub flush_deadline: Duration,
    /// Whether version 2 takes type and unit from labels.
    pub type_and_unit_labels: bool,
    /// Says who we are.
    pub user_agent: String,
}

/// One receiver.
#[derive(Debug, Clone)]
pub struct Config {
    /// In metrics and logs; names tell queues apart.
    pub name: String,
    /// Under what the position is kept: it outlives changes of other settings.
    pub position_name: String,
    /// Changes whenever a setting changes. Queues of which it stays the same are left alone.
    pub fingerprint: u64,
    pub url: Url,
    pub message: Message,
    pub timeout: Duration,
    pub http: client::Config,
    pub write_relabel: Vec<relabel::Rule>,
    pub external_labels: Labels,
    /// Version 2 always does.
    pub send_native_histograms: bool,
    pub send_exemplars: bool,
    pub queue: Queue,
    pub metadata: Metadata,
}

/// How samples wait and are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Samples that one shard keeps.
    pub capacity: usize,
    pub max_shards: usize,
    pub min_shards: usize,
    pub max_samples_per_send: usize,
    pub batch_send_deadline: Duration,
    pub min_backoff: Duration,
    pub max_backoff: Duration,
    pub retry_on_http_429: bool,
    /// Older samples are not sent; zero for no limit.
    pub sample_age_limit: Duration,
}

/// How metadata is sent; version 2 has it beside the samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    pub send: bool,
    pub interval: Duration,
    pub max_per_send: usize,
}

impl Default for Queue {
    fn default() -> Queue {
        Queue {
            capacity: 10_000,
            max_shards: 50,
            min_shards: 1,
            max_samples_per_send: 2000,
            batch_send_deadline: Duration::from_secs(5),
            min_backoff: Duration::from_millis(30),
            max_backoff: Duration::from_secs(5),
            retry_on_http_429: false,
            sample_age_limit: Duration::ZERO,
        }
    }
}
