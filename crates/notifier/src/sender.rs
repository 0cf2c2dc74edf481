use std::{sync::Arc, time::Duration};

use http::{HeaderValue, header::USER_AGENT};
use model::Alert;
use runtime::Clock;
use tokio_util::sync::CancellationToken;
use transport::client::{Client, Limits, Request};
use url::Url;

use crate::{Options, encode::encode, metrics::AlertmanagerMetrics, queue::Queue};

/// What an Alertmanager answers is not read beyond this.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Brings the alerts of one queue to one Alertmanager.
pub(crate) struct Sender {
    pub(crate) url: Url,
    pub(crate) queue: Arc<Queue>,
    pub(crate) client: Arc<Client>,
    pub(crate) timeout: Duration,
    pub(crate) options: Arc<Options>,
    pub(crate) metrics: AlertmanagerMetrics,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Sender {
    /// Sends until told to stop; then drains the queue, or counts what it drops.
    pub(crate) async fn run(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.queue.wait() => {}
            }
            self.send_batch().await;
        }
        if self.options.drain_on_shutdown {
            while self.send_batch().await {}
            return;
        }
        let count = self.queue.take(usize::MAX).len();
        self.metrics.dropped.add(count as f64);
        if count > 0 {
            tracing::warn!(
                alertmanager = %self.url,
                count,
                "Alert notification queue not drained on shutdown, dropping alerts"
            );
        }
    }

    /// Sends what fits into a request; false if nothing waits. A failed batch is lost: rules
    /// repeat what matters.
    async fn send_batch(&self) -> bool {
        let alerts = self.queue.take(self.options.batch_size);
        if alerts.is_empty() {
            return false;
        }
        let count = alerts.len();
        let started = self.clock.monotonic();
        match self.post(&alerts).await {
            Ok(()) => {
                let latency = self.clock.monotonic().saturating_sub(started);
                self.metrics.latency.observe_duration(latency);
                self.metrics.latency_histogram.observe_duration(latency);
                self.metrics.sent.add(count as f64);
            }
            Err(error) => {
                tracing::error!(
                    alertmanager = %self.url, count, err = error, "Error sending alerts"
                );
                self.metrics.errors.add(count as f64);
                self.metrics.dropped.add(count as f64);
            }
        }
        true
    }

    async fn post(&self, alerts: &[Arc<Alert>]) -> Result<(), String> {
        let body = encode(alerts.iter().map(|alert| &**alert));
        let mut request = Request::post(self.url.clone(), "application/json", body);
        if let Ok(user_agent) = HeaderValue::from_str(&self.options.user_agent) {
            request.headers.insert(USER_AGENT, user_agent);
        }
        let limits = Limits { timeout: self.timeout, body_bytes: ANSWER_BYTES_MAX };
        let response = self.client.send(request, &limits).await.map_err(|e| e.to_string())?;
        match response.status.is_success() {
            true => Ok(()),
            false => Err(format!("bad response status {}", response.status)),
        }
    }
}
