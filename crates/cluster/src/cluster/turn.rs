//! A turn of a target, from the side of whoever waits for it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::shared::Shared;
use crate::{
    core::Input,
    frame::{self, SlotId},
    payload,
};

/// As many as a turn can have: that it fetches, that it is done, or neither.
const EVENTS_MAX: usize = 4;

/// What a target answered, or that it did not. What the bytes mean is not known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether another member may try whether it gets a better one.
    pub has_failed: bool,
    pub bytes: Bytes,
}

pub(super) enum TurnEvent {
    Fetch,
    Done(frame::Shared),
    Unshared,
    LeftOut,
}

/// Tells the others when nobody waits any more.
struct Waiting<'a> {
    shared: &'a Arc<Shared>,
    id: SlotId,
    is_over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.turns.remove(&self.id);
        if !self.is_over {
            self.shared.handle_in(&mut state, Input::Abandoned(self.id));
        }
    }
}

pub(super) async fn take<F>(
    shared: &Arc<Shared>,
    key: u64,
    slot: i64,
    limit: Duration,
    fetch: impl FnOnce() -> F,
) -> Option<Outcome>
where
    F: Future<Output = Outcome>,
{
    let id = SlotId { key, slot };
    let (sender, mut events) = mpsc::channel(EVENTS_MAX);
    if !begin(shared, id, limit, sender) {
        // Two that are told apart only by us: each does its own.
        shared.metrics.turns_unshared.increment();
        return Some(fetch().await);
    }
    let mut waiting = Waiting { shared, id, is_over: false };
    let mut fetch = Some(fetch);
    let mut own: Option<Outcome> = None;
    let event = loop {
        let event = events.recv().await;
        let Some(TurnEvent::Fetch) = event else { break event };
        let Some(fetch) = fetch.take() else { continue };
        // Somebody else's outcome may come first.
        let outcome = tokio::select! {
            biased;
            event = events.recv() => break event,
            outcome = fetch() => outcome,
        };
        let Some(offered) = offer(shared, &outcome) else {
            // The others learn, as we leave, that they have to ask for themselves.
            shared.metrics.turns_unshared.increment();
            return Some(outcome);
        };
        own = Some(outcome);
        shared.handle(Input::Fetched { id, shared: offered });
    };
    waiting.is_over = matches!(event, Some(TurnEvent::Done(_)));
    drop(waiting);
    finish(shared, event, own, fetch).await
}

/// False if there is a turn for this slot already.
fn begin(shared: &Shared, id: SlotId, limit: Duration, sender: mpsc::Sender<TurnEvent>) -> bool {
    let mut state = shared.state.lock();
    if state.turns.contains_key(&id) {
        return false;
    }
    state.turns.insert(id, sender);
    shared.handle_in(&mut state, Input::Turn { id, limit });
    true
}

/// The outcome as others get it; nothing if it is too long.
fn offer(shared: &Shared, outcome: &Outcome) -> Option<frame::Shared> {
    let is_alone = shared.state.lock().core.sharing().is_alone();
    let payload = match is_alone {
        true => frame::Payload { bytes: outcome.bytes.clone(), unpacked_len: None },
        false => payload::pack(&outcome.bytes)?,
    };
    Some(frame::Shared { by: shared.options.id, has_failed: outcome.has_failed, payload })
}

async fn finish<F>(
    shared: &Shared,
    event: Option<TurnEvent>,
    own: Option<Outcome>,
    fetch: Option<impl FnOnce() -> F>,
) -> Option<Outcome>
where
    F: Future<Output = Outcome>,
{
    if let Some(TurnEvent::LeftOut) = event {
        shared.metrics.turns_left_out.increment();
        return None;
    }
    if let Some(TurnEvent::Done(decided)) = event {
        if decided.by == shared.options.id && own.is_some() {
            shared.metrics.turns_own.increment();
            return own;
        }
        if let Some(bytes) = payload::unpack(&decided.payload) {
            shared.metrics.turns_taken.increment();
            return Some(Outcome { has_failed: decided.has_failed, bytes });
        }
        tracing::warn!(component = "cluster", member = %decided.by, "An outcome cannot be unpacked");
    }
    // Nobody can share it, or we are about to stop.
    shared.metrics.turns_unshared.increment();
    match (own, fetch) {
        (Some(own), _) => Some(own),
        (None, Some(fetch)) => Some(fetch().await),
        (None, None) => None,
    }
}
