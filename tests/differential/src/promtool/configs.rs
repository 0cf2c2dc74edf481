//! `check config`.

use super::{Case, rules};

const CHECK: &[&str] = &["check", "config"];
const SYNTAX: &[&str] = &["check", "config", "--syntax-only"];

/// The files of [`super::cases`] that are damaged at random.
pub(super) fn good() -> Case {
    Case { name: "config".to_owned(), command: CHECK.to_vec(), files: with_rules(GOOD) }
}

const GOOD: &str = r#"global:
  scrape_interval: 15s
  scrape_timeout: 10s
  evaluation_interval: 30s
  external_labels:
    region: eu
    replica: "1"
rule_files:
- good.yml
alerting:
  alert_relabel_configs:
  - regex: replica
    action: labeldrop
  alertmanagers:
  - scheme: http
    timeout: 5s
    api_version: v2
    path_prefix: /am
    static_configs:
    - targets:
      - localhost:9093
scrape_configs:
- job_name: node
  honor_labels: true
  scrape_interval: 10s
  scrape_timeout: 5s
  metrics_path: /metrics
  scheme: http
  params:
    module:
    - http_2xx
  static_configs:
  - targets:
    - localhost:9100
    - localhost:9101
    labels:
      team: a
  relabel_configs:
  - source_labels:
    - __address__
    regex: (.*):.*
    target_label: host
    replacement: $1
    action: replace
  - source_labels:
    - host
    modulus: 4
    target_label: shard
    action: hashmod
  metric_relabel_configs:
  - source_labels:
    - __name__
    regex: go_.*
    action: drop
- job_name: dns
  dns_sd_configs:
  - names:
    - _metrics._tcp.localhost
    type: SRV
    refresh_interval: 1m
  basic_auth:
    username: u
    password: p
remote_write:
- url: http://localhost:9201/write
  name: first
  remote_timeout: 30s
  queue_config:
    capacity: 2500
    max_shards: 10
  write_relabel_configs:
  - source_labels:
    - __name__
    regex: keep_.*
    action: keep
remote_read:
- url: http://localhost:9201/read
  read_recent: true
"#;

