//! `silence add`, `query`, `expire`, `update` and `import`.

mod import;
mod query;

use std::time::Duration;

use alertmanager::{matcher::Matcher, time::Time};
use model::MatchKind;

use crate::{
    Outcome, World,
    api::{self, Api, Endpoint, PostableSilence, PostedSilence, Silence},
    arguments::{Global, SilenceAdd, SilenceUpdate},
    labels::{parse_labels, parse_matchers, with_alertname},
    show::parse_time,
};

pub(crate) use import::import;
pub(crate) use query::query;

const POST: Endpoint = Endpoint {
    path: "/silences",
    failures: &[(400, "postSilencesBadRequest"), (404, "postSilencesNotFound")],
};

const GET_ONE: Endpoint = Endpoint {
    path: "/silence/{silenceID}",
    failures: &[(404, "getSilenceNotFound"), (500, "getSilenceInternalServerError")],
};

const DELETE: Endpoint = Endpoint {
    path: "/silence/{silenceID}",
    failures: &[(404, "deleteSilenceNotFound"), (500, "deleteSilenceInternalServerError")],
};

pub(crate) async fn add(
    global: &Global,
    world: &World,
    add: SilenceAdd,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let matchers = parse_matchers(global.mode, &with_alertname(global.mode, add.matchers))?;
    anyhow::ensure!(!matchers.is_empty(), "no matchers specified");
    let starts_at = match add.start.as_str() {
        "" => Time::now(&*world.runtime.clock),
        text => parse_time(text)?,
    };
    let ends_at = match add.end.as_str() {
        "" => starts_at + parse_duration(&add.duration)?,
        text => parse_time(text)?,
    };
    anyhow::ensure!(starts_at <= ends_at, "silence cannot start after it ends");
    anyhow::ensure!(!add.require_comment || !add.comment.is_empty(), "comment required by config");
    let complaint = "annotations must be specified as key=value pairs";
    let silence = PostableSilence {
        id: String::new(),
        annotations: parse_labels(global.mode, &add.annotation, complaint)?,
        comment: add.comment,
        created_by: add.author.unwrap_or_else(|| world.user.clone()),
        ends_at: ends_at.to_rfc3339_millis(),
        matchers: matchers.iter().map(to_api).collect(),
        starts_at: starts_at.to_rfc3339_millis(),
    };
    let api = Api::new(global, world, outcome).await?;
    let posted: PostedSilence = api.post(&POST, "/silences", &silence).await?;
    outcome.stdout.push_str(&format!("{}\n", posted.id));
    Ok(())
}

pub(crate) async fn expire(
    global: &Global,
    world: &World,
    ids: &[String],
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    anyhow::ensure!(!ids.is_empty(), "no silence IDs specified");
    let api = Api::new(global, world, outcome).await?;
    for id in ids {
        api.delete(&DELETE, &format!("/silence/{id}")).await?;
    }
    Ok(())
}

pub(crate) async fn update(
    global: &Global,
    world: &World,
    update: SilenceUpdate,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    anyhow::ensure!(!update.ids.is_empty(), "no silence IDs specified");
    let api = Api::new(global, world, outcome).await?;
    let mut updated = Vec::with_capacity(update.ids.len());
    for id in &update.ids {
        let silence: Silence = api.get(&GET_ONE, &format!("/silence/{id}"), &[]).await?;
        let silence = change(silence, &update)?;
        let postable = to_postable(&silence);
        let posted: PostedSilence = api.post(&POST, "/silences", &postable).await?;
        updated.push(Silence { id: posted.id, ..silence });
    }
    if update.quiet {
        outcome.stdout.extend(updated.iter().map(|silence| format!("{}\n", silence.id)));
        return Ok(());
    }
    query::print(updated, global, outcome)
}

/// The silence with what the flags say; a duration counts from its start.
fn change(mut silence: Silence, update: &SilenceUpdate) -> anyhow::Result<Silence> {
    if !update.start.is_empty() {
        silence.starts_at = parse_time(&update.start)?.to_rfc3339_millis();
    }
    if !update.end.is_empty() {
        silence.ends_at = parse_time(&update.end)?.to_rfc3339_millis();
    } else if !update.duration.is_empty() {
        let ends_at = parse_time(&silence.starts_at)? + parse_duration(&update.duration)?;
        silence.ends_at = ends_at.to_rfc3339_millis();
    }
    let (starts_at, ends_at) = (parse_time(&silence.starts_at)?, parse_time(&silence.ends_at)?);
    anyhow::ensure!(starts_at <= ends_at, "silence cannot start after it ends");
    if !update.comment.is_empty() {
        silence.comment.clone_from(&update.comment);
    }
    Ok(silence)
}

fn to_postable(silence: &Silence) -> PostableSilence {
    PostableSilence {
        id: silence.id.clone(),
        annotations: silence.annotations.clone(),
        comment: silence.comment.clone(),
        created_by: silence.created_by.clone(),
        ends_at: silence.ends_at.clone(),
        matchers: silence.matchers.clone(),
        starts_at: silence.starts_at.clone(),
    }
}

fn parse_duration(text: &str) -> anyhow::Result<Duration> {
    let duration = model::duration::parse(text)?;
    anyhow::ensure!(!duration.is_zero(), "silence duration must be greater than 0");
    Ok(duration)
}

fn to_api(matcher: &Matcher) -> api::Matcher {
    api::Matcher {
        is_equal: matches!(matcher.kind, MatchKind::Equal | MatchKind::Regex),
        is_regex: matches!(matcher.kind, MatchKind::Regex | MatchKind::NotRegex),
        name: matcher.name.clone(),
        value: matcher.value.clone(),
    }
}
