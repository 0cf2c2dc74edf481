mod compare;
mod globals;
mod tables;

use std::path::Path;

use runtime::{Disk, disk::RealDisk};

use super::{Options, parse};

/// Reads a file and gives it back as it takes effect, or says why not.
fn effective(text: &str) -> String {
    match parse(text, &Options { environment, ..Options::default() }) {
        Ok((file, _)) => file.to_yaml(crate::decode::Style::Shown),
        Err(error) => format!("error: {error}"),
    }
}

fn environment(name: &str) -> Option<String> {
    (name == "ZONE").then(|| "eu".to_owned())
}

fn check(text: &str, expected: &str) {
    assert_eq!(effective(text).trim(), expected.trim(), "{text}");
}

#[test]
fn empty_file_prints_the_defaults() {
    check(
        "",
        "
global:
  scrape_interval: 1m
  scrape_timeout: 10s
  evaluation_interval: 1m
  metric_name_validation_scheme: utf8
  metric_name_escaping_scheme: allow-utf-8
  scrape_native_histograms: false
  extra_scrape_metrics: false
runtime:
  gogc: 75
storage:
  tsdb:
    retention: {}
otlp:
  translation_strategy: UnderscoreEscapingWithSuffixes
  label_name_underscore_sanitization: true
  label_name_preserve_multiple_underscores: true
",
    );
    assert_eq!(effective("global:\nruntime:\n"), effective(""));
}

#[test]
fn job_inherits_and_prints_like_upstream() {
    let text = effective(
        "
global:
  scrape_interval: 5s
  external_labels: {zone: $ZONE, price: $$5, none: '${NONE}'}
rule_files:
scrape_configs:
- job_name: node
  basic_auth: {username: me, password: hunter2}
  static_configs:
  - targets: ['localhost:9100', yes]
    labels: {tier: 1}
  relabel_configs:
  - source_labels: [a, b]
    regex:
    target_label: c
",
    );

    let (_, scrape_configs) = text.split_once("scrape_configs:\n").unwrap();
    let (scrape_configs, _) = scrape_configs.split_once("storage:\n").unwrap();
    assert!(text.contains("scrape_timeout: 5s\n"), "{text}");
    assert!(
        text.contains("  external_labels:\n    none: \"\"\n    price: $5\n    zone: eu\n"),
        "{text}"
    );
    assert_eq!(
        scrape_configs,
        "\
- job_name: node
  honor_timestamps: true
  track_timestamps_staleness: false
  scrape_interval: 5s
  scrape_timeout: 5s
  scrape_protocols:
  - OpenMetricsText1.0.0
  - OpenMetricsText0.0.1
  - PrometheusText1.0.0
  - PrometheusText0.0.4
  scrape_native_histograms: false
  always_scrape_classic_histograms: false
  convert_classic_histograms_to_nhcb: false
  metrics_path: /metrics
  scheme: http
  enable_compression: true
  metric_name_validation_scheme: utf8
  metric_name_escaping_scheme: allow-utf-8
  extra_scrape_metrics: false
  basic_auth:
    username: me
    password: <secret>
  follow_redirects: true
  enable_http2: true
  relabel_configs:
  - source_labels: [a, b]
    separator: ;
    regex: \"\"
    target_label: c
    replacement: $1
    action: replace
  static_configs:
  - targets:
    - localhost:9100
    - \"yes\"
    labels:
      tier: \"1\"
"
    );
}

