//! The configuration files, as a user would write them.

use std::fmt::Write as _;

use super::{Addresses, Setup};
use crate::{
    options::Remote,
    truth::{METRIC, PULSE, RECORDED},
};

/// Name and content of each file.
pub(crate) fn files(setup: &Setup, addresses: &Addresses) -> Vec<(&'static str, String)> {
    vec![
        ("prometheus.yml", members(setup, addresses)),
        ("rules.yml", rules()),
        ("remote.yml", REMOTE.to_owned()),
        ("alertmanager.yml", alertmanager(addresses)),
    ]
}

/// Takes late samples: what a new writer sends may be older than what the last one has sent.
const REMOTE: &str = "\
storage:
  tsdb:
    out_of_order_time_window: 1h
";

/// The one file of all members.
fn members(setup: &Setup, addresses: &Addresses) -> String {
    let alertmanagers: Vec<&str> =
        addresses.alertmanagers.iter().map(|alertmanager| alertmanager.web.as_str()).collect();
    let mut text = format!(
        "\
global:
  scrape_interval: 1s
  scrape_timeout: 900ms
  evaluation_interval: 1s
  external_labels:
    cluster: drill
rule_files: [rules.yml]
alerting:
  alertmanagers:
    - static_configs:
        - targets: {alertmanagers:?}
scrape_configs:
  - job_name: drill
    static_configs:
"
    );
    for (index, target) in addresses.targets.iter().enumerate() {
        writeln!(text, "      - targets: [{target:?}]\n        labels: {{target: \"{index}\"}}")
            .expect("strings grow");
    }
    if setup.remote != Remote::None {
        write!(
            text,
            "\
remote_write:
  - url: http://{}/api/v1/write
    remote_timeout: 5s
    queue_config:
      batch_send_deadline: 200ms
      max_backoff: 500ms
    metadata_config:
      send: false
",
            addresses.remote_known
        )
        .expect("strings grow");
    }
    text
}

fn rules() -> String {
    format!(
        "\
groups:
  - name: drill
    rules:
      - record: {RECORDED}
        expr: sum by (target) ({METRIC})
      - alert: DrillPulse
        expr: {PULSE} == 1
"
    )
}

fn alertmanager(addresses: &Addresses) -> String {
    format!(
        "\
route:
  receiver: webhook
  group_by: ['...']
  group_wait: 500ms
  group_interval: 1s
  repeat_interval: 4h
receivers:
  - name: webhook
    webhook_configs:
      - url: http://{}/
        send_resolved: true
",
        addresses.webhook
    )
}
