use alertmanager::{
    matcher::{self, Matcher},
    time::Time,
};
use model::MatchKind;
use receivers::{to_go_json, values::GoDuration};

use crate::{
    Outcome, World,
    api::{self, Api, Endpoint, Silence},
    arguments::{Global, Output, SilenceQuery},
    labels::with_alertname,
    show::date,
    table::{row, table},
};

const GET: Endpoint = Endpoint {
    path: "/silences",
    failures: &[(400, "getSilencesBadRequest"), (500, "getSilencesInternalServerError")],
};

pub(crate) async fn query(
    global: &Global,
    world: &World,
    query: SilenceQuery,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let matchers = with_alertname(global.mode, query.matchers.clone());
    let parameters: Vec<(&str, &str)> =
        matchers.iter().map(|matcher| ("filter", matcher.as_str())).collect();
    let api = Api::new(global, world, outcome).await?;
    let mut silences: Vec<Silence> = api.get(&GET, "/silences", &parameters).await?;
    let now = Time::now(&*world.runtime.clock);
    silences.retain(|silence| is_wanted(silence, &query, now));
    if query.quiet {
        outcome.stdout.extend(silences.iter().map(|silence| format!("{}\n", silence.id)));
        return Ok(());
    }
    print(silences, global, outcome)
}

fn is_wanted(silence: &Silence, query: &SilenceQuery, now: Time) -> bool {
    let Some(end) = Time::parse(&silence.ends_at) else { return false };
    let GoDuration(within) = query.within;
    let is_right_time = match query.expired {
        true => end <= now && (within.is_zero() || end >= now - within),
        false => end >= now && (within.is_zero() || end <= now + within),
    };
    is_right_time
        && (query.created_by.is_empty() || query.created_by == silence.created_by)
        && (query.id.is_empty() || query.id == silence.id)
}

pub(super) fn print(
    mut silences: Vec<Silence>,
    global: &Global,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    if global.output == Output::Json {
        outcome.stdout.push_str(&to_go_json(&silences));
        return Ok(());
    }
    silences.sort_by_key(|silence| Time::parse(&silence.ends_at));
    let rows = match global.output {
        Output::Extended => extended(&silences, global)?,
        _ => simple(&silences, global)?,
    };
    outcome.stdout.push_str(&table(&rows));
    Ok(())
}

fn simple(silences: &[Silence], global: &Global) -> anyhow::Result<Vec<Vec<String>>> {
    let header: [&dyn std::fmt::Display; 5] =
        [&"ID", &"Matchers", &"Ends At", &"Created By", &"Comment"];
    let mut rows = vec![row(header)];
    for silence in silences {
        let matchers: Vec<String> =
            parse(&silence.matchers)?.iter().map(Matcher::to_string).collect();
        rows.push(row([
            &silence.id,
            &matchers.join(" "),
            &date(&silence.ends_at, global),
            &silence.created_by,
            &silence.comment,
        ]));
    }
    Ok(rows)
}

fn extended(silences: &[Silence], global: &Global) -> anyhow::Result<Vec<Vec<String>>> {
    let header: [&dyn std::fmt::Display; 7] =
        [&"ID", &"Matchers", &"Starts At", &"Ends At", &"Updated At", &"Created By", &"Comment"];
    let mut rows = vec![row(header)];
    for silence in silences {
        rows.push(row([
            &silence.id,
            &matcher::print(&parse(&silence.matchers)?),
            &date(&silence.starts_at, global),
            &date(&silence.ends_at, global),
            &date(&silence.updated_at, global),
            &silence.created_by,
            &silence.comment,
        ]));
    }
    Ok(rows)
}

fn parse(matchers: &[api::Matcher]) -> anyhow::Result<Vec<Matcher>> {
    let one = |matcher: &api::Matcher| {
        let kind = match (matcher.is_regex, matcher.is_equal) {
            (false, true) => MatchKind::Equal,
            (false, false) => MatchKind::NotEqual,
            (true, true) => MatchKind::Regex,
            (true, false) => MatchKind::NotRegex,
        };
        Matcher::new(kind, &matcher.name, &matcher.value)
    };
    Ok(matchers.iter().map(one).collect::<Result<_, _>>()?)
}
