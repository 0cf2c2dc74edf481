//! `/silences` and `/silence/<id>`.

use std::sync::Arc;

use ::alertmanager::{
    silence::{ErrorKind, Pattern, State as SilenceState},
    time::Time,
    view::SilenceView,
};
use axum::{
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse as _,
};
use model::MatchKind;
use tracing::error;

use super::{
    Api, blocking, body,
    query::Query,
    respond::{Error, Result, json},
};
use crate::json::{Json, Object};

const STATES: [SilenceState; 3] =
    [SilenceState::Active, SilenceState::Pending, SilenceState::Expired];

pub(super) async fn list(State(api): State<Arc<Api>>, query: Query) -> Result {
    let matchers = query.matchers("filter", api.mode)?;
    let states: Vec<SilenceState> =
        STATES.into_iter().filter(|state| query.flag(state.as_str())).collect();
    blocking(move || {
        let silences = match states.is_empty() {
            true => Vec::new(),
            false => api.alertmanager.silences(&states, &matchers),
        };
        silences.iter().try_for_each(check_sayable)?;
        Ok(json(StatusCode::OK, |json| json.array(&silences, write_silence)))
    })
    .await?
}

pub(super) async fn get(State(api): State<Arc<Api>>, Path(id): Path<String>) -> Result {
    check_id(&id)?;
    let silence = api.alertmanager.silence(&id).ok_or(Error::Silent(StatusCode::NOT_FOUND))?;
    check_sayable(&silence)?;
    Ok(json(StatusCode::OK, |json| write_silence(json, &silence)))
}

pub(super) async fn delete(State(api): State<Arc<Api>>, Path(id): Path<String>) -> Result {
    check_id(&id)?;
    match api.alertmanager.expire_silence(&id) {
        Ok(()) => Ok(StatusCode::OK.into_response()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(Error::Silent(StatusCode::NOT_FOUND))
        }
        Err(error) => Err(Error::internal(error.to_string())),
    }
}

pub(super) async fn post(State(api): State<Arc<Api>>, body: Bytes) -> Result {
    let silence = body::silence(&body)?;
    let complaint = if silence.starts_at >= silence.ends_at {
        Some("start time must be before end time")
    } else if silence.ends_at < Some(api.alertmanager.now()) {
        Some("end time can't be in the past")
    } else {
        None
    };
    if let Some(complaint) = complaint {
        return Err(Error::bad_request(format!("Failed to create silence: {complaint}")));
    }
    let id = api.alertmanager.set_silence(silence).map_err(|error| {
        error!(%error, "Failed to create silence");
        match error.kind() {
            ErrorKind::NotFound => Error::Said(StatusCode::NOT_FOUND, error.to_string()),
            ErrorKind::Invalid => Error::bad_request(error.to_string()),
        }
    })?;
    Ok(json(StatusCode::OK, |json| json.object(|object| object.key("silenceID").label_text(&id))))
}

/// 32 hex digits, with a dash or none between the five groups.
fn check_id(id: &str) -> Result<()> {
    let digits = [8, 4, 4, 4, 12];
    let mut rest = id.as_bytes();
    let mut is_uuid = true;
    for (idx, n_digits) in digits.into_iter().enumerate() {
        if idx > 0 {
            rest = rest.strip_prefix(b"-").unwrap_or(rest);
        }
        match rest.split_at_checked(n_digits) {
            Some((group, after)) if group.iter().all(u8::is_ascii_hexdigit) => rest = after,
            _ => is_uuid = false,
        }
    }
    if is_uuid && rest.is_empty() {
        return Ok(());
    }
    let id = model::labels::quote(id);
    Err(Error::invalid(601, format!("silenceID in path must be of type uuid: {id}")))
}

/// This version of the API cannot say all that peers may send.
fn check_sayable(view: &SilenceView) -> Result<()> {
    let silence = &view.silence;
    if silence.matcher_sets.len() > 1 {
        return Err(Error::internal(format!(
            "silence '{}' has multiple matcher sets which is not supported by this API version",
            silence.id
        )));
    }
    let unknown = patterns(view).find(|pattern| pattern.kind().is_none());
    match unknown {
        None => Ok(()),
        Some(pattern) => Err(Error::internal(format!(
            "unknown matcher type for matcher '{}' in silence '{}'",
            pattern.name, silence.id
        ))),
    }
}

fn patterns(view: &SilenceView) -> impl Iterator<Item = &Pattern> {
    view.silence.matcher_sets.iter().flatten()
}

fn write_silence(json: &mut Json, view: &SilenceView) {
    let silence = &view.silence;
    json.object(|object| {
        object.string("id", &silence.id);
        object.key("status").object(|status| status.string("state", view.state.as_str()));
        write_time(object, "updatedAt", silence.updated_at);
        if !silence.annotations.is_empty() {
            object.key("annotations").object(|annotations| {
                for (name, value) in &silence.annotations {
                    annotations.string(name, value);
                }
            });
        }
        object.string("comment", &silence.comment);
        object.string("createdBy", &silence.created_by);
        write_time(object, "endsAt", silence.ends_at);
        object.key("matchers").array(patterns(view), write_pattern);
        write_time(object, "startsAt", silence.starts_at);
    });
}

fn write_pattern(json: &mut Json, pattern: &Pattern) {
    let kind = pattern.kind().unwrap_or(MatchKind::Equal);
    json.object(|object| {
        object.key("isEqual").bool(matches!(kind, MatchKind::Equal | MatchKind::Regex));
        object.key("isRegex").bool(matches!(kind, MatchKind::Regex | MatchKind::NotRegex));
        object.string("name", &pattern.name);
        object.string("value", &pattern.pattern);
    });
}

fn write_time(object: &mut Object<'_>, name: &str, time: Option<Time>) {
    // What protobuf leaves out is the epoch.
    object.string(name, &time.unwrap_or(Time::UNIX_EPOCH).to_rfc3339_millis());
}