/// What stands at the top of a configuration.
const TOPS: &[(&str, &str)] = &[
    ("nothing", ""),
    ("a comment", "# nothing\n"),
    ("a text", "text\n"),
    ("a list", "- a\n"),
    ("an unknown section", "unknown: {}\n"),
    ("global of nobody", "global:\n"),
    ("an unknown key of global", "global: {unknown: 1}\n"),
    ("a timeout above the interval", "global: {scrape_interval: 5s, scrape_timeout: 10s}\n"),
    ("a timeout like the interval", "global: {scrape_interval: 5s, scrape_timeout: 5s}\n"),
    ("an interval of nothing", "global: {scrape_interval: 0s}\n"),
    ("an interval of a number", "global: {scrape_interval: 15}\n"),
    ("an evaluation of an unknown unit", "global: {evaluation_interval: 5t}\n"),
    ("an external label with a dash", "global: {external_labels: {a-b: c}}\n"),
    ("an external label without a name", "global: {external_labels: {'': c}}\n"),
    ("an external label of a number", "global: {external_labels: {a: 1}}\n"),
    ("external labels as a list", "global: {external_labels: [a]}\n"),
    ("a query log", "global: {query_log_file: queries.log}\n"),
    ("a limit of bytes", "global: {body_size_limit: 10MB}\n"),
    ("rules that are not there", "rule_files: [missing.yml]\n"),
    ("rules that match nothing", "rule_files: ['missing*.yml']\n"),
    ("rules that match", "rule_files: ['go*.yml']\n"),
    ("bad rules", "rule_files: [bad.yml]\n"),
    ("good and bad rules", "rule_files: [good.yml, bad.yml]\n"),
    ("rules as a text", "rule_files: good.yml\n"),
    ("a pattern in a folder", "rule_files: ['*/good.yml']\n"),
    ("a bad pattern", "rule_files: ['[.yml']\n"),
    ("alerting of nobody", "alerting:\n"),
    ("an Alertmanager", "alerting: {alertmanagers: [{static_configs: [{targets: ['a:1']}]}]}\n"),
    ("an Alertmanager by version 1", "alerting: {alertmanagers: [{api_version: v1}]}\n"),
    ("an Alertmanager by version 3", "alerting: {alertmanagers: [{api_version: v3}]}\n"),
    (
        "an Alertmanager with a path",
        "alerting: {alertmanagers: [{static_configs: [{targets: ['a:1/b']}]}]}\n",
    ),
    ("an Alertmanager by an unknown scheme", "alerting: {alertmanagers: [{scheme: ftp}]}\n"),
    ("alert relabelling that is bad", "alerting: {alert_relabel_configs: [{action: nothing}]}\n"),
    ("alert relabelling of nothing", "alerting: {alert_relabel_configs: [null]}\n"),
    ("a remote write without an address", "remote_write: [{name: a}]\n"),
    ("a remote write", "remote_write: [{url: 'http://localhost/w'}]\n"),
    ("a remote write to a bad address", "remote_write: [{url: 'http://local host/'}]\n"),
    ("a remote write to an address without a host", "remote_write: [{url: localhost}]\n"),
    ("two remote writes", "remote_write: [{url: 'http://a/'}, {url: 'http://a/'}]\n"),
    (
        "two remote writes of a name",
        "remote_write: [{url: 'http://a/', name: n}, {url: 'http://b/', name: n}]\n",
    ),
    (
        "two remote reads of a name",
        "remote_read: [{url: 'http://a/', name: n}, {url: 'http://b/', name: n}]\n",
    ),
    ("headers", "remote_write: [{url: 'http://a/', headers: {X-A: b}}]\n"),
    (
        "a header of the protocol",
        "remote_write: [{url: 'http://a/', headers: {Content-Encoding: b}}]\n",
    ),
    ("a header of authority", "remote_write: [{url: 'http://a/', headers: {Authorization: b}}]\n"),
    (
        "two authorities",
        "remote_write: [{url: 'http://a/', basic_auth: {username: a}, bearer_token: b}]\n",
    ),
    ("a queue of a text", "remote_write: [{url: 'http://a/', queue_config: {capacity: x}}]\n"),
    (
        "an unknown key of a queue",
        "remote_write: [{url: 'http://a/', queue_config: {unknown: 1}}]\n",
    ),
    ("metadata", "remote_write: [{url: 'http://a/', metadata_config: {send: false}}]\n"),
    ("SigV4", "remote_write: [{url: 'http://a/', sigv4: {region: r}}]\n"),
    (
        "SigV4 and basic",
        "remote_write: [{url: 'http://a/', sigv4: {region: r}, basic_auth: {username: a}}]\n",
    ),
    (
        "relabelling of what is written",
        "remote_write: [{url: 'http://a/', write_relabel_configs: [{regex: '('}]}]\n",
    ),
    (
        "relabelling of nothing",
        "remote_write: [{url: 'http://a/', write_relabel_configs: [null]}]\n",
    ),
    ("a remote read without an address", "remote_read: [{read_recent: true}]\n"),
    (
        "a remote read with a matcher",
        "remote_read: [{url: 'http://a/', required_matchers: {a: b}}]\n",
    ),
    ("a window for late samples", "storage: {tsdb: {out_of_order_time_window: 30m}}\n"),
    ("a window of a number", "storage: {tsdb: {out_of_order_time_window: x}}\n"),
    ("exemplars", "storage: {exemplars: {max_exemplars: 10}}\n"),
    ("an unknown key of storage", "storage: {unknown: 1}\n"),
    ("traces", "tracing: {endpoint: 'a:4317'}\n"),
    ("traces without an end", "tracing: {client_type: grpc}\n"),
    ("traces of a bad client", "tracing: {endpoint: 'a:4317', client_type: x}\n"),
    ("two documents", "global: {}\n---\nglobal: {}\n"),
    ("a key twice", "global: {}\nglobal: {}\n"),
    ("a tab", "global:\n\tscrape_interval: 5s\n"),
    ("an anchor", "global: &g {scrape_interval: 5s}\n"),
    ("more files", "scrape_config_files: ['missing*.yml']\n"),
    ("an offset of rules", "global: {rule_query_offset: 1m}\n"),
    ("OTLP", "otlp: {promote_resource_attributes: [a]}\n"),
    ("a retention", "storage: {tsdb: {retention: {time: 1d}}}\n"),
    ("a runtime", "runtime: {gogc: 50}\n"),
    ("a limit for all", "global: {sample_limit: 10}\n"),
];

