//! Remote write, sending: a queue for each receiver, which follows the write-ahead log.
//!
//! A queue knows up to where the receiver has acknowledged everything, and keeps that on disk; the
//! log keeps what lies behind. So neither a restart nor a crash nor an outage of the receiver loses
//! anything, and at most the batches that are under way are sent twice.

mod batch;
mod client;
mod config;
mod desired;
mod encode;
mod ledger;
mod metadata;
mod metrics;
mod parts;
mod peers;
mod position;
mod progress;
mod queue;
mod series;
mod shard;
mod source;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc};

use runtime::Runtime;
use telemetry::Registry;
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};
use transport::client::Client;
use wal::Readers;

pub(crate) use self::shard::pack;
use self::{
    client::WriteClient,
    metrics::Metrics,
    position::PositionFile,
    progress::Progress,
    series::SeriesMap,
    shard::Sending,
    source::{Source, Wanted, begin_at},
};
pub use self::{
    config::{Config, Metadata, Options, Queue},
    metadata::MetadataSource,
    peers::{Fate, Peers},
};
use crate::Message;

/// All queues, built once and fed with each configuration.
pub struct Senders {
    options: Options,
    runtime: Runtime,
    metrics: Metrics,
    /// Who cuts the log asks here.
    readers: Readers,
    metadata: MetadataSource,
    peers: Option<Arc<dyn Peers>>,
    running: Vec<Running>,
}

struct Running {
    name: String,
    url: String,
    position_name: String,
    fingerprint: u64,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// Why a queue cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    #[error(transparent)]
    Http(#[from] transport::client::Error),
    #[error(transparent)]
    Log(#[from] wal::Error),
}

impl Senders {
    pub fn new(
        options: Options,
        runtime: Runtime,
        registry: &Registry,
        readers: Readers,
        metadata: MetadataSource,
    ) -> Senders {
        let metrics = Metrics::register(registry);
        Senders { options, runtime, metrics, readers, metadata, peers: None, running: Vec::new() }
    }

    /// Writes only while the others do not. Before the first configuration.
    pub fn with_peers(self, peers: Arc<dyn Peers>) -> Senders {
        Senders { peers: Some(peers), ..self }
    }

    /// Starts, keeps and ends queues, so that they are as `configs` says. The log must be open:
    /// queues that are new begin at its end. After an error queues are missing.
    pub async fn apply(&mut self, configs: Vec<Config>) -> Result<(), StartError> {
        let mut clients = Vec::new();
        for config in &configs {
            clients.push(Client::new(config.http.clone(), self.runtime.clone())?);
        }
        let is_kept = |running: &Running| {
            configs.iter().any(|config| {
                (&config.name, config.fingerprint) == (&running.name, running.fingerprint)
            })
        };
        let (kept, ended) = std::mem::take(&mut self.running).into_iter().partition(is_kept);
        self.running = kept;
        self.end(ended).await;
        for (config, client) in configs.into_iter().zip(clients) {
            if !self.running.iter().any(|running| running.name == config.name) {
                let running = self.start(config, client)?;
                self.running.push(running);
            }
        }
        self.forget_positions();
        Ok(())
    }

    /// Flushes and ends all queues.
    pub async fn stop(&mut self) {
        let running = std::mem::take(&mut self.running);
        self.end(running).await;
    }

    async fn end(&self, running: Vec<Running>) {
        running.iter().for_each(|queue| queue.stop.cancel());
        for queue in running {
            for task in queue.tasks {
                if let Err(err) = task.await {
                    error!(remote_name = queue.name, %err, "remote write ended badly");
                }
            }
            self.metrics.remove(&queue.name, &queue.url);
            info!(remote_name = queue.name, url = queue.url, "Remote storage stopped.");
        }
    }

    fn start(&self, config: Config, client: Client) -> Result<Running, StartError> {
        let url = shown(&config.url);
        let metrics = self.metrics.of(&config.name, &url);
        self.metrics.show_settings(&config.name, &url, &config.queue);
        let log = self.options.directory.join("wal");
        let disk = self.runtime.disk.clone();
        let (sending, source) = runtime::blocking(|| -> Result<_, StartError> {
            let mut file =
                PositionFile::open(disk.clone(), &self.positions(), &config.position_name);
            // Held before it is known, so that nothing goes meanwhile.
            let hold = self.readers.hold(0);
            let from = begin_at(&*disk, &log, file.last())?;
            hold.advance(from.segment);
            if let Err(err) = file.note(from) {
                error!(%err, "Failed to keep the position of remote write");
            }
            let has_peers = self.peers.is_some();
            let rules = config.write_relabel;
            let external_labels = config.external_labels.clone();
            let series = SeriesMap::new(config.message, external_labels, rules, has_peers);
            let is_version2 = config.message == Message::Version2;
            let wanted = Wanted {
                exponential_histograms: is_version2 || config.send_native_histograms,
                custom_histograms: is_version2,
                exemplars: config.send_exemplars,
            };
            let source = Source::open(disk, log, from, series, wanted, metrics.clone())?;
            let sending = Sending {
                client: WriteClient {
                    client,
                    url: config.url,
                    message: config.message,
                    timeout: config.timeout,
                    retry_on_http_429: config.queue.retry_on_http_429,
                    user_agent: self.options.user_agent.clone(),
                },
                queue: config.queue,
                type_and_unit_labels: self.options.type_and_unit_labels,
                clock: self.runtime.clock.clone(),
                metrics,
                progress: Progress::new(from, file, hold),
                peers: self.peers.clone(),
                name: config.position_name.clone(),
                room: Notify::new(),
            };
            info!(remote_name = config.name, url, segment = from.segment, "Starting remote write");
            Ok((Arc::new(sending), source))
        })?;
        let stop = CancellationToken::new();
        let queue = queue::Queue::new(config.name.clone(), sending.clone(), source);
        let mut tasks = vec![tokio::spawn(queue.run(stop.clone(), self.options.flush_deadline))];
        if config.message == Message::Version1 && config.metadata.send {
            let source = self.metadata.clone();
            let sends = metadata::run(sending, config.metadata, source, stop.clone());
            tasks.push(tokio::spawn(sends));
        }
        Ok(Running {
            name: config.name,
            url,
            position_name: config.position_name,
            fingerprint: config.fingerprint,
            stop,
            tasks,
        })
    }

    /// A receiver that was taken out of the configuration begins anew when it comes back.
    fn forget_positions(&self) {
        let (disk, directory) = (&self.runtime.disk, self.positions());
        runtime::blocking(|| {
            for entry in disk.list(&directory).unwrap_or_default() {
                let is_used =
                    self.running.iter().any(|running| running.position_name == entry.name);
                if !is_used && !entry.is_directory {
                    // If it stays, more is sent than has to be.
                    disk.remove_file(&directory.join(&entry.name)).unwrap_or_default();
                }
            }
        });
    }

    fn positions(&self) -> PathBuf {
        self.options.directory.join("remote_write")
    }
}

/// The URL without the password, for metrics and logs.
fn shown(url: &url::Url) -> String {
    let mut url = url.clone();
    if url.password().is_some() {
        // A URL with a password has a host, so this succeeds.
        url.set_password(Some("xxxxx")).unwrap_or_default();
    }
    url.into()
}
