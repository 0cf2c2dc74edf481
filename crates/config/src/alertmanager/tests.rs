mod tables;

use alertmanager::matcher::Mode;

use super::{Features, parse};

/// The effective configuration, or why there is none.
fn effective(text: &str) -> String {
    match parse(text, Mode::Fallback) {
        Ok(config) => config.to_yaml(),
        Err(error) => format!("error: {error}"),
    }
}

fn check(text: &str, expected: &str) {
    assert_eq!(effective(text).trim(), expected.trim(), "{text}");
}

#[test]
fn small_file_prints_what_takes_effect() {
    check(
        "
route:
  receiver: hook
  group_by: [a]
  routes:
  - matchers: ['b=c,d=~\"e|f\"', a!=x]
    match_re: {g: h.*}
    mute_time_intervals: [night]
receivers:
- name: hook
  webhook_configs: [{url: 'http://u:secret@h/'}]
time_intervals:
- name: night
  time_intervals: [{times: [{start_time: '00:00', end_time: '06:00'}], weekdays: [monday:friday], months: [january]}]
",
        "
global:
  resolve_timeout: 5m
  http_config:
    follow_redirects: true
    enable_http2: true
  smtp_hello: localhost
  smtp_require_tls: true
  smtp_tls_config:
    insecure_skip_verify: false
  slack_app_url: https://slack.com/api/chat.postMessage
  pagerduty_url: https://events.pagerduty.com/v2/enqueue
  opsgenie_api_url: https://api.opsgenie.com/
  wechat_api_url: https://qyapi.weixin.qq.com/cgi-bin/
  victorops_api_url: https://alert.victorops.com/integrations/generic/20131114/alert/
  telegram_api_url: https://api.telegram.org
  webex_api_url: https://webexapis.com/v1/messages
  rocketchat_api_url: https://open.rocket.chat/
route:
  receiver: hook
  group_by:
  - a
  continue: false
  routes:
  - match_re:
      g: h.*
    matchers:
    - a!=\"x\"
    - b=\"c\"
    - d=~\"e|f\"
    mute_time_intervals:
    - night
    continue: false
receivers:
- name: hook
  labels:
    name: hook
  webhook_configs:
  - send_resolved: true
    http_config:
      follow_redirects: true
      enable_http2: true
    url: <secret>
    url_file: \"\"
    max_alerts: 0
    timeout: 0s
templates: []
time_intervals:
- name: night
  time_intervals:
  - times:
    - start_time: \"00:00\"
      end_time: \"06:00\"
    weekdays: ['monday:friday']
    months: [\"1\"]
",
    );
}

#[test]
fn mistakes_name_line_and_key() {
    check(
        "route:\n  receiver: x\n  group_wait: soon\n",
        "error: not a valid duration string: \"soon\" (line 3)",
    );
    check(
        "route:\n  receiver: x\n  group_intervall: 5m\nreceivers:\n- name: x\n  slack_config: []\n",
        "
error: yaml: unmarshal errors:
  line 3: field group_intervall not found in type config.plain (column 3, allowed: active_time_intervals, continue, group_by, group_interval, group_wait, labels, match, match_re, matchers, mute_time_intervals, receiver, repeat_interval, routes)
  line 6: field slack_config not found in type config.plain (column 3, allowed: discord_configs, email_configs, incidentio_configs, jira_configs, labels, mattermost_configs, msteams_configs, msteamsv2_configs, name, opsgenie_configs, pagerduty_configs, pushover_configs, rocketchat_configs, slack_configs, sns_configs, telegram_configs, victorops_configs, webex_configs, webhook_configs, wechat_configs)
",
    );
    check(
        "route:\n  receiver: x\n  routes:\n  - receiver: y\nreceivers: [{name: x}]\n",
        "error: undefined receiver \"y\" used in route (line 4)",
    );
    check(
        "route:\n  receiver: x\n  routes:\n  - matchers:\n    - a=b\n    - '='\nreceivers: [{name: x}]\n",
        "error: bad matcher format: = (line 6)",
    );
    check(
        "route:\n  receiver: x\nreceivers:\n- name: x\n  webhook_configs:\n  - url: 'http://user:hunter2@/'\n",
        "error: invalid URL: missing host for URL (line 6)",
    );
}

#[test]
fn sections_without_code_are_said_aloud() {
    let text = "
route: {receiver: x}
receivers: [{name: x, sns_configs: [{topic_arn: t}]}]
event_recorder: {kafka_outputs: [{topic: t}]}
";
    let config = parse(text, Mode::Fallback).unwrap();
    assert_eq!(config.warnings, ["event_recorder: kafka_outputs are not supported"]);
}

#[test]
fn features_choose_the_mode() {
    let mode = |list: &str| Features::parse(list).map(|features| features.mode);
    assert_eq!(mode(""), Ok(Mode::Fallback));
    assert_eq!(mode("classic-mode,alert-names-in-metrics"), Ok(Mode::Classic));
    assert_eq!(mode("utf8-strict-mode"), Ok(Mode::Utf8Strict));
    assert!(mode("utf8-strict-mode,classic-mode").is_err());
}
