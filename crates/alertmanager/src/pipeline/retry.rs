use std::time::Duration;

use runtime::Random;

use super::context::Context;
use crate::{
    integration::{FailureReason, Integration, Notification, NotifyError},
    metrics::IntegrationMetrics,
};

/// Why a notification was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GaveUp {
    pub(super) message: String,
    pub(super) reason: FailureReason,
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

/// Tries until it works, makes no sense, or takes too long.
pub(super) async fn send(
    context: &Context,
    random: &dyn Random,
    metrics: &IntegrationMetrics,
    integration: &dyn Integration,
    notification: &Notification,
) -> Result<(), GaveUp> {
    let (receiver, name, idx) =
        (notification.receiver.as_str(), integration.name(), integration.idx());
    let mut backoff = Backoff::default();
    let mut last_error: Option<NotifyError> = None;
    let mut next_start = Duration::ZERO;
    let mut attempts = 0;
    loop {
        let attempt = async {
            context.clock.sleep(next_start.saturating_sub(context.clock.monotonic())).await;
            attempts += 1;
            let start = context.clock.monotonic();
            // A pause is counted from the attempt's start, as upstream's ticker does.
            next_start = start + backoff.next(random);
            let outcome = integration.notify(notification).await;
            metrics.latency.observe_duration(context.clock.monotonic() - start);
            metrics.requests.increment();
            outcome
        };
        let outcome = match context.run(attempt).await {
            Ok(outcome) => outcome,
            Err(ended) => {
                let (message, reason) = match last_error {
                    Some(error) => (error.message, error.reason),
                    None => (ended.to_string(), ended.reason()),
                };
                let message = format!(
                    "{receiver}/{name}[{idx}]: notify retry canceled after {attempts} attempts: \
                     {message}"
                );
                return Err(GaveUp { message, reason });
            }
        };
        let error = match outcome {
            Ok(()) => {
                tracing::debug!(receiver, integration = name, idx, attempts, "Notify success");
                return Ok(());
            }
            Err(error) => error,
        };
        metrics.requests_failed.increment();
        if !error.retry {
            let message = format!(
                "{receiver}/{name}[{idx}]: notify retry canceled due to unrecoverable error after \
                 {attempts} attempts: {error}"
            );
            return Err(GaveUp { message, reason: error.reason });
        }
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