/// What stands in a job beside its name.
const JOBS: &[(&str, &str)] = &[
    ("nothing", ""),
    ("targets", "static_configs: [{targets: ['a:1']}]"),
    ("targets with a label", "static_configs: [{targets: ['a:1'], labels: {a: b}}]"),
    ("targets with a label with a dash", "static_configs: [{targets: ['a:1'], labels: {a-b: c}}]"),
    ("targets with an address", "static_configs: [{targets: ['http://a:1']}]"),
    ("targets with a path", "static_configs: [{targets: ['a:1/b']}]"),
    ("targets without a port", "static_configs: [{targets: [a]}]"),
    ("targets with a bad port", "static_configs: [{targets: ['a:x']}]"),
    ("targets as a text", "static_configs: [{targets: a}]"),
    ("targets of nobody", "static_configs: [null]"),
    ("targets with an unknown key", "static_configs: [{targets: [a], unknown: 1}]"),
    ("an unknown key", "unknown: 1"),
    ("an unknown discovery", "unknown_sd_configs: []"),
    ("a timeout above the interval", "scrape_interval: 5s, scrape_timeout: 10s"),
    ("a timeout above the global interval", "scrape_timeout: 2m"),
    ("a short interval", "scrape_interval: 5s"),
    ("an interval of a number", "scrape_interval: 5"),
    ("an empty path", "metrics_path: ''"),
    ("an unknown scheme", "scheme: ftp"),
    ("an empty scheme", "scheme: ''"),
    ("parameters", "params: {a: [b, c]}"),
    ("parameters as a text", "params: {a: b}"),
    ("basic", "basic_auth: {username: a, password: b}"),
    ("basic with two passwords", "basic_auth: {password: b, password_file: f}"),
    ("a token", "bearer_token: a"),
    ("a token and its file", "bearer_token: a, bearer_token_file: f"),
    ("a token's file that is not there", "bearer_token_file: missing"),
    ("basic and a token", "basic_auth: {username: a}, bearer_token: b"),
    ("an authorization", "authorization: {credentials: a}"),
    ("an authorization and its file", "authorization: {credentials: a, credentials_file: f}"),
    ("credentials that are not there", "authorization: {credentials_file: missing}"),
    ("an authorization of basic", "authorization: {type: Basic, credentials: a}"),
    ("an authorization and basic", "authorization: {credentials: a}, basic_auth: {username: a}"),
    ("OAuth", "oauth2: {client_id: a, client_secret: b, token_url: 'http://a/'}"),
    ("OAuth without an address", "oauth2: {client_id: a, client_secret: b}"),
    ("OAuth without a client", "oauth2: {client_secret: b, token_url: 'http://a/'}"),
    (
        "OAuth and basic",
        "oauth2: {client_id: a, client_secret: b, token_url: 'http://a/'}, basic_auth: {username: a}",
    ),
    ("a certificate that is not there", "tls_config: {cert_file: missing, key_file: missing}"),
    ("a certificate without a key", "tls_config: {cert_file: missing}"),
    ("a key without a certificate", "tls_config: {key_file: missing}"),
    ("an authority that is not there", "tls_config: {ca_file: missing}"),
    ("an old TLS", "tls_config: {min_version: TLS10}"),
    ("an unknown TLS", "tls_config: {min_version: TLS9}"),
    ("a proxy", "proxy_url: 'http://a:1'"),
    ("a bad proxy", "proxy_url: 'http://a b'"),
    ("no redirects", "follow_redirects: false"),
    ("redirects by a text", "follow_redirects: maybe"),
    ("yes", "honor_labels: yes"),
    ("a limit", "sample_limit: 100"),
    ("a limit below zero", "sample_limit: -1"),
    ("a limit of a text", "sample_limit: x"),
    ("a limit of bytes", "body_size_limit: 1MB"),
    ("a limit of bytes without a unit", "body_size_limit: 1000"),
    ("a limit of a bad unit", "body_size_limit: 1XB"),
    ("limits of labels", "label_limit: 1, label_name_length_limit: 2, label_value_length_limit: 3"),
    ("relabelling", "relabel_configs: [{source_labels: [a], target_label: b}]"),
    ("relabelling of nothing", "relabel_configs: [null]"),
    ("relabelling without a target", "relabel_configs: [{source_labels: [a]}]"),
    ("an unknown action", "relabel_configs: [{action: unknown}]"),
    ("an action in upper case", "relabel_configs: [{action: Keep, source_labels: [a], regex: b}]"),
    ("a bad regex", "relabel_configs: [{action: keep, source_labels: [a], regex: '('}]"),
    (
        "a regex of lookahead",
        "relabel_configs: [{action: keep, source_labels: [a], regex: '(?=a)'}]",
    ),
    (
        "hashmod without a modulus",
        "relabel_configs: [{action: hashmod, source_labels: [a], target_label: b}]",
    ),
    (
        "hashmod",
        "relabel_configs: [{action: hashmod, source_labels: [a], target_label: b, modulus: 8}]",
    ),
    ("a target with a dash", "relabel_configs: [{source_labels: [a], target_label: a-b}]"),
    ("a target of a group", "relabel_configs: [{source_labels: [a], target_label: 'b_${1}'}]"),
    ("lowercase", "relabel_configs: [{action: lowercase, source_labels: [a], target_label: b}]"),
    (
        "lowercase of a group",
        "relabel_configs: [{action: lowercase, source_labels: [a], target_label: '${1}'}]",
    ),
    ("keepequal", "relabel_configs: [{action: keepequal, source_labels: [a], target_label: b}]"),
    (
        "keepequal with a regex",
        "relabel_configs: [{action: keepequal, source_labels: [a], target_label: b, regex: c}]",
    ),
    (
        "labeldrop with a source",
        "relabel_configs: [{action: labeldrop, source_labels: [a], regex: b}]",
    ),
    ("labelmap", "relabel_configs: [{action: labelmap, regex: 'a_(.+)', replacement: 'b_$1'}]"),
    (
        "labelmap to a bad name",
        "relabel_configs: [{action: labelmap, regex: a, replacement: 'b-$1'}]",
    ),
    ("a source with a dash", "relabel_configs: [{source_labels: [a-b], target_label: b}]"),
    ("sources as a text", "relabel_configs: [{source_labels: a, target_label: b}]"),
    ("an unknown key of relabelling", "relabel_configs: [{source_label: [a], target_label: b}]"),
    ("relabelling of metrics that is bad", "metric_relabel_configs: [{action: unknown}]"),
    (
        "an address of nothing",
        "static_configs: [{targets: ['a:1']}], relabel_configs: [{target_label: __address__, replacement: ''}]",
    ),
    ("files", "file_sd_configs: [{files: [targets.json]}]"),
    ("files that match nothing", "file_sd_configs: [{files: ['missing*.json']}]"),
    ("files that are not there", "file_sd_configs: [{files: [missing.json]}]"),
    ("files of a bad kind", "file_sd_configs: [{files: [targets.txt]}]"),
    ("files that are bad", "file_sd_configs: [{files: [bad.json]}]"),
    ("no files", "file_sd_configs: [{files: []}]"),
    ("names", "dns_sd_configs: [{names: [a], type: A, port: 1}]"),
    ("no names", "dns_sd_configs: [{type: A, port: 1}]"),
    ("names without a port", "dns_sd_configs: [{names: [a], type: A}]"),
    ("names of an unknown type", "dns_sd_configs: [{names: [a], type: X}]"),
    ("names by mail", "dns_sd_configs: [{names: [a], type: MX, port: 25}]"),
    ("HTTP", "http_sd_configs: [{url: 'http://a/'}]"),
    ("HTTP without an address", "http_sd_configs: [{}]"),
    ("HTTP by an unknown scheme", "http_sd_configs: [{url: 'ftp://a/'}]"),
    ("Consul", "consul_sd_configs: [{server: 'a:1'}]"),
    ("Consul without a server", "consul_sd_configs: [{server: ''}]"),
    (
        "Consul with two authorities",
        "consul_sd_configs: [{server: a, username: b, basic_auth: {username: c}}]",
    ),
    ("Kubernetes", "kubernetes_sd_configs: [{role: pod}]"),
    ("Kubernetes without a role", "kubernetes_sd_configs: [{}]"),
    ("Kubernetes of an unknown role", "kubernetes_sd_configs: [{role: unknown}]"),
    (
        "Kubernetes with an authority of nobody",
        "kubernetes_sd_configs: [{role: pod, basic_auth: {username: a}}]",
    ),
    (
        "Kubernetes with a selector",
        "kubernetes_sd_configs: [{role: pod, selectors: [{role: pod, label: 'a=b'}]}]",
    ),
    (
        "Kubernetes with a selector of another role",
        "kubernetes_sd_configs: [{role: pod, selectors: [{role: node, label: 'a=b'}]}]",
    ),
    ("Docker", "docker_sd_configs: [{host: 'unix:///var/run/docker.sock'}]"),
    ("Docker without a host", "docker_sd_configs: [{}]"),
    ("OpenStack without a role", "openstack_sd_configs: [{region: a}]"),
    ("Google without a zone", "gce_sd_configs: [{project: a}]"),
    ("Nomad", "nomad_sd_configs: [{server: 'http://a:1'}]"),
    ("Marathon without servers", "marathon_sd_configs: [{}]"),
    ("ZooKeeper without paths", "serverset_sd_configs: [{servers: [a]}]"),
    ("Eureka by a bad address", "eureka_sd_configs: [{server: a}]"),
    ("Uyuni without a server", "uyuni_sd_configs: [{username: a, password: b}]"),
    ("PuppetDB without a query", "puppetdb_sd_configs: [{url: 'http://a/'}]"),
    ("protocols", "scrape_protocols: [PrometheusText0.0.4]"),
    ("a limit of buckets", "native_histogram_bucket_limit: 10"),
    ("dropped targets", "keep_dropped_targets: 10"),
    ("no compression", "enable_compression: false"),
    ("classic histograms", "always_scrape_classic_histograms: true"),
];

