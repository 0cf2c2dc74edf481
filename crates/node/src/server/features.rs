//! Which of upstream's features there are and whether they are on: `/api/v1/features`.

use std::collections::BTreeMap;

use tracing::warn;

use super::Options;

/// A category, what is always on in it, and what is not there or off.
type Row = (&'static str, &'static [&'static str], &'static [&'static str]);

#[rustfmt::skip]
const FIXED: &[Row] = &[
    ("api",
        &["exclude_alerts", "label_values_match", "openapi_3.1", "openapi_3.2", "query_stats", "query_warnings",
          "search_fuzz_alg_jarowinkler", "search_fuzz_alg_subsequence", "time_range_labels", "time_range_series"],
        &[]),
    ("prometheus", &[], &["stringlabels"]),
    ("promql",
        &["at_modifier", "bool", "by", "duration_expr", "group_left", "group_right", "ignoring", "negative_offset",
          "offset", "on", "per_query_lookback_delta", "subqueries", "without"],
        &[]),
    ("rules", &["keep_firing_for", "query_offset"], &[]),
    ("scrape", &["extra_scrape_metrics"], &[]),
    ("service_discovery_providers",
        &["aws", "azure", "consul", "digitalocean", "dns", "docker", "dockerswarm", "ec2", "ecs", "elasticache",
          "eureka", "file", "gce", "hetzner", "http", "ionos", "kubernetes", "kuma", "lightsail", "linode", "marathon",
          "msk", "nerve", "nomad", "oci", "openstack", "outscale", "ovhcloud", "puppetdb", "rds", "scaleway",
          "serverset", "stackit", "static", "triton", "uyuni", "vultr"],
        &[]),
    ("templating_functions",
        &["args", "externalURL", "first", "graphLink", "humanize", "humanize1024", "humanizeDuration",
          "humanizePercentage", "humanizeTimestamp", "label", "match", "now", "parseDuration", "pathPrefix", "query",
          "reReplaceAll", "safeHtml", "sortByLabel", "stripDomain", "stripPort", "strvalue", "tableLink", "title",
          "toDuration", "toLower", "toTime", "toUpper", "urlQueryEscape", "value"],
        &[]),
    ("tsdb", &["isolation", "native_histograms"],
        &["histograms_st_encoding", "st_storage", "use_uncached_io"]),
    ("ui", &["ui_v3"], &["ui_v2"]),
];

/// Operators, matchers and aggregations that are always there.
#[rustfmt::skip]
const OPERATORS: [&str; 33] = [
    "!=", "!~", "%", "*", "+", "-", "/", "<", "</", "<=", "==", "=~", ">", ">/", ">=", "@", "^", "and", "atan2",
    "avg", "bottomk", "count", "count_values", "group", "max", "min", "or", "quantile", "stddev", "stdvar", "sum",
    "topk", "unless",
];

/// What is done with deltas that come by OTLP.
const OTLP: [(&str, &str); 2] = [
    ("delta_conversion", "otlp-deltatocumulative"),
    ("native_delta_ingestion", "otlp-native-delta-ingestion"),
];

/// What a flag of `--enable-feature` adds to what is scraped, and what queries make of it.
const LABELS_AND_STARTS: [(&str, &str, &str); 3] = [
    ("promql", "type_and_unit_labels", "type-and-unit-labels"),
    ("scrape", "start_timestamp_zero_ingestion", "created-timestamp-zero-ingestion"),
    ("scrape", "type_and_unit_labels", "type-and-unit-labels"),
];

/// What a flag of `--enable-feature` turns on in the query language.
const PROMQL: [(&str, &[&str]); 4] = [
    ("promql-per-step-stats", &["per_step_stats"]),
    ("promql-delayed-name-removal", &["delayed_name_removal"]),
    ("promql-extended-range-selectors", &["anchored", "smoothed"]),
    ("promql-binop-fill-modifiers", &["fill", "fill_left", "fill_right"]),
];

/// Features by category.
pub(super) fn table(options: &Options) -> BTreeMap<String, BTreeMap<String, bool>> {
    let mut table: BTreeMap<String, BTreeMap<String, bool>> = BTreeMap::new();
    let mut set = |category: &str, name: &str, is_on: bool| {
        table.entry(category.to_owned()).or_default().insert(name.to_owned(), is_on);
    };
    for (category, on, off) in FIXED {
        on.iter().for_each(|name| set(category, name, true));
        off.iter().for_each(|name| set(category, name, false));
    }
    set("api", "admin", options.web.enable_admin_api);
    set("api", "remote_write_receiver", options.web.remote_write_messages.is_some());
    set("api", "otlp_write_receiver", options.web.otlp_receiver);
    for (name, flag) in OTLP {
        set("otlp_receiver", name, options.has_feature(flag));
    }
    for (category, name, flag) in LABELS_AND_STARTS {
        set(category, name, options.has_feature(flag));
    }
    set("api", "search", options.has_feature("search-api"));
    set("api", "lifecycle", options.web.enable_lifecycle);
    set("tsdb", "exemplar_storage", options.has_feature("exemplar-storage"));
    set("tsdb", "delayed_compaction", options.has_feature("delayed-compaction"));
    set("tsdb", "xor2_encoding", options.has_feature("xor2-encoding"));
    set("rules", "concurrent_rule_eval", options.rules.helpers.is_some());
    set("prometheus", "agent_mode", options.agent.is_some());
    set("prometheus", "server_mode", options.agent.is_none());
    set("prometheus", "auto_reload_config", options.auto_reload.is_some());
    for (flag, names) in PROMQL {
        names.iter().for_each(|name| set("promql", name, options.has_feature(flag)));
    }
    let experimental = options.has_feature("promql-experimental-functions");
    for operator in OPERATORS {
        set("promql_operators", operator, true);
    }
    for aggregation in ["limit_ratio", "limitk"] {
        set("promql_operators", aggregation, experimental);
    }
    for function in &promql_syntax::functions::FUNCTIONS {
        set("promql_functions", function.name, experimental || !function.experimental);
    }
    table
}

/// What `--enable-feature` may name to some effect, or with none because it is always so.
const KNOWN: &[&str] = &[
    "auto-reload-config",
    "concurrent-rule-eval",
    "created-timestamp-zero-ingestion",
    "delayed-compaction",
    "exemplar-storage",
    "extra-scrape-metrics",
    "fast-startup",
    "memory-snapshot-on-shutdown",
    "metadata-wal-records",
    "native-histograms",
    "ooo-native-histograms",
    "otlp-deltatocumulative",
    "otlp-native-delta-ingestion",
    "promql-binop-fill-modifiers",
    "promql-delayed-name-removal",
    "promql-duration-expr",
    "promql-experimental-functions",
    "promql-extended-range-selectors",
    "promql-per-step-stats",
    "search-api",
    "type-and-unit-labels",
    "use-start-timestamps",
    "xor2-encoding",
];

/// What upstream knows and we do not do yet.
const WITHOUT_EFFECT: &[&str] =
    &["histograms-st-encoding", "old-ui", "st-storage", "st-synthesis", "use-uncached-io"];

/// Says which of the features that were asked for nobody will see.
pub(super) fn warn_of_the_others(options: &Options) {
    for feature in options.features.iter().map(String::as_str) {
        if WITHOUT_EFFECT.contains(&feature) {
            warn!(option = feature, "this feature has no effect yet");
        } else if !KNOWN.contains(&feature) {
            warn!(option = feature, "Unknown option for --enable-feature");
        }
    }
}
