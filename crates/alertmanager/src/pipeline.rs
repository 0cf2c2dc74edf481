//! From a flush to notifications: what is muted, what was said already, and sending the rest.
//!
//! `settle → inhibit → active → mute → silence`, and for each integration
//! `wait → dedup → retry → log`, all at once.

mod context;
mod dedup;
mod retry;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::task::JoinSet;

use crate::{
    alert::{self, Alert},
    cluster::StateKey,
    dispatch::Flush,
    integration::{Integration, Notification, Reason, Store},
    interval,
    nflog::{Entry, ReceiverKey},
    shared::{Generation, Shared},
    template::{Data, render_route_labels},
    time::Time,
};

use context::Context;
use dedup::Hashes;

/// Alerts that are compared with silences and rules before lock and thread are let go for others.
const MUTE_BATCH: usize = 256;

/// Groups with more alerts are sorted off the async threads.
const SORT_MAX: usize = 1000;

/// Handles a flush, and those of its group that had to wait for it.
pub(crate) async fn run(shared: Arc<Shared>, generation: Arc<Generation>, mut flush: Flush) {
    loop {
        let Some(prepared) = prepare(flush).await else { return };
        flush = prepared;
        let wait = wait_for_peers(&shared);
        let context = Context {
            clock: shared.runtime.clock.clone(),
            deadline: shared.now().monotonic + flush.time_limit() + wait,
            stop: generation.stop.clone(),
        };
        let outcome = notify(&shared, &generation, &context, &flush).await;
        if let Err(error) = &outcome {
            let alerts = alert::summarize(flush.alerts.iter().map(|(_, alert)| &**alert));
            let group_key = &*flush.key;
            if context.is_canceled() {
                tracing::debug!(group_key, alerts, err = error, "Notify for alerts failed");
            } else {
                tracing::error!(group_key, alerts, err = error, "Notify for alerts failed");
            }
        }
        let now = shared.now();
        let next = shared.state.lock().dispatcher.as_mut().and_then(|dispatcher| {
            let next = dispatcher.finish(&flush, outcome.is_ok(), now);
            shared.wake.notify_one();
            next
        });
        match next {
            Some(next) if !context.is_canceled() => flush = next,
            _ => return,
        }
    }
}

/// `None` if the process ends.
async fn prepare(mut flush: Flush) -> Option<Flush> {
    if flush.alerts.len() <= SORT_MAX {
        flush.prepare();
        return Some(flush);
    }
    let sort = move || {
        flush.prepare();
        flush
    };
    tokio::task::spawn_blocking(sort).await.ok()
}

/// How long those before us in line get to notify first.
fn wait_for_peers(shared: &Shared) -> Duration {
    let position = u32::try_from(shared.cluster.position()).unwrap_or(u32::MAX);
    shared.options.peer_timeout.saturating_mul(position)
}

async fn notify(
    shared: &Arc<Shared>,
    generation: &Generation,
    context: &Context,
    flush: &Flush,
) -> Result<(), String> {
    context.run(shared.cluster.settled()).await.map_err(|ended| ended.to_string())?;
    let alerts = mute(shared, generation, flush).await?;
    if alerts.is_empty() {
        return Ok(());
    }
    let name = &flush.route.options.receiver;
    let receiver =
        generation.receivers.get(name).ok_or_else(|| format!("no receiver named {name}"))?;
    let mut notification = Notification {
        group_key: flush.key.to_string(),
        group_labels: flush.labels.clone(),
        receiver: name.clone(),
        alerts,
        now: flush.now,
        repeat_interval: flush.route.options.repeat_interval,
        reason: Reason::Unknown,
        route_labels: BTreeMap::new(),
        store: Store::default(),
    };
    if !flush.route.options.labels.is_empty() {
        let data = generation.template.data(&notification);
        notification.route_labels =
            render_route_labels(&generation.template, &flush.route.options.labels, &data);
    }
    // Tasks of their own, so that a panic or a hanging connection of one is not the others'.
    let mut tasks = JoinSet::new();
    let notification = Arc::new(notification);
    for integration in &receiver.integrations {
        let (shared, context) = (shared.clone(), context.clone());
        let (integration, notification) = (integration.clone(), notification.clone());
        tasks.spawn(async move {
            notify_integration(&shared, &context, &*integration, &notification).await
        });
    }
    let mut errors = Vec::new();
    while let Some(outcome) = tasks.join_next().await {
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(error)) => errors.push(error),
            Err(error) => errors.push(format!("{name}: notification panicked: {error}")),
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors.join("\n")) }
}

