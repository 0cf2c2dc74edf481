//! The flags of `prometheus` 3.14.

use super::{
    Flag,
    Kind::{self, *},
    Status::{self, *},
};

const NO_GO: Status = NoEffect("there is no Go runtime to tell");
const BLOCKS: Status = NoEffect("the compactor sees to it by itself");
const CHECKPOINT: Status = NoEffect("the checkpoint is made of the log");

/// In the order in which `--help` lists them.
#[rustfmt::skip]
pub(crate) static FLAGS: &[Flag] = &[
    flag("config.file", Text, "prometheus.yml", Works, "Configuration file"),
    flag("config.auto-reload", Bool, "false", Works, "Reload when the configuration or a file that it names changes"),
    flag("config.auto-reload-interval", Duration, "30s", Works, "How often to look for changes; at least 1s"),
    flag("web.listen-address", List, "0.0.0.0:9090", Works, "Address for the API, the pages and our own metrics"),
    flag("auto-gomaxprocs", Bool, "true", NoEffect("there is no Go runtime; threads follow the quota by themselves"), "Follow the container's processor quota"),
    flag("auto-gomemlimit", Bool, "true", NO_GO, "Follow the container's memory limit"),
    flag("auto-gomemlimit.ratio", Float, "0.9", NO_GO, "Share of the container's memory to use"),
    flag("auto-gomemlimit.refresh-interval", GoDuration, "0s", NO_GO, "How often to read the container's memory limit again"),
    flag("web.config.file", Text, "", Works, "File that turns on TLS and users"),
    flag("web.read-timeout", Duration, "5m", Works, "Longest time to read a request, and to keep an idle connection"),
    flag("web.max-connections", Int, "512", Works, "Most connections at once over all addresses"),
    flag("web.max-notifications-subscribers", Int, "16", Works, "Most readers of the live notifications"),
    flag("web.external-url", Text, "", Works, "URL under which others reach this server; used in links and alerts"),
    flag("web.route-prefix", Text, "", Works, "Prefix of all routes; the path of --web.external-url unless given"),
    flag("web.user-assets", Text, "", Works, "Folder served under /user"),
    flag("web.enable-lifecycle", Bool, "false", Works, "Allow /-/reload and /-/quit"),
    flag("web.enable-admin-api", Bool, "false", Works, "Allow the endpoints that delete and copy data"),
    flag("web.enable-remote-write-receiver", Bool, "false", Works, "Take remote write requests"),
    flag("web.remote-write-receiver.accepted-protobuf-messages", List, "prometheus.WriteRequest,io.prometheus.write.v2.Request", Works, "Remote write messages to accept"),
    flag("web.enable-otlp-receiver", Bool, "false", Works, "Take metrics by OTLP"),
    flag("web.console.templates", Text, "consoles", Works, "Folder of console templates"),
    flag("web.console.libraries", Text, "console_libraries", Works, "Folder of console libraries"),
    flag("web.page-title", Text, "Prometheus Time Series Collection and Processing Server", Works, "Title of the pages"),
    flag("web.cors.origin", Text, ".*", Works, "Regex of origins that other pages may call from; always anchored"),
    flag("storage.tsdb.path", Text, "data/", Works, "Data directory"),
    flag("storage.tsdb.retention.time", Duration, "", Works, "How long to keep samples; 15d unless a size is given"),
    flag("storage.tsdb.retention.size", Bytes, "0", Works, "How many bytes of samples to keep; 0 is no limit"),
    flag("storage.tsdb.no-lockfile", Bool, "false", Works, "Do not lock the data directory"),
    // Ours.
    flag("storage.tsdb.reads-during-replay", Text, "wait", Works, "What queries do while the log is read after a start: wait, or answer with the part that is there (partial)"),
    flag("storage.tsdb.head-chunks-write-queue-size", Int, "0", NoEffect("head chunk files follow"), "Queue for writing head chunks"),
    flag("storage.tsdb.delay-compact-file.path", Text, "", Works, "File that lists uploaded blocks; others wait with compaction"),
    flag("storage.agent.path", Text, "data-agent/", Works, "Data directory in agent mode"),
    flag("storage.agent.wal-compression", Bool, "true", Works, "Compress the agent's log"),
    flag("storage.agent.retention.min-time", Duration, "", Works, "Least age before the agent drops samples"),
    flag("storage.agent.retention.max-time", Duration, "", Works, "Greatest age at which the agent drops samples"),
    flag("storage.agent.checkpoint-from-in-memory-series", Bool, "false", CHECKPOINT, "Write the agent's checkpoint from memory"),
    flag("storage.agent.checkpoint-batch-size", Int, "1000", CHECKPOINT, "Series in a record of the agent's checkpoint"),
    flag("storage.agent.no-lockfile", Bool, "false", Works, "Do not lock the agent's data directory"),
    flag("storage.remote.flush-deadline", Duration, "1m", Works, "How long to flush remote write queues on stop and reload"),
    flag("storage.remote.read-sample-limit", Int, "50000000", Works, "Most samples in a remote read answer; 0 is no limit"),
    flag("storage.remote.read-concurrent-limit", Int, "10", Works, "Most remote reads at once; 0 is no limit"),
    flag("storage.remote.read-max-bytes-in-frame", Int, "1048576", Works, "Largest frame of a streamed remote read"),
    flag("web.search.max-limit", Int, "10000", Works, "Most results of a search; 0 is no limit"),
    flag("rules.alert.for-outage-tolerance", Duration, "1h", Works, "Longest outage after which the 'for' state of alerts is restored"),
    flag("rules.alert.for-grace-period", Duration, "10m", Works, "Least time between a restored 'for' state and firing"),
    flag("rules.alert.resend-delay", Duration, "1m", Works, "Least time before an alert is sent again"),
    flag("rules.max-concurrent-evals", Int, "4", Works, "Most rules evaluated at once beside the sequential ones; needs the feature concurrent-rule-eval"),
    // Ours.
    flag("rules.catch-up", Duration, "1h", Works, "Make up for missed evaluations of recording rules that are not older; 0s turns it off"),
    flag("alertmanager.notification-queue-capacity", Int, "10000", Works, "Alerts that wait for each Alertmanager"),
    flag("alertmanager.notification-batch-size", Int, "256", Works, "Most alerts in a request to an Alertmanager"),
    flag("alertmanager.drain-notification-queue-on-shutdown", Bool, "true", Works, "Send waiting alerts before stopping"),
    flag("query.lookback-delta", Duration, "5m", Works, "How far back an instant selector looks for a sample"),
    flag("query.timeout", Duration, "2m", Works, "Longest time for a query"),
    flag("query.max-concurrency", Int, "20", Works, "Most queries at once"),
    flag("query.max-samples", Int, "50000000", Works, "Most samples that a query may hold"),
    // Ours.
    flag("query.max-memory", Bytes, "", Works, "Most bytes of memory that a query may hold; a quarter of the machine's unless given, 0 is no limit"),
    flag("enable-feature", List, "", Works, "Comma-separated features to turn on"),
    // Ours, under the names of the Alertmanager's where it has them.
    flag("cluster.listen-address", Text, "", Works, "Address for gossip with the other members of a cluster, like 0.0.0.0:9094; empty leaves the server alone"),
    flag("cluster.peer", List, "", Works, "Address of another member's gossip"),
    flag("cluster.advertise-address", Text, "", Works, "Address of our gossip that others are told"),
    flag("cluster.label", Text, "", Works, "Name of the cluster; members of others are not heard"),
    flag("cluster.member", Text, "", Works, "Name of this member that people are shown; host and port of the web address unless given"),
    flag("cluster.store-address", Text, "0.0.0.0:10901", Works, "Address at which members read each other, and Thanos may read us (gRPC)"),
    flag("cluster.store-advertise-address", Text, "", Works, "Address of --cluster.store-address that others are told"),
    flag("cluster.replication-factor", Int, "0", Works, "How many members have each target; 0 is all"),
    flag("cluster.lease", Text, "gossip", Works, "Who says which member writes to remote storage: gossip, etcd://host:port/key, kubernetes://namespace/name, s3://bucket/key"),
    flag("cluster.lease-duration", Duration, "3s", Works, "After how long without a word from the writer another member writes"),
    flag("cluster.tls-config", Text, "", Works, "File with the TLS settings between members"),
    flag("cluster.peers-resolve-timeout", GoDuration, "15s", Works, "How long to look up the other members"),
    flag("cluster.gossip-interval", GoDuration, "200ms", Works, "Time between gossip messages"),
    flag("cluster.pushpull-interval", GoDuration, "1m0s", Works, "Time between full exchanges"),
    flag("cluster.tcp-timeout", GoDuration, "10s", Works, "Longest stream of gossip"),
    flag("cluster.probe-timeout", GoDuration, "500ms", Works, "How long to wait for a probe's answer"),
    flag("cluster.probe-interval", GoDuration, "1s", Works, "Time between probes"),
    flag("cluster.settle-timeout", GoDuration, "1m0s", Works, "How long to wait for the cluster to settle"),
    flag("cluster.reconnect-interval", GoDuration, "10s", Works, "Time between attempts to reach a lost member"),
    flag("cluster.reconnect-timeout", GoDuration, "6h0m0s", Works, "How long to try to reach a lost member"),
    flag("cluster.allow-insecure-public-advertise-address-discovery", Bool, "false", Works, "Advertise a public address that was found"),
    flag("agent", Bool, "false", Works, "Run in agent mode"),
    flag("log.level", Text, "info", Works, "Least severe messages to log: debug, info, warn, error"),
    flag("log.format", Text, "logfmt", Works, "Form of the log: logfmt, json"),
    hidden("storage.tsdb.min-block-duration", Duration, "2h", Works, "Shortest block"),
    hidden("storage.tsdb.max-block-duration", Duration, "", Works, "Longest block"),
    hidden("storage.tsdb.max-block-chunk-segment-size", Bytes, "512MB", BLOCKS, "Largest chunk file of a block"),
    hidden("storage.tsdb.wal-segment-size", Bytes, "128MB", Works, "Size of the log's segments"),
    hidden("storage.tsdb.allow-overlapping-compaction", Bool, "true", BLOCKS, "Compact blocks that overlap"),
    hidden("storage.tsdb.wal-compression", Bool, "true", Works, "Compress the log"),
    hidden("storage.tsdb.wal-compression-type", Text, "snappy", Works, "How to compress the log: snappy, zstd"),
    hidden("storage.tsdb.samples-per-chunk", Int, "120", Works, "Samples in a chunk"),
    hidden("storage.tsdb.delayed-compaction.max-percent", Int, "10", Works, "Longest random delay of a compaction in percent of the shortest block; needs the feature delayed-compaction"),
    hidden("storage.tsdb.block-reload-interval", Duration, "1m", Works, "How often to look for blocks; at least 1s"),
    hidden("storage.agent.wal-segment-size", Bytes, "128MB", Works, "Size of the agent's log segments"),
    hidden("storage.agent.wal-compression-type", Text, "snappy", Works, "How to compress the agent's log"),
    hidden("storage.agent.wal-truncate-frequency", Duration, "2h", Works, "How often to truncate the agent's log"),
    hidden("scrape.adjust-timestamps", Bool, "true", Works, "Snap scrape times to their schedule"),
    hidden("scrape.timestamp-tolerance", Duration, "2ms", Works, "How far a scrape time may be snapped"),
    hidden("scrape.discovery-reload-interval", Duration, "5s", Works, "Least time between two updates of the targets"),
    hidden("write-documentation", Bool, "false", NoEffect("use --help"), "Write the flags as a document"),
];

const fn flag(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    status: Status,
    help: &'static str,
) -> Flag {
    Flag { name, kind, default, help, hidden: false, status }
}

const fn hidden(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    status: Status,
    help: &'static str,
) -> Flag {
    Flag { name, kind, default, help, hidden: true, status }
}
