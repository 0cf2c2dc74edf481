//! `/api/vesta/v1/notifications` and `/receivers`: what has been told lately, and how it went last.
//! Upstream has nothing like it.

use std::sync::Arc;

use ::alertmanager::{
    Time,
    history::{HistoryFilter, Outcome, Told},
    integration::Reason,
    nflog::ReceiverKey,
};
use axum::{extract::State, http::StatusCode};

use super::{
    Api, alerts,
    query::Query,
    respond::{Error, Result, json},
};
use crate::json::Json;

pub(super) async fn list(State(api): State<Arc<Api>>, query: Query) -> Result {
    let since = query.last("since").map(|text| {
        Time::parse(text).ok_or_else(|| Error::bad_request("since must be a time in RFC 3339"))
    });
    let limit = query.last("limit").map(|text| {
        text.parse().map_err(|_| Error::bad_request("limit must be a number that is not negative"))
    });
    let filter = HistoryFilter {
        receiver: alerts::receiver_filter(&query)?,
        since: since.transpose()?,
        limit: limit.transpose()?,
    };
    // The list is short.
    let told = api.alertmanager.history(&filter);
    Ok(json(StatusCode::OK, |json| json.array(&told, write_told)))
}

/// All receivers with their integrations, each with what it was told last.
pub(super) async fn receivers(State(api): State<Arc<Api>>) -> Result {
    let told = api.alertmanager.history(&HistoryFilter::default());
    let integrations = api.alertmanager.integrations();
    let receivers = api.alertmanager.receivers(&[]);
    Ok(json(StatusCode::OK, |json| {
        json.array(&receivers, |json, receiver| {
            let of_receiver = |key: &&ReceiverKey| key.group_name == receiver.name;
            let latest = |key: &ReceiverKey| told.iter().find(|told| told.receiver == *key);
            json.object(|object| {
                object.string("name", &receiver.name);
                let keys = integrations.iter().filter(of_receiver);
                object.key("integrations").array(keys, |json, key| {
                    json.object(|object| {
                        object.string("integration", &key.integration);
                        object.key("index").int(key.idx);
                        if let Some(told) = latest(key) {
                            write_told(object.key("last"), told);
                        }
                    });
                });
            });
        });
    }))
}

fn write_told(json: &mut Json, told: &Told) {
    json.object(|object| {
        object.string("time", &told.at.to_rfc3339_millis());
        object.string("outcome", told.outcome.as_str());
        if let Outcome::Failed(error) = &told.outcome {
            object.string("error", error);
        }
        object.string("receiver", &told.receiver.group_name);
        object.string("integration", &told.receiver.integration);
        object.key("index").int(told.receiver.idx);
        object.string("groupKey", &told.group_key);
        object.key("groupLabels").labels(&told.group_labels);
        if told.reason != Reason::Unknown {
            object.string("reason", told.reason.as_str());
        }
        object.key("firing").int(told.n_firing);
        object.key("resolved").int(told.n_resolved);
        object.key("attempts").int(told.n_attempts);
        object.key("seconds").seconds(told.took);
    });
}
