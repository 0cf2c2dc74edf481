//! From a flush to notifications: what is muted, what was said already, and sending the rest.
//!
//! `settle → inhibit → active → mute → silence`, and for each integration
//! `wait → dedup → claim → retry → log`, all at once.

mod context;
mod dedup;
mod retry;
#[cfg(test)]
mod tests;
mod turn;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::task::JoinSet;

use crate::{
    alert::{self, Alert},
    dispatch::Flush,
    integration::{Notification, Reason, Store},
    interval,
    shared::{Generation, Shared},
    template::{Data, render_route_labels},
    time::Time,
};

use context::Context;
use turn::Turn;

/// Alerts that are compared with silences and rules before lock and thread are let go for others.
const MUTE_BATCH: usize = 256;

/// Groups with more alerts are sorted off the async threads.
const SORT_MAX: usize = 1000;

/// Why a flush is not done.
#[derive(Debug)]
enum Unfinished {
    Failed(String),
    /// It is told later, if it is still true then.
    Postponed,
}

/// Handles a flush, and those of its group that had to wait for it.
pub(crate) async fn run(shared: Arc<Shared>, generation: Arc<Generation>, mut flush: Flush) {
    loop {
        let Some(prepared) = prepare(flush).await else { return };
        flush = prepared;
        let wait = wait_for_peers(&shared);
        let context = Context {
            clock: shared.runtime.clock.clone(),
            route: flush.route.clone(),
            deadline: shared.now().monotonic + flush.time_limit() + wait,
            stop: generation.stop.clone(),
        };
        let outcome = notify(&shared, &generation, &context, &flush).await;
        if let Err(error) = &outcome {
            let alerts = alert::summarize(flush.alerts.iter().map(|(_, alert)| &**alert));
            let group_key = &*flush.key;
            match error {
                Unfinished::Failed(error) if !context.is_canceled() => {
                    tracing::error!(group_key, alerts, err = error, "Notify for alerts failed");
                }
                error => {
                    tracing::debug!(group_key, alerts, err = ?error, "Notify for alerts failed");
                }
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
) -> Result<(), Unfinished> {
    context.run(shared.cluster.settled()).await?;
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
            Turn::new(&shared, &context, &*integration, &notification).take().await
        });
    }
    let mut errors = Vec::new();
    let mut is_postponed = false;
    while let Some(outcome) = tasks.join_next().await {
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(Unfinished::Postponed)) => is_postponed = true,
            Ok(Err(Unfinished::Failed(error))) => errors.push(error),
            Err(error) => errors.push(format!("{name}: notification panicked: {error}")),
        }
    }
    match (errors.is_empty(), is_postponed) {
        (true, false) => Ok(()),
        (true, true) => Err(Unfinished::Postponed),
        (false, _) => Err(Unfinished::Failed(errors.join("\n"))),
    }
}

impl From<String> for Unfinished {
    fn from(error: String) -> Unfinished {
        Unfinished::Failed(error)
    }
}

impl From<context::Ended> for Unfinished {
    fn from(ended: context::Ended) -> Unfinished {
        Unfinished::Failed(ended.to_string())
    }
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

/// Also what the API shows: the labels of a route, rendered for a group.
pub(crate) fn route_labels(
    generation: &Generation,
    labels: &BTreeMap<String, String>,
    data: &Data,
) -> BTreeMap<String, String> {
    render_route_labels(&generation.template, labels, data)
}
