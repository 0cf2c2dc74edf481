//! Upstream's tools against us, ours against upstream, and alerts across both.

mod amtool;

use std::time::Duration;

use acceptance::{Answer, get, program, query_result, run, vesta, wait_for};

use crate::bed::{Bed, Running, scrape_config};

/// Runs a tool that must succeed; gives what it prints.
fn output(program: &std::path::Path, args: &[&str]) -> String {
    let output = run(program, args);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{} {args:?}: {}\n{text}{errors}",
        program.display(),
        output.status
    );
    text
}

#[test]
fn promtool_of_upstream_queries_vesta_and_ours_does_the_same() {
    let bed = Bed::new();
    let host = bed.host();
    let server = bed.vesta_server("ours", &scrape_config("node", &[host.port]));
    wait_for("a scrape", Duration::from_secs(30), || {
        (!query_result(server.port, "up == 1").is_empty()).then_some(())
    });
    let url = format!("http://127.0.0.1:{}", server.port);
    let check = |promtool: &std::path::Path, command: &[&str]| {
        let run = |args: &[&str]| output(promtool, &[command, args].concat());
        let instant = run(&["query", "instant", &url, "up"]);
        assert!(instant.contains("job=\"node\"") && instant.contains("=> 1 @["), "{instant}");
        let range = run(&["query", "range", "--step=1s", &url, "up"]);
        assert!(range.contains("1 @["), "{range}");
        let series = run(&["query", "series", "--match=up", &url]);
        assert!(series.contains("__name__=\"up\""), "{series}");
        let labels = run(&["query", "labels", &url, "job"]);
        assert_eq!(labels.trim(), "node");
    };
    check(&vesta(), &["promtool"]);
    match program("promtool") {
        Some(promtool) => check(&promtool, &[]),
        None => acceptance::skip("upstream's promtool queries us", "promtool"),
    }
}

#[test]
fn amtool_of_upstream_drives_vesta_and_ours_does_the_same() {
    let bed = Bed::new();
    let alertmanager =
        bed.vesta_alertmanager("ours", "route: {receiver: none}\nreceivers: [{name: none}]\n");
    let url = format!("--alertmanager.url=http://127.0.0.1:{}", alertmanager.port);
    let check = |amtool: &std::path::Path, command: &[&str], name: &str| {
        let run = |args: &[&str]| output(amtool, &[command, &[url.as_str()], args].concat());
        run(&["alert", "add", name, "severity=page", "--annotation=summary=it burns"]);
        let alerts = run(&["alert", "query", name]);
        assert!(alerts.contains(name) && alerts.contains("it burns"), "{alerts}");
        let id =
            run(&["silence", "add", "--author=me", "--comment=work", &format!("alertname={name}")]);
        assert!(run(&["silence", "query"]).contains(id.trim()), "the silence is listed");
        run(&["silence", "expire", id.trim()]);
        assert!(!run(&["silence", "query"]).contains(id.trim()), "the silence has ended");
    };
    check(&vesta(), &["amtool"], "OurTool");
    match program("amtool") {
        Some(amtool) => check(&amtool, &[], "TheirTool"),
        None => acceptance::skip("upstream's amtool drives us", "amtool"),
    }
}

const RULES: &str =
    "groups: [{name: g, rules: [{alert: Fires, expr: 'vector(1)', labels: {severity: page}}]}]\n";

fn alerting_config(alertmanager: &Running) -> String {
    format!(
        "global: {{evaluation_interval: 1s}}\nrule_files: [rules.yml]\nalerting:\n  alertmanagers:\n\
         \x20   - static_configs: [{{targets: [\"127.0.0.1:{}\"]}}]\n",
        alertmanager.port
    )
}

fn wait_for_alert(alertmanager: &Running) {
    // Upstream drops what it raises before its discovery has settled, and repeats it a minute later.
    wait_for("the alert at the Alertmanager", Duration::from_secs(90), || {
        let alerts: Answer = get(alertmanager.port, "/api/v2/alerts")?;
        alerts.body.contains("\"alertname\":\"Fires\"").then_some(())
    });
}

#[test]
fn alerts_travel_from_ours_to_theirs_and_from_theirs_to_ours() {
    let bed = Bed::new();
    bed.write("rules.yml", RULES);
    let webhook = bed.webhook();
    let routes = format!(
        "route: {{receiver: hook, group_wait: 1s, group_interval: 1s}}\n\
         receivers: [{{name: hook, webhook_configs: [{{url: 'http://127.0.0.1:{}/'}}]}}]\n",
        webhook.port
    );
    let our_alertmanager = bed.vesta_alertmanager("our-am", &routes);
    let ours_to_ours = bed.vesta_server("ours-to-ours", &alerting_config(&our_alertmanager));
    wait_for_alert(&our_alertmanager);
    wait_for("the notification", Duration::from_secs(30), || {
        webhook.process.output().contains("\"alertname\":\"Fires\"").then_some(())
    });
    drop(ours_to_ours);

    let their_alertmanager = bed.upstream_alertmanager("their-am", &routes);
    let Some(their_alertmanager) = their_alertmanager else {
        return acceptance::skip("alerts to upstream", "prometheus-alertmanager");
    };
    let _ours_to_theirs = bed.vesta_server("ours-to-theirs", &alerting_config(&their_alertmanager));
    wait_for_alert(&their_alertmanager);

    let second = bed.vesta_alertmanager("our-second-am", &routes);
    let Some(_theirs_to_ours) = bed.prometheus("theirs-to-ours", &alerting_config(&second)) else {
        return acceptance::skip("alerts from upstream", "prometheus");
    };
    wait_for_alert(&second);
}