#[test]
fn all_wrong_keys_are_named_with_line_and_column_and_what_is_allowed() {
    check("
global:
  scrape_intervall: 5s
  sample_limit: many
  sample_limit: 5
runtime: {gogc: 1, gogg: 2}
", "
error: yaml: unmarshal errors:
  line 3: field scrape_intervall not found in type config.plain (column 3, allowed: always_scrape_classic_histograms, body_size_limit, convert_classic_histograms_to_nhcb, evaluation_interval, external_labels, extra_scrape_metrics, keep_dropped_targets, label_limit, label_name_length_limit, label_value_length_limit, metric_name_escaping_scheme, metric_name_validation_scheme, query_log_file, rule_query_offset, sample_limit, scrape_failure_log_file, scrape_interval, scrape_native_histograms, scrape_protocols, scrape_timeout, target_limit)
  line 4: cannot unmarshal !!str `many` into uint (key sample_limit)
  line 5: field sample_limit already set in type config.plain (column 3)
  line 6: field gogg not found in type config.RuntimeConfig (column 20, allowed: gogc)
");
}

#[test]
fn broken_rules_name_their_line() {
    check(
        "scrape_configs:\n- job_name: a\n- job_name: b\n  scrape_timeout: 2m\n",
        "error: scrape timeout greater than scrape interval for scrape config with job name \"b\" (line 3)",
    );
    check(
        "scrape_configs:\n- job_name: a\n  relabel_configs:\n  - regex: x\n  -\n",
        "error: empty or null target relabeling rule in scrape config (line 5)",
    );
    check(
        "scrape_configs:\n- job_name: a\n  scrape_interval: 1x\n",
        "error: not a valid duration string: \"1x\" (line 3)",
    );
    check("scrape_configs: [\n", "error: yaml: line 1: unclosed bracket '[' (column 17)");
}

/// The least that each section must say.
const SECTIONS: &str = "
azure: {subscription_id: s, authentication_method: ManagedIdentity}
consul: {}
digitalocean: {}
dns: {names: [a]}
docker: {host: 'unix:///docker.sock'}
dockerswarm: {host: 'unix:///docker.sock', role: nodes}
ec2: {region: r}
ecs: {region: r}
elasticache: {region: r}
eureka: {server: 'http://e'}
file: {files: [a.json]}
gce: {project: p, zone: z}
hetzner: {role: robot}
http: {url: 'http://h'}
ionos: {datacenter_id: d}
kubernetes: {role: pod}
kuma: {server: 'http://k'}
lightsail: {region: r}
linode: {}
marathon: {servers: ['http://m']}
msk: {region: r}
nerve: {servers: [zk], paths: [/a]}
nomad: {}
oci: {auth: instance_principal, region: r}
openstack: {role: instance, region: r}
outscale: {access_key: a, secret_key: s}
ovhcloud: {application_key: a, application_secret: s, consumer_key: c, service: vps}
puppetdb: {url: 'http://p', query: q}
rds: {region: r}
scaleway: {role: instance, project_id: p, access_key: a, secret_key: s}
serverset: {servers: [zk], paths: [/a]}
stackit: {project: p}
triton: {account: a, dns_suffix: d, endpoint: e}
uyuni: {server: 'http://u', username: n, password: p}
vultr: {}
";

#[test]
fn every_section_asks_for_its_mechanism() {
    let check = |key: &str, section: &str, mechanism: &str| {
        let text = format!("scrape_configs: [{{job_name: j, {key}: [{section}]}}]");
        let (file, _) = parse(&text, &Options::default()).expect(&text);
        let job = file.scrape_configs.iter().next().expect("there is one");
        let found = super::sd::mechanisms(&job.discovery).expect(&text);
        let found: Vec<_> = found.iter().map(discovery::Config::mechanism).collect();
        assert_eq!(found, [mechanism], "{text}");
    };
    for line in SECTIONS.trim().lines() {
        let (name, section) = line.split_once(": ").expect("a name and settings");
        check(&format!("{name}_sd_configs"), section, name);
    }
    for role in ["ec2", "ecs", "elasticache", "lightsail", "msk", "rds"] {
        check("aws_sd_configs", &format!("{{role: {role}, region: r}}"), role);
    }
    check("static_configs", "{targets: ['a:1']}", "static");
}

#[test]
fn rule_files_are_looked_for_beside_the_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("prometheus.yml");
    let disk: &dyn Disk = &RealDisk;
    disk.write_atomically(&path, b"rule_files: [a.yml, 'rules/*.yml']\n").unwrap();
    let config = super::load(disk, &path, &Options::default()).unwrap();
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let missing = format!("{}/a.yml", directory.path().display());
    assert_eq!(config.rule_paths(disk).unwrap(), [missing]);
}

#[test]
fn missing_file_is_named() {
    let error =
        super::load(&RealDisk, Path::new("/nowhere/p.yml"), &Options::default()).unwrap_err();
    assert_eq!(error.to_string(), "open /nowhere/p.yml: no such file or directory");
}

#[test]
fn metrics_may_be_kept_for_times_of_their_own() {
    let text = "
storage:
  tsdb:
    retention:
      time: 1y
      classes:
      - name: business
        match: ['{job=\"nginx\"}', 'grpc_handled{}']
        time: 1w
";
    let shown = effective(text);
    let expected = "
    retention:
      time: 1y
      classes:
      - name: business
        match:
        - '{job=\"nginx\"}'
        - grpc_handled{}
        time: 1w
";
    assert!(shown.contains(expected.trim_start_matches('\n')), "{shown}");
    let with = |classes: &str| {
        let text = format!("storage: {{tsdb: {{retention: {{time: 1y, classes: {classes}}}}}}}");
        effective(&text).trim().to_owned()
    };
    assert_eq!(with("[{match: ['a'], time: 1w}]"), "error: a retention class has no name (line 1)");
    assert_eq!(with("[{name: a, time: 1w}]"), "error: retention class \"a\" has no match (line 1)");
    let twice = with("[{name: a, match: ['a']}, {name: a, match: ['b']}]");
    assert_eq!(twice, "error: 'storage.tsdb.retention.classes': \"a\" is given twice (line 1)");
    let broken = with("[{name: a, match: ['{']}]");
    assert!(broken.starts_with("error: retention class \"a\": \"{\": "), "{broken}");
}
