use std::time::Duration;

use runtime::Random;

use super::turn::Turn;
use crate::{
    integration::{FailureReason, Notification, NotifyError},
    metrics::IntegrationMetrics,
};

/// Why a notification was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GaveUp {
    pub(super) message: String,
    pub(super) reason: FailureReason,
    pub(super) attempts: u32,
}

/// Pauses between attempts: half a second, then half as long again each time, up to a minute,
/// each up to half shorter or longer.
pub(super) struct Backoff(Duration);

const PAUSE_MAX: Duration = Duration::from_secs(60);

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff(Duration::from_millis(500))
    }
}

impl Backoff {
    pub(super) fn next(&mut self, random: &dyn Random) -> Duration {
        let pause = self.0.mul_f64(0.5 + random.fraction());
        self.0 = self.0.mul_f64(1.5).min(PAUSE_MAX);
        pause
    }
}

/// How a notification got through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    Here {
        attempts: u32,
    },
    /// Another node was faster.
    Elsewhere,
}

/// Tries until it works, makes no sense, or takes too long.
pub(super) async fn send(
    turn: &mut Turn<'_>,
    metrics: &IntegrationMetrics,
    notification: &Notification,
) -> Result<Sent, GaveUp> {
    let (context, integration) = (turn.context, turn.integration);
    let (receiver, name, idx) =
        (notification.receiver.as_str(), integration.name(), integration.idx());
    let random = turn.shared.runtime.random.clone();
    let mut backoff = Backoff::default();
    let mut last_error: Option<NotifyError> = None;
    let mut next_start = Duration::ZERO;
    let mut attempts = 0;
    loop {
        let attempt = async {
            context.clock.sleep(next_start.saturating_sub(context.clock.monotonic())).await;
            if attempts > 0 && !turn.comes_again().await? {
                return Ok(None);
            }
            turn.claim();
            attempts += 1;
            let start = context.clock.monotonic();
            // A pause is counted from the attempt's start, as upstream's ticker does.
            next_start = start + backoff.next(&*random);
            let outcome = turn.holding(integration.notify(notification)).await;
            metrics.latency.observe_duration(context.clock.monotonic() - start);
            metrics.requests.increment();
            Ok(Some(outcome))
        };
        let outcome = match context.run(attempt).await.flatten() {
            Ok(Some(outcome)) => outcome,
            Ok(None) => return Ok(Sent::Elsewhere),
            Err(ended) => {
                let (message, reason) = match last_error {
                    Some(error) => (error.message, error.reason),
                    None => (ended.to_string(), ended.reason()),
                };
                let message = format!(
                    "{receiver}/{name}[{idx}]: notify retry canceled after {attempts} attempts: \
                     {message}"
                );
                return Err(GaveUp { message, reason, attempts });
            }
        };
        let error = match outcome {
            Ok(()) => {
                tracing::debug!(receiver, integration = name, idx, attempts, "Notify success");
                return Ok(Sent::Here { attempts });
            }
            Err(error) => error,
        };
        metrics.requests_failed.increment();
        if !error.retry {
            let message = format!(
                "{receiver}/{name}[{idx}]: notify retry canceled due to unrecoverable error after \
                 {attempts} attempts: {error}"
            );
            return Err(GaveUp { message, reason: error.reason, attempts });
        }
        turn.note_failure();
        // If it was an end that made the attempt fail, the end is what counts.
        if !context.is_canceled() {
            if last_error.as_ref().is_none_or(|last| last.message != error.message) {
                tracing::warn!(
                    receiver,
                    integration = name,
                    idx,
                    attempts,
                    err = %error,
                    "Notify attempt failed, will retry later"
                );
            }
            last_error = Some(error);
        }
    }
}
