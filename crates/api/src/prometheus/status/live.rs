//! `/notifications/live`: notifications as events, as they appear and as they go.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::sync::OwnedSemaphorePermit;

use super::{Notification, write_notification};
use crate::{
    json::Json,
    prometheus::{Api, lifecycle::Phase},
};

/// Notifications change on reload, start and stop: nobody sees a second's delay.
const PAUSE: Duration = Duration::from_secs(1);

/// One page that listens.
struct Listener {
    api: Arc<Api>,
    /// What it was told.
    shown: Vec<Notification>,
    _slot: OwnedSemaphorePermit,
}

pub(in crate::prometheus) async fn live_notifications(State(api): State<Arc<Api>>) -> Response {
    let Ok(slot) = api.listeners.clone().try_acquire_owned() else {
        // Pages take it to mean that they should ask now and then.
        return StatusCode::NO_CONTENT.into_response();
    };
    let listener = Listener { api, shown: Vec::new(), _slot: slot };
    let events = stream::unfold(listener, Listener::next).fuse();
    let headers =
        [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    (headers, Body::from_stream(events)).into_response()
}

impl Listener {
    /// Waits for a change. Ends when the server does, which would otherwise wait for the page.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Listener)> {
        loop {
            let notifications = self.api.status.notifications();
            let events = changes(&self.shown, &notifications);
            if !events.is_empty() {
                self.shown = notifications;
                return Some((Ok(events.into()), self));
            }
            if self.api.readiness.phase() == Phase::Stopping {
                return None;
            }
            self.api.runtime.clock.sleep(PAUSE).await;
        }
    }
}

fn changes(before: &[Notification], after: &[Notification]) -> String {
    let gone = before.iter().filter(|it| !after.contains(it)).map(|it| (it, false));
    let new = after.iter().filter(|it| !before.contains(it)).map(|it| (it, true));
    let event = |(notification, is_active): (&Notification, bool)| {
        let mut json = Json::default();
        write_notification(&mut json, notification, is_active);
        format!("data: {}\n\n", json.finish())
    };
    gone.chain(new).map(event).collect()
}
