//! `history`: what has been told lately. Upstream has nothing like it.

use receivers::to_go_json;

use crate::{
    Outcome, World,
    api::{Api, Endpoint, Told},
    arguments::{Global, History, Output},
    show::date,
    table::{row, table},
};

const GET: Endpoint =
    Endpoint { path: "/notifications", failures: &[(400, "getNotificationsBadRequest")] };

pub(crate) async fn show(
    global: &Global,
    world: &World,
    history: History,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let limit = history.limit.to_string();
    let mut parameters = vec![("limit", limit.as_str())];
    if !history.receiver.is_empty() {
        parameters.push(("receiver", &history.receiver));
    }
    let api = Api::new(global, world, outcome).await?;
    let told: Vec<Told> = api.get_own(&GET, "/notifications", &parameters).await?;
    let rows = match global.output {
        Output::Json => {
            outcome.stdout.push_str(&to_go_json(&told));
            return Ok(());
        }
        Output::Extended => extended(&told, global),
        Output::Simple => simple(&told, global),
    };
    outcome.stdout.push_str(&table(&rows));
    Ok(())
}

fn simple(told: &[Told], global: &Global) -> Vec<Vec<String>> {
    let mut rows = vec![row([&"Time", &"Receiver", &"Outcome", &"Firing", &"Resolved", &"Group"])];
    rows.extend(told.iter().map(|told| {
        let receiver = receiver(told);
        let time = date(&told.time, global);
        row([&time, &receiver, &told.outcome, &told.firing, &told.resolved, &told.group_key])
    }));
    rows
}

fn extended(told: &[Told], global: &Global) -> Vec<Vec<String>> {
    let header: [&dyn std::fmt::Display; 10] = [
        &"Time",
        &"Receiver",
        &"Outcome",
        &"Reason",
        &"Firing",
        &"Resolved",
        &"Attempts",
        &"Seconds",
        &"Group",
        &"Error",
    ];
    let mut rows = vec![row(header)];
    rows.extend(told.iter().map(|told| {
        let cells: [&dyn std::fmt::Display; 10] = [
            &date(&told.time, global),
            &receiver(told),
            &told.outcome,
            &told.reason,
            &told.firing,
            &told.resolved,
            &told.attempts,
            &told.seconds,
            &told.group_key,
            &told.error,
        ];
        row(cells)
    }));
    rows
}

/// `team/webhook[0]`, as logs name it.
fn receiver(told: &Told) -> String {
    format!("{}/{}[{}]", told.receiver, told.integration, told.index)
}
