//! What can be asked, path by path.

use self::Answer::{Data, Done, Events, Lines, Nothing};

/// One path, with the methods that it takes.
pub(super) struct Operation {
    pub(super) path: &'static str,
    /// Each with the name that clients give it.
    pub(super) methods: &'static [(&'static str, &'static str)],
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    /// From the table of parameters; with `!` at the end they must be there.
    pub(super) parameters: &'static [&'static str],
    /// How the form that holds them is called, if POST sends one.
    pub(super) form: Option<&'static str>,
    pub(super) answer: Answer,
}

/// What comes back if all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Nothing,
    /// That it was done, under this name.
    Done(&'static str),
    /// Data of a shape, in an envelope of this name.
    Data(&'static str, &'static str),
    /// JSON, line by line.
    Lines,
    /// A stream that does not end.
    Events,
}

macro_rules! reference {
    ($name:literal) => {
        concat!("{$ref: \"#/components/schemas/", $name, "\"}")
    };
}

macro_rules! list {
    ($name:literal) => {
        concat!("{type: array, items: {$ref: \"#/components/schemas/", $name, "\"}}")
    };
}

const ANY: &str = "{}";
const TEXT: &str = "{type: string}";
const TEXTS: &str = "{type: array, items: {type: string}}";

#[rustfmt::skip]
pub(super) const OPERATIONS: &[Operation] = &[
    row("/query", &[("get", "query"), ("post", "query-post")], "query", "Answers a query at one moment",
        &["limit", "time", "query!", "timeout", "lookback_delta", "stats"], Some("QueryPostInputBody"), Data("QueryOutputBody", reference!("QueryData"))),
    row("/query_range", &[("get", "query-range"), ("post", "query-range-post")], "query", "Answers a query at many moments",
        &["limit", "start!", "end!", "step!", "query!", "timeout", "lookback_delta", "stats"], Some("QueryRangePostInputBody"), Data("QueryRangeOutputBody", reference!("QueryData"))),
    row("/query_exemplars", &[("get", "query-exemplars"), ("post", "query-exemplars-post")], "query", "The exemplars of the series of a query",
        &["start", "end", "query!"], Some("QueryExemplarsPostInputBody"), Data("QueryExemplarsOutputBody", ANY)),
    row("/format_query", &[("get", "format-query"), ("post", "format-query-post")], "query", "Writes a query as a person would like to read it",
        &["query!"], Some("FormatQueryPostInputBody"), Data("FormatQueryOutputBody", TEXT)),
    row("/parse_query", &[("get", "parse-query"), ("post", "parse-query-post")], "query", "Takes a query apart",
        &["query!"], Some("ParseQueryPostInputBody"), Data("ParseQueryOutputBody", ANY)),
    row("/labels", &[("get", "labels"), ("post", "labels-post")], "labels", "The names of all labels",
        &["start", "end", "match", "limit"], Some("LabelsPostInputBody"), Data("LabelsOutputBody", TEXTS)),
    row("/label/{name}/values", &[("get", "label-values")], "labels", "The values of a label",
        &["name!", "start", "end", "match", "limit"], None, Data("LabelValuesOutputBody", TEXTS)),
    row("/search/metric_names", &[("get", "search-metric-names"), ("post", "search-metric-names-post")], "metadata", "Looks for metrics",
        &["match", "search", "fuzz_threshold", "fuzz_alg", "case_sensitive", "sort_by", "sort_dir", "include_score", "include_metadata", "start", "end", "search_limit", "batch_size"], Some("SearchMetricNamesPostInputBody"), Lines),
    row("/search/label_names", &[("get", "search-label-names"), ("post", "search-label-names-post")], "labels", "Looks for labels",
        &["match", "search", "fuzz_threshold", "fuzz_alg", "case_sensitive", "sort_by", "sort_dir", "include_score", "start", "end", "search_limit", "batch_size"], Some("SearchLabelNamesPostInputBody"), Lines),
    row("/search/label_values", &[("get", "search-label-values"), ("post", "search-label-values-post")], "labels", "Looks for values of a label",
        &["label!", "match", "search", "fuzz_threshold", "fuzz_alg", "case_sensitive", "sort_by", "sort_dir", "include_score", "start", "end", "search_limit", "batch_size"], Some("SearchLabelValuesPostInputBody"), Lines),
    row("/series", &[("get", "series"), ("post", "series-post")], "series", "Which series there are",
        &["start", "end", "match!", "limit"], Some("SeriesPostInputBody"), Data("SeriesOutputBody", list!("Labels"))),
    row("/metadata", &[("get", "get-metadata")], "metadata", "What metrics mean",
        &["limit", "limit_per_metric", "metric"], None, Data("MetadataOutputBody", "{type: object, additionalProperties: {type: array, items: {$ref: \"#/components/schemas/Metadata\"}}}")),
    row("/scrape_pools", &[("get", "get-scrape-pools")], "targets", "The names of all scrape pools",
        &[], None, Data("ScrapePoolsOutputBody", reference!("ScrapePoolsDiscovery"))),
    row("/scrape_pools/config", &[("get", "get-scrape-pool-config")], "targets", "The settings of a scrape pool",
        &["scrapePool!"], None, Data("ScrapePoolConfigOutputBody", reference!("ScrapePoolConfigData"))),
    row("/targets", &[("get", "get-targets")], "targets", "What is scraped",
        &["scrapePool", "state"], None, Data("TargetsOutputBody", reference!("TargetDiscovery"))),
    row("/targets/metadata", &[("get", "get-targets-metadata")], "targets", "What targets say of their metrics",
        &["match_target", "metric", "limit"], None, Data("TargetMetadataOutputBody", list!("MetricMetadata"))),
    row("/targets/relabel_steps", &[("get", "get-targets-relabel-steps")], "targets", "What relabelling makes of labels, rule by rule",
        &["scrapePool!", "labels!"], None, Data("TargetRelabelStepsOutputBody", reference!("RelabelStepsResponse"))),
    row("/rules", &[("get", "rules")], "rules", "Recording and alerting rules",
        &["type", "rule_name", "rule_group", "file", "match", "exclude_alerts", "group_limit", "group_next_token"], None, Data("RulesOutputBody", reference!("RuleDiscovery"))),
    row("/alerts", &[("get", "alerts")], "alerts", "All alerts that are pending or firing",
        &[], None, Data("AlertsOutputBody", reference!("AlertDiscovery"))),
    row("/alertmanagers", &[("get", "alertmanagers")], "alerts", "Where alerts go",
        &[], None, Data("AlertmanagersOutputBody", reference!("AlertmanagerDiscovery"))),
    row("/status/config", &[("get", "get-status-config")], "status", "The configuration, without secrets",
        &[], None, Data("StatusConfigOutputBody", reference!("StatusConfigData"))),
    row("/status/runtimeinfo", &[("get", "get-status-runtimeinfo")], "status", "How the server runs",
        &[], None, Data("StatusRuntimeInfoOutputBody", reference!("RuntimeInfo"))),
    row("/status/buildinfo", &[("get", "get-status-buildinfo")], "status", "What was built",
        &[], None, Data("StatusBuildInfoOutputBody", reference!("PrometheusVersion"))),
    row("/status/flags", &[("get", "get-status-flags")], "status", "All flags",
        &[], None, Data("StatusFlagsOutputBody", "{type: object, additionalProperties: {type: string}}")),
    row("/status/tsdb", &[("get", "status-tsdb")], "status", "What takes the most room in the head",
        &["limit"], None, Data("StatusTSDBOutputBody", reference!("TSDBStatus"))),
    row("/status/tsdb/blocks", &[("get", "status-tsdb-blocks")], "status", "All blocks",
        &[], None, Data("StatusTSDBBlocksOutputBody", reference!("StatusTSDBBlocksData"))),
    row("/status/walreplay", &[("get", "get-status-walreplay")], "status", "How far the log is read again",
        &[], None, Data("StatusWALReplayOutputBody", reference!("StatusWALReplayData"))),
    row("/status/self_metrics", &[("get", "get-status-self-metrics")], "status", "The server's own metrics",
        &["metric_name_pattern"], None, Data("StatusSelfMetricsOutputBody", ANY)),
    row("/admin/tsdb/delete_series", &[("put", "deleteSeriesPut"), ("post", "deleteSeriesPost")], "admin", "Deletes samples",
        &["match!", "start", "end"], None, Done("DeleteSeriesOutputBody")),
    row("/admin/tsdb/clean_tombstones", &[("put", "cleanTombstonesPut"), ("post", "cleanTombstonesPost")], "admin", "Frees the room of what was deleted",
        &[], None, Done("CleanTombstonesOutputBody")),
    row("/admin/tsdb/snapshot", &[("put", "snapshotPut"), ("post", "snapshotPost")], "admin", "Copies the storage",
        &["skip_head"], None, Data("SnapshotOutputBody", reference!("DataStruct"))),
    row("/read", &[("post", "remoteRead")], "remote", "Remote read",
        &[], None, Nothing),
    row("/write", &[("post", "remoteWrite")], "remote", "Remote write",
        &[], None, Nothing),
    row("/otlp/v1/metrics", &[("post", "otlpWrite")], "otlp", "Takes metrics of OpenTelemetry",
        &[], None, Nothing),
    row("/notifications", &[("get", "get-notifications")], "notifications", "What whoever looks should know",
        &[], None, Data("NotificationsOutputBody", list!("Notification"))),
    row("/notifications/live", &[("get", "notifications-live")], "notifications", "The same, as it happens",
        &[], None, Events),
    row("/features", &[("get", "get-features")], "features", "What this server can do",
        &[], None, Data("FeaturesOutputBody", ANY)),
];

const fn row(
    path: &'static str,
    methods: &'static [(&'static str, &'static str)],
    tag: &'static str,
    summary: &'static str,
    parameters: &'static [&'static str],
    form: Option<&'static str>,
    answer: Answer,
) -> Operation {
    Operation { path, methods, tag, summary, parameters, form, answer }
}
