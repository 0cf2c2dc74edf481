//! `query …`: what does a server answer?

pub(crate) mod analyze;
mod show;

use std::{io::Write as _, time::Duration};

use model::Timestamp;
use serde_json::Value;

use crate::{
    Exit, World,
    arguments::{Global, Instant, LabelValues, Output, Query, QueryCommand, Range, Series},
    http_client::Server,
    time,
};

/// As far back and ahead as series and labels are looked for, unless told otherwise.
const FAR: Duration = Duration::from_secs(9999 * 3600);
/// As far back as a range query looks, unless told otherwise.
const RANGE: Duration = Duration::from_secs(5 * 60);
/// Without a step a range has about so many.
const STEPS: f64 = 250.0;

type Form = Vec<(&'static str, String)>;

pub(crate) async fn run(global: &Global, world: &mut World, query: Query) -> anyhow::Result<Exit> {
    let url = match &query.command {
        QueryCommand::Instant(instant) => &instant.server,
        QueryCommand::Range(range) => &range.server,
        QueryCommand::Series(series) => &series.server,
        QueryCommand::Labels(labels) => &labels.server,
        QueryCommand::Analyze(analyze) => &analyze.server,
    };
    let server = Server::new(global, world, url, &query.header)?;
    let now = Timestamp::from_millis(world.runtime.clock.now_millis());
    let answer = match &query.command {
        QueryCommand::Instant(query) => instant(&server, query, now).await,
        QueryCommand::Range(query) => match range_form(query, now) {
            Ok(form) => server.ask("/api/v1/query_range", &form).await,
            Err(reason) => {
                writeln!(world.stderr, "{reason}")?;
                return Ok(Exit::Failure);
            }
        },
        QueryCommand::Series(query) => series(&server, query, now).await,
        QueryCommand::Labels(query) => labels(&server, query, now).await,
        QueryCommand::Analyze(query) => return analyze::run(&server, world, query, now).await,
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            writeln!(world.stderr, "query error: {}", crate::explain(&error))?;
            return Ok(Exit::Failure);
        }
    };
    for warning in &answer.warnings {
        writeln!(world.stderr, "query warning: {warning}")?;
    }
    print(world, query.format, &query.command, answer.data)
}

async fn instant(
    server: &Server,
    query: &Instant,
    now: Timestamp,
) -> anyhow::Result<crate::http_client::Answer> {
    let time = time::seconds(query.time.unwrap_or(now));
    let form = vec![("query", query.expr.clone()), ("time", time)];
    server.ask("/api/v1/query", &form).await
}

fn range_form(query: &Range, now: Timestamp) -> Result<Form, &'static str> {
    let end = query.end.unwrap_or(now);
    let start = query.start.unwrap_or(end - RANGE);
    if start >= end {
        return Err("start time is not before end time");
    }
    let step = match query.step {
        Some(step) => step.0.as_secs_f64(),
        None => (end.since(start).as_secs_f64() / STEPS).floor().max(1.0),
    };
    Ok(vec![
        ("query", query.expr.clone()),
        ("start", time::seconds(start)),
        ("end", time::seconds(end)),
        ("step", time::plain(step)),
    ])
}

async fn series(
    server: &Server,
    query: &Series,
    now: Timestamp,
) -> anyhow::Result<crate::http_client::Answer> {
    let form = selection(&query.matches, query.start, query.end, now);
    server.ask("/api/v1/series", &form).await
}

async fn labels(
    server: &Server,
    query: &LabelValues,
    now: Timestamp,
) -> anyhow::Result<crate::http_client::Answer> {
    let form = selection(&query.matches, query.start, query.end, now);
    server.ask_by_get(&format!("/api/v1/label/{}/values", query.name), &form).await
}

fn selection(
    matches: &[String],
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    now: Timestamp,
) -> Form {
    let mut form: Form = matches.iter().map(|selector| ("match[]", selector.clone())).collect();
    form.push(("start", time::seconds(start.unwrap_or(now - FAR))));
    form.push(("end", time::seconds(end.unwrap_or(now + FAR))));
    form
}

fn print(
    world: &mut World,
    format: Output,
    command: &QueryCommand,
    data: Value,
) -> anyhow::Result<Exit> {
    let out = &mut world.stdout;
    let is_query = matches!(command, QueryCommand::Instant(_) | QueryCommand::Range(_));
    match format {
        Output::Json if is_query => writeln!(out, "{}", data["result"])?,
        Output::Json => writeln!(out, "{data}")?,
        Output::Promql if is_query => writeln!(out, "{}", show::result(&data)?)?,
        Output::Promql => {
            for item in data.as_array().into_iter().flatten() {
                writeln!(out, "{}", show::item(item))?;
            }
        }
    }
    Ok(Exit::Success)
}