/// The alerts of a flush that nothing keeps quiet.
async fn mute(
    shared: &Shared,
    generation: &Generation,
    flush: &Flush,
) -> Result<Vec<Arc<Alert>>, String> {
    let options = &flush.route.options;
    let (muted_by, reason) = muted_by_time(
        &generation.time_intervals,
        &options.active_time_intervals,
        &options.mute_time_intervals,
        flush.now,
    )?;
    let is_muted = !muted_by.is_empty();
    let mut passed = Vec::with_capacity(flush.alerts.len());
    let mut n_inhibited = 0;
    let mut n_silenced = 0;
    for batch in flush.alerts.chunks(MUTE_BATCH) {
        let now = shared.now().time;
        let suppressed = shared.state.lock().mute(flush, batch, now, &mut passed);
        n_inhibited += suppressed.by_inhibition;
        n_silenced += suppressed.by_silence;
        tokio::task::yield_now().await;
    }
    {
        let mut state = shared.state.lock();
        let dispatcher = state.dispatcher.as_mut();
        if let Some(group) = dispatcher.and_then(|it| it.group_mut(flush.id)) {
            group.muted_by = muted_by;
        }
    }
    let count = |reason: &str, n: usize| {
        if n > 0 {
            shared.metrics.suppressed.with([reason]).add(n as f64);
        }
    };
    count("inhibition", n_inhibited);
    if is_muted {
        // Silences come after time intervals, so these take the credit for what both keep quiet.
        count(reason, passed.len() + n_silenced);
        tracing::debug!(group_key = &*flush.key, reason, "Notifications not sent, route is muted");
        return Ok(Vec::new());
    }
    count("silence", n_silenced);
    Ok(passed)
}

/// The names of the time intervals that keep a route quiet, and which kind they are.
fn muted_by_time(
    intervals: &interval::TimeIntervals,
    active: &[String],
    mute: &[String],
    now: Time,
) -> Result<(Vec<String>, &'static str), String> {
    let unknown = |name: &str| format!("time interval {name} doesn't exist in config");
    if !active.is_empty()
        && interval::containing(intervals, active, now).map_err(unknown)?.is_empty()
    {
        return Ok((active.to_vec(), "active_time_interval"));
    }
    let muted_by = interval::containing(intervals, mute, now).map_err(unknown)?;
    Ok((muted_by.into_iter().map(str::to_owned).collect(), "mute_time_interval"))
}

/// Tells one integration, unless it has been told, perhaps by another node.
async fn notify_integration(
    shared: &Shared,
    context: &Context,
    integration: &dyn Integration,
    notification: &Notification,
) -> Result<(), String> {
    context.sleep(wait_for_peers(shared)).await.map_err(|ended| ended.to_string())?;
    let key = ReceiverKey {
        group_name: notification.receiver.clone(),
        integration: integration.name().to_owned(),
        idx: integration.idx() as u32,
    };
    let hashes = Hashes::of(notification.alerts.iter().map(|alert| &**alert), notification.now);
    let Some((reason, store)) = deduplicate(shared, &key, integration, notification, &hashes)
    else {
        return Ok(());
    };
    let mut alerts = notification.alerts.clone();
    if !integration.send_resolved() {
        alerts.retain(|alert| !alert.is_resolved_at(notification.now));
    }
    let sent = Notification {
        group_key: notification.group_key.clone(),
        group_labels: notification.group_labels.clone(),
        receiver: notification.receiver.clone(),
        alerts,
        now: notification.now,
        repeat_interval: notification.repeat_interval,
        reason,
        route_labels: notification.route_labels.clone(),
        store,
    };
    let metrics = shared.metrics.notifications.of(integration.name(), &sent.receiver);
    metrics.notifications.increment();
    if !sent.alerts.is_empty() {
        let random = &*shared.runtime.random;
        if let Err(error) = retry::send(context, random, &metrics, integration, &sent).await {
            let failed = &shared.metrics.notifications;
            failed.failed(integration.name(), &sent.receiver, error.reason).increment();
            return Err(error.message);
        }
    }
    write_log(shared, key, &sent, hashes);
    Ok(())
}

/// Why to notify and what the integration remembers; `None` if there is nothing to say.
fn deduplicate(
    shared: &Shared,
    key: &ReceiverKey,
    integration: &dyn Integration,
    notification: &Notification,
    hashes: &Hashes,
) -> Option<(Reason, Store)> {
    let start = shared.runtime.clock.monotonic();
    let state = shared.state.lock();
    let entry = state.log.get(notification.group_key.as_bytes(), key);
    let reason = dedup::reason_to_notify(
        entry,
        hashes,
        integration.send_resolved(),
        notification.repeat_interval,
        notification.now,
    );
    // A new story begins without the memories of the last one.
    let data = match entry {
        Some(entry) if reason != Reason::FirstNotification => entry.receiver_data.clone(),
        _ => BTreeMap::new(),
    };
    drop(state);
    shared.metrics.log.queries.increment();
    let duration = shared.runtime.clock.monotonic() - start;
    shared.metrics.log.query_duration.observe_duration(duration);
    if reason == Reason::None { None } else { Some((reason, Store::new(data))) }
}

/// Notes for us and the other nodes what has been sent.
fn write_log(shared: &Shared, receiver: ReceiverKey, sent: &Notification, hashes: Hashes) {
    let entry = Entry {
        group_key: sent.group_key.clone().into_bytes(),
        receiver,
        firing_alerts: hashes.firing,
        resolved_alerts: hashes.resolved,
        receiver_data: sent.store.snapshot(),
        ..Entry::default()
    };
    let now = shared.now().time;
    let forget_after = Some(sent.repeat_interval * 2);
    let message = shared.state.lock().log.write(entry, forget_after, now);
    if let Some(message) = message {
        shared.cluster.broadcast(StateKey::Log, message);
    }
}

/// Also what the API shows: the labels of a route, rendered for a group.
pub(crate) fn route_labels(
    generation: &Generation,
    labels: &BTreeMap<String, String>,
    data: &Data,
) -> BTreeMap<String, String> {
    render_route_labels(&generation.template, labels, data)
}
