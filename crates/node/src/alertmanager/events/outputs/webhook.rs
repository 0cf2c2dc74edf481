use std::{sync::Arc, time::Duration};

use config::alertmanager::WebhookOutput;
use receivers::http_config;
use runtime::{Clock, Runtime};
use tokio::{
    sync::mpsc,
    task::{JoinHandle, JoinSet},
};
use tracing::{error, warn};
use transport::client::{self, Client, Limits, Request};
use url::Url;

use super::Taken;

/// Lines that wait to be posted; more are dropped.
const QUEUE_LEN: usize = 1024;
const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// What is answered does not matter.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Posts lines, one at a time or many as an array, a few posts at once.
pub(in crate::alertmanager::events) struct Webhook {
    name: String,
    queue: mpsc::Sender<String>,
    task: JoinHandle<()>,
}

struct Poster {
    client: Client,
    url: Url,
    settings: WebhookOutput,
    clock: Arc<dyn Clock>,
}

impl Webhook {
    pub(super) fn start(settings: &WebhookOutput, runtime: &Runtime) -> Result<Webhook, String> {
        let url = Url::parse(&settings.url).map_err(|error| format!("webhook output: {error}"))?;
        let name = match settings.name.is_empty() {
            // Without what may be secret.
            true => format!("webhook:{}", url.origin().ascii_serialization()),
            false => format!("webhook:{}", settings.name),
        };
        let failed = |error: client::Error| format!("{name}: {error}");
        let http = match &settings.http_config {
            Some(http) => http_config::to_client(http).map_err(failed)?,
            None => client::Config::default(),
        };
        let client = Client::new(http, runtime.clone()).map_err(failed)?;
        let clock = runtime.clock.clone();
        let poster = Poster { client, url, settings: settings.clone(), clock };
        let (queue, lines) = mpsc::channel(QUEUE_LEN);
        let task = tokio::spawn(Arc::new(poster).run(lines));
        Ok(Webhook { name, queue, task })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn take(&self, line: &str) -> Taken {
        match self.queue.try_send(line.trim_end().to_owned()) {
            Ok(()) => Taken::Yes,
            Err(_) => Taken::Dropped,
        }
    }

    pub(super) async fn close(self) {
        drop(self.queue);
        if let Err(error) = self.task.await {
            error!(output = self.name, err = %error, "Event recorder webhook ended badly");
        }
    }
}

impl Poster {
    async fn run(self: Arc<Poster>, mut lines: mpsc::Receiver<String>) {
        let n_workers = usize::try_from(self.settings.workers).unwrap_or_default().max(1);
        let mut posts = JoinSet::new();
        while let Some(body) = self.next_body(&mut lines).await {
            if posts.len() >= n_workers {
                posts.join_next().await;
            }
            let poster = self.clone();
            posts.spawn(async move { poster.post(body).await });
        }
        posts.join_all().await;
    }

    /// One line, or an array of all that come before long.
    async fn next_body(&self, lines: &mut mpsc::Receiver<String>) -> Option<String> {
        let first = lines.recv().await?;
        let settings = &self.settings;
        if !settings.batch {
            return Some(first);
        }
        let most = usize::try_from(settings.batch_max_events).unwrap_or_default().max(1);
        let bytes_max = usize::try_from(settings.batch_max_bytes).unwrap_or_default();
        let mut body = format!("[{first}");
        let mut n_events = 1;
        let flush = self.clock.sleep(settings.batch_flush_interval.0);
        tokio::pin!(flush);
        while n_events < most && body.len() < bytes_max {
            let line = tokio::select! {
                biased;
                line = lines.recv() => line,
                () = &mut flush => None,
            };
            let Some(line) = line else { break };
            body.push(',');
            body.push_str(&line);
            n_events += 1;
        }
        body.push(']');
        Some(body)
    }

    async fn post(&self, body: String) {
        let settings = &self.settings;
        let attempts_max = u32::try_from(settings.max_retries).unwrap_or_default().max(1);
        let limits = Limits { timeout: settings.timeout.0, body_bytes: ANSWER_BYTES_MAX };
        for attempt in 1..=attempts_max {
            let request =
                Request::post(self.url.clone(), "application/json", body.clone().into_bytes());
            match self.client.send(request, &limits).await {
                Ok(answer) if answer.status.is_success() => return,
                Ok(answer) => {
                    let status = answer.status.as_u16();
                    warn!(attempt, status, "Event recorder HTTP output POST failed");
                }
                Err(error) => {
                    warn!(attempt, err = %error, "Event recorder HTTP output POST failed");
                }
            }
            if attempt < attempts_max {
                let factor = 1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX);
                let pause = settings.retry_backoff.0.saturating_mul(factor).min(BACKOFF_MAX);
                self.clock.sleep(pause).await;
            }
        }
        error!("Event recorder HTTP output POST failed after retries, dropping event");
    }
}
