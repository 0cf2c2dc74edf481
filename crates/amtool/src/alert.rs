//! `alert query` and `alert add`.

use alertmanager::time::Time;

use receivers::to_go_json;

use crate::{
    Outcome, World,
    api::{Alert, Api, Endpoint, PostableAlert},
    arguments::{AlertAdd, AlertQuery, Global, Output},
    labels::{parse_labels, with_alertname},
    show::{date, parse_time},
    table::{row, table},
};

const GET: Endpoint = Endpoint {
    path: "/alerts",
    failures: &[(400, "getAlertsBadRequest"), (500, "getAlertsInternalServerError")],
};

const POST: Endpoint = Endpoint {
    path: "/alerts",
    failures: &[(400, "postAlertsBadRequest"), (500, "postAlertsInternalServerError")],
};

pub(crate) async fn query(
    global: &Global,
    world: &World,
    query: AlertQuery,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let matchers = with_alertname(global.mode, query.matchers);
    let no_state = !query.silenced && !query.inhibited && !query.active && !query.unprocessed;
    let yes_no = |value: bool| if value { "true" } else { "false" };
    let mut parameters = vec![("active", yes_no(query.active || no_state))];
    parameters.extend(matchers.iter().map(|matcher| ("filter", matcher.as_str())));
    parameters.push(("inhibited", yes_no(query.inhibited)));
    if !query.receiver.is_empty() {
        parameters.push(("receiver", &query.receiver));
    }
    parameters.push(("silenced", yes_no(query.silenced)));
    parameters.push(("unprocessed", yes_no(query.unprocessed)));
    let api = Api::new(global, world, outcome).await?;
    let mut alerts: Vec<Alert> = api.get(&GET, "/alerts", &parameters).await?;
    if global.output == Output::Json {
        outcome.stdout.push_str(&to_go_json(&alerts));
        return Ok(());
    }
    alerts.sort_by_key(|alert| Time::parse(&alert.starts_at));
    let rows = match global.output {
        Output::Extended => extended(&alerts, global),
        _ => simple(&alerts, global),
    };
    outcome.stdout.push_str(&table(&rows));
    Ok(())
}

fn simple(alerts: &[Alert], global: &Global) -> Vec<Vec<String>> {
    let mut rows = vec![row([&"Alertname", &"Starts At", &"Summary", &"State"])];
    let value = |map: &std::collections::BTreeMap<String, String>, name: &str| {
        map.get(name).cloned().unwrap_or_default()
    };
    rows.extend(alerts.iter().map(|alert| {
        row([
            &value(&alert.labels, "alertname"),
            &date(&alert.starts_at, global),
            &value(&alert.annotations, "summary"),
            &alert.status.state,
        ])
    }));
    rows
}

fn extended(alerts: &[Alert], global: &Global) -> Vec<Vec<String>> {
    let header: [&dyn std::fmt::Display; 6] =
        [&"Labels", &"Annotations", &"Starts At", &"Ends At", &"Generator URL", &"State"];
    let mut rows = vec![row(header)];
    let pairs = |map: &std::collections::BTreeMap<String, String>| {
        let pairs: Vec<String> =
            map.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        pairs.join(" ")
    };
    rows.extend(alerts.iter().map(|alert| {
        row([
            &pairs(&alert.labels),
            &pairs(&alert.annotations),
            &date(&alert.starts_at, global),
            &date(&alert.ends_at, global),
            &alert.generator_url,
            &alert.status.state,
        ])
    }));
    rows
}

pub(crate) async fn add(
    global: &Global,
    world: &World,
    add: AlertAdd,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    const COMPLAINT: &str = "labels must be specified as key=value pairs";
    let labels = with_alertname(global.mode, add.labels);
    let alert = PostableAlert {
        labels: parse_labels(global.mode, &labels, COMPLAINT)?,
        annotations: parse_labels(global.mode, &add.annotation, COMPLAINT)?,
        starts_at: optional_time(&add.start)?,
        ends_at: optional_time(&add.end)?,
        generator_url: add.generator_url,
    };
    let api = Api::new(global, world, outcome).await?;
    api.post(&POST, "/alerts", &[alert]).await
}

fn optional_time(text: &str) -> anyhow::Result<String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    Ok(parse_time(text)?.to_rfc3339_millis())
}