pub(super) fn cases() -> Vec<Case> {
    let new = |name: String, command: &[&'static str], text: &str| Case {
        name,
        command: command.to_vec(),
        files: with_rules(text),
    };
    let mut cases = vec![
        new("config: a good file".to_owned(), CHECK, GOOD),
        new("syntax: a good file".to_owned(), SYNTAX, GOOD),
    ];
    for (name, text) in TOPS {
        cases.push(new(format!("config: {name}"), CHECK, text));
    }
    for (name, job) in JOBS {
        let text = format!("scrape_configs:\n- {{job_name: j, {job}}}\n");
        cases.push(new(format!("job: {name}"), CHECK, &text));
    }
    for (name, text) in [
        ("a job without a name", "scrape_configs: [{static_configs: []}]\n"),
        ("two jobs of one name", "scrape_configs: [{job_name: a}, {job_name: a}]\n"),
        ("a job that is nothing", "scrape_configs: [null]\n"),
        ("a job that is a text", "scrape_configs: [a]\n"),
        ("jobs as a mapping", "scrape_configs: {job_name: a}\n"),
    ] {
        cases.push(new(format!("config: {name}"), CHECK, text));
    }
    for (name, text) in [
        ("rules that are not there", "rule_files: [missing.yml]\n"),
        ("bad rules", "rule_files: [bad.yml]\n"),
        ("a file that is not there", "scrape_configs: [{job_name: a, bearer_token_file: f}]\n"),
        ("an unknown key", "unknown: 1\n"),
    ] {
        cases.push(new(format!("syntax: {name}"), SYNTAX, text));
    }
    cases
}

/// With files that configurations name.
fn with_rules(text: &str) -> Vec<(&'static str, String)> {
    vec![
        ("prometheus.yml", text.to_owned()),
        ("good.yml", rules::GOOD.to_owned()),
        ("bad.yml", "groups: [{name: g, rules: [{record: a, expr: 'sum('}]}]\n".to_owned()),
        ("targets.json", "[{\"targets\": [\"a:1\"], \"labels\": {\"a\": \"b\"}}]".to_owned()),
        ("bad.json", "[{\"targets\": \"a\"}]".to_owned()),
        ("targets.txt", "a:1\n".to_owned()),
    ]
}
