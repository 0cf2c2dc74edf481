use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

/// What the command line says of a server; paths are as given.
#[derive(Debug, Clone)]
pub struct Options {
    pub config_file: PathBuf,
    /// How often to look whether the configuration has changed; `None` leaves that to signals.
    pub auto_reload: Option<Duration>,
    pub web: WebOptions,
    pub storage: StorageOptions,
    pub rules: RuleOptions,
    pub notifier: NotifierOptions,
    pub query: QueryOptions,
    pub scrape: ScrapeOptions,
    /// How an agent keeps its log; nothing for a server.
    pub agent: Option<AgentOptions>,
    /// The part in a cluster, or none.
    pub cluster: Option<ClusterOptions>,
    /// How much others may read.
    pub remote_read: remote::read::Options,
    /// From `--enable-feature`, one name each.
    pub features: Vec<String>,
    /// Every flag with its effective value, for `/api/v1/status/flags`.
    pub flags: BTreeMap<String, String>,
    /// For links and the default external URL.
    pub host_name: String,
}

#[derive(Debug, Clone)]
pub struct WebOptions {
    pub listen_addresses: Vec<String>,
    /// TLS, users and headers of the listeners.
    pub config_file: Option<PathBuf>,
    pub external_url: String,
    /// Begins with a slash and has none at the end, but for `/` itself.
    pub route_prefix: String,
    pub enable_lifecycle: bool,
    pub enable_admin_api: bool,
    /// The messages that `/api/v1/write` takes; `None` keeps it closed.
    pub remote_write_messages: Option<Vec<remote::Message>>,
    /// Whether `/api/v1/otlp/v1/metrics` takes metrics.
    pub otlp_receiver: bool,
    /// Regex; always anchored.
    pub cors_origin: String,
    pub connections_max: usize,
    pub read_timeout: Duration,
    /// Pages that may listen for notifications at a time.
    pub listeners_max: usize,
    /// Most results of a search; 0 is no limit.
    pub search_limit_max: usize,
    pub page_title: String,
    pub consoles: PathBuf,
    pub console_libraries: PathBuf,
    /// The folder below `/user`, if there is one.
    pub user_assets: Option<PathBuf>,
    /// Nothing if nobody can make profiles of this process.
    pub profiles: Option<Arc<dyn api::prometheus::pprof::Profiles>>,
}

#[derive(Debug, Clone)]
pub struct StorageOptions {
    pub directory: PathBuf,
    /// From the flags; the configuration file's wins.
    pub retention: Retention,
    /// The shortest block.
    pub block_range_min: Duration,
    /// The longest block; `None` leaves it to the retention.
    pub block_range_max: Option<Duration>,
    pub lock: bool,
    /// How long remote write may flush when it ends.
    pub remote_flush_deadline: Duration,
    pub wal_segment_bytes: u64,
    pub wal_compression: WalCompression,
    pub samples_per_chunk: usize,
    /// How often blocks are looked for, compacted and deleted.
    pub upkeep_interval: Duration,
    /// How long what is due to become a block waits at most; zero for not at all.
    pub compaction_delay_max: Duration,
    /// Where an uploader lists the blocks that may be merged.
    pub uploads_file: Option<PathBuf>,
    pub reads_during_replay: ReadsDuringReplay,
}

/// What only collects and hands on keeps its log so; where, is in [`StorageOptions`].
#[derive(Debug, Clone)]
pub struct AgentOptions {
    /// Series with nothing for so long are forgotten once all was sent.
    pub min_age: Duration,
    /// Series with nothing for so long are forgotten.
    pub max_age: Duration,
    pub truncate_frequency: Duration,
}

pub use tsdb::ReadsDuringReplay;

/// What is kept; zero is no limit, and two zeros are upstream's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    pub time: Duration,
    pub bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalCompression {
    None,
    Snappy,
    Zstd,
}

#[derive(Debug, Clone)]
pub struct RuleOptions {
    pub outage_tolerance: Duration,
    pub grace_period: Duration,
    pub resend_delay: Duration,
    /// How many rules may run beside those whose turn it is; `None` keeps all in order.
    pub helpers: Option<usize>,
    /// How old missed evaluations of recording rules may be to be made up for; zero for none.
    pub catch_up: Duration,
}

#[derive(Debug, Clone)]
pub struct NotifierOptions {
    pub queue_capacity: usize,
    pub batch_size: usize,
    pub drain_on_shutdown: bool,
}

#[derive(Debug, Clone)]
pub struct QueryOptions {
    pub lookback: Duration,
    pub timeout: Duration,
    pub concurrency_max: usize,
    pub samples_max: usize,
    /// Bytes that one query may hold; zero is no limit.
    pub memory_max: u64,
}

#[derive(Debug, Clone)]
pub struct ScrapeOptions {
    pub adjust_timestamps: bool,
    pub timestamp_tolerance: Duration,
    pub discovery_reload_interval: Duration,
}

/// How a server acts as one with others.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// Its name is this member's identity, which is kept in the data directory.
    pub gossip: gossip::Options,
    /// How they greet each other if what they say is secret, gossip and all else.
    pub tls_file: Option<PathBuf>,
    /// Where members read each other, and Thanos may read us.
    pub store_address: String,
    /// What others are told of it, unless that follows from the two.
    pub store_advertise_address: Option<SocketAddr>,
    /// What people are shown.
    pub member: String,
    /// How many members have each target; zero is all.
    pub replication_factor: usize,
    /// Who says which member writes, as it was typed.
    pub lease: String,
    pub lease_duration: Duration,
}

impl Options {
    /// Whether `--enable-feature` names it.
    pub fn has_feature(&self, name: &str) -> bool {
        self.features.iter().any(|feature| feature == name)
    }
}
