//! A server: scrapes, stores, answers queries, evaluates rules and raises alerts.
//!
//! The parts are built first and know each other; then the storage opens, the configuration is
//! applied, and from then on the loop in [`run`] waits for what may happen. Stopping is starting
//! backwards.

mod agent;
mod cluster;
mod components;
mod fanout;
mod features;
mod language;
mod load;
mod maintenance;
mod metrics;
mod options;
mod queries;
mod query_log;
mod receive;
mod retention;
mod send;
mod shown;
mod storage;
mod surface;
#[cfg(test)]
pub(crate) mod tests;
mod web;

use std::sync::Arc;

use api::prometheus::lifecycle::{Phase, Readiness};
use runtime::Runtime;
use telemetry::Registry;
use tracing::{error, info, warn};

use self::{
    cluster::{Clustering, Kept},
    components::Components,
    load::{Loaded, Paths},
    shown::Shown,
    storage::{LateDatabase, Replaying},
};
use crate::{
    Error, Result, Signals, build,
    config_state::{ConfigState, Names},
    inbox::{Event, Inbox},
    listen::{Web, listen},
    reload,
};

pub use options::{
    AgentOptions, ClusterOptions, NotifierOptions, Options, QueryOptions, ReadsDuringReplay,
    Retention, RuleOptions, ScrapeOptions, StorageOptions, WalCompression, WebOptions,
};

/// Runs a server until it is told to stop, or cannot go on.
pub async fn run(options: Options, runtime: Runtime, signals: Signals) -> Result<()> {
    let version = build::context(build::PROMETHEUS);
    match options.agent {
        Some(_) => info!(mode = "agent", version, "Starting Prometheus Agent"),
        None => info!(mode = "server", version, "Starting Prometheus Server"),
    }
    features::warn_of_the_others(&options);
    let loaded = load(&options, &runtime).await.map_err(|reason| config_error(&options, reason))?;
    let listeners = listen(&*runtime.network, &options.web.listen_addresses).await?;
    let (wishes, requests) = reload::channel(signals.stop.clone());
    let mut server = Server::new(options, &loaded, runtime).await?;
    let mut web = server.start_web(listeners, wishes)?;
    let inbox = Inbox { requests, hangups: signals.reload, stop: signals.stop };
    let outcome = server.work(loaded, inbox, &mut web).await;
    server.stop(web).await;
    info!("See you next time!");
    outcome
}

/// A running server.
struct Server {
    options: Arc<Options>,
    runtime: Runtime,
    registry: Registry,
    readiness: Readiness,
    storage: LateDatabase,
    replay: tsdb::ReplayProgress,
    shown: Shown,
    config_state: ConfigState,
    /// Of the files as they were when they were applied last.
    fingerprint: u64,
    components: Components,
    /// Who reads the write-ahead log beside the storage.
    log_readers: wal::Readers,
    /// Nothing unless it is wished.
    otlp: Option<Arc<remote::otlp::Receiver>>,
    maintenance: Option<maintenance::Maintenance>,
    /// Nothing for a server.
    agent_upkeep: Option<agent::Upkeep>,
    /// Nothing for a server that stands alone.
    clustering: Option<Clustering>,
}

impl Server {
    async fn new(options: Options, loaded: &Loaded, runtime: Runtime) -> Result<Server> {
        let registry = Registry::default();
        build::register(&registry, "prometheus", build::PROMETHEUS);
        telemetry::process::register(&registry);
        let names = Names {
            successful: "prometheus_config_last_reload_successful",
            success_time: "prometheus_config_last_reload_success_timestamp_seconds",
        };
        let config_state = ConfigState::register(&registry, &names, runtime.clock.clone());
        let storage = LateDatabase::default();
        metrics::register(&registry, storage.clone());
        agent::register_metrics(&registry, storage.clone());
        let readiness = Readiness::default();
        metrics::register_readiness(&registry, readiness.clone());
        let options = Arc::new(options);
        let log_readers = wal::Readers::default();
        let shown = Shown::default();
        let clustering = match &options.cluster {
            Some(chosen) => {
                let timeouts = loaded.jobs.iter().map(|job| job.scrape.scrape_timeout);
                let kept = Kept {
                    storage: storage.clone(),
                    retention: options.storage.retention.or_by(&loaded.config.file),
                    longest_scrape: timeouts.max().unwrap_or_default(),
                    may_delete: options.web.enable_admin_api,
                };
                Some(Clustering::start(&options, chosen, &shown, kept, &runtime, &registry).await?)
            }
            None => None,
        };
        let components = Components::new(
            &options,
            &runtime,
            &registry,
            &storage,
            log_readers.clone(),
            clustering.as_ref(),
        );
        let otlp = receive::otlp_receiver(&options, &storage, &runtime, &registry);
        Ok(Server {
            options,
            runtime,
            registry,
            readiness,
            storage,
            replay: tsdb::ReplayProgress::default(),
            shown,
            config_state,
            fingerprint: 0,
            components,
            log_readers,
            otlp,
            maintenance: None,
            agent_upkeep: None,
            clustering,
        })
    }

    /// Opens the storage, applies the configuration, then does what it is told.
    async fn work(&mut self, loaded: Loaded, mut inbox: Inbox, web: &mut Web) -> Result<()> {
        let mut replay = match self.options.agent.clone() {
            Some(agent) => self.open_agent(&loaded.config.file, &agent).await?,
            None => self.open_storage(&loaded.config.file).await?,
        };
        if inbox.stop.is_cancelled() {
            return Ok(());
        }
        self.join_cluster().await;
        self.apply(loaded).await.map_err(|reason| config_error(&self.options, reason))?;
        let reads_partially =
            self.options.storage.reads_during_replay == ReadsDuringReplay::Partial;
        if reads_partially || self.options.agent.is_some() {
            self.be_ready();
        }
        loop {
            let event = tokio::select! {
                biased;
                outcome = replay.ended() => {
                    outcome?;
                    info!("TSDB started");
                    self.be_ready();
                    continue;
                }
                event = inbox.next(web, self.time_to_look()) => event,
            };
            match event {
                Event::Stop => return Ok(()),
                Event::WebEnded(reason) => {
                    return Err(Error::Ended { part: "web server", reason });
                }
                Event::Reload(reply) => {
                    let outcome = self.reload().await;
                    if let Some(reply) = reply {
                        // Who asked may have gone; the log has it, too.
                        reply.send(outcome).unwrap_or_default();
                    }
                }
                Event::Look => {
                    if self.has_changed().await {
                        // The log says how it went; there is nobody else to tell.
                        self.reload().await.unwrap_or_default();
                    }
                }
            }
        }
    }

    fn be_ready(&self) {
        if self.readiness.phase() == Phase::Starting {
            self.readiness.set(Phase::Ready);
            info!("Server is ready to receive web requests.");
        }
    }

    /// Before anything is scraped or evaluated: what the others have counts as ours.
    async fn join_cluster(&mut self) {
        let sources = cluster::sources(self);
        if let Some(clustering) = &mut self.clustering {
            let scrape = self.components.scrape.clone();
            clustering.join(sources, &self.registry, scrape).await;
        }
    }

    /// Completes when it is time to look whether files have changed, if that is wished at all.
    async fn time_to_look(&self) {
        match self.options.auto_reload {
            Some(interval) => self.runtime.clock.sleep(interval).await,
            None => std::future::pending().await,
        }
    }

    /// Samples are taken from then on, while what comes back is still being read. A later reload
    /// does not change the retention.
    async fn open_storage(&mut self, file: &config::prometheus::File) -> Result<Replaying> {
        let retention = self.options.storage.retention.or_by(file);
        let changeable = storage::Changeable::of(file, &self.options);
        info!(retention = %retention, "Starting TSDB ...");
        self.shown.set_retention(retention);
        let (runtime, options) = (self.runtime.clone(), self.options.clone());
        let settings = storage::settings(&options.storage, changeable, self.replay.clone());
        let settings = tsdb::Options {
            log_readers: self.log_readers.clone(),
            chunk_snapshot: options.has_feature("memory-snapshot-on-shutdown"),
            ..settings
        };
        let opening = tokio::task::spawn_blocking(move || {
            tsdb::Database::begin(&runtime, &options.storage.directory, settings)
        });
        let (database, replay) = opening
            .await
            .map_err(|error| Error::Ended { part: "storage", reason: error.to_string() })??;
        self.storage.set(database.clone());
        let (clock, interval) = (self.runtime.clock.clone(), self.options.storage.upkeep_interval);
        self.maintenance = Some(maintenance::Maintenance::start(database, clock, interval));
        Ok(Replaying::start(replay))
    }

    /// Reads the configuration again; after an error everything is as before.
    async fn reload(&mut self) -> Result<(), String> {
        let outcome = match load(&self.options, &self.runtime).await {
            Ok(loaded) => self.apply(loaded).await,
            Err(reason) => Err(format!(
                "couldn't load configuration (--config.file={:?}): {reason}",
                self.options.config_file.display().to_string()
            )),
        };
        if let Err(reason) = &outcome {
            self.config_state.note(false);
            error!(err = reason, "Error reloading config");
        }
        outcome
    }

    async fn apply(&mut self, loaded: Loaded) -> Result<(), String> {
        for warning in &loaded.config.warnings {
            warn!(file = %self.options.config_file.display(), "{warning}");
        }
        let fingerprint = self.fingerprint_of(loaded.config.clone(), Paths::Count).await;
        let shared = self.fingerprint_of(loaded.config.clone(), Paths::DoNotCount).await;
        let started = self.runtime.clock.monotonic();
        let (shown, config) = (shown::Texts::of(&loaded), &self.options.config_file);
        let changeable = storage::Changeable::of(&loaded.config.file, &self.options);
        let otlp = crate::settings::remote::otlp(&loaded.config.file);
        self.components.apply(loaded, &self.options).await.inspect_err(|_| {
            self.config_state.note(false);
        })?;
        if let Some(database) = self.storage.get() {
            changeable.apply(database);
        }
        if let Some(receiver) = &self.otlp {
            receiver.set_settings(otlp);
        }
        self.shown.set(shown);
        self.fingerprint = fingerprint;
        if let Some(clustering) = &self.clustering {
            clustering.cluster.set_fingerprint(shared);
        }
        self.config_state.note(true);
        let took = self.runtime.clock.monotonic().saturating_sub(started);
        let filename = config.display();
        info!(%filename, totalDuration = ?took, "Completed loading of configuration file");
        Ok(())
    }

    async fn has_changed(&self) -> bool {
        match self.components.config() {
            Some(config) => {
                self.fingerprint_of(config.clone(), Paths::Count).await != self.fingerprint
            }
            None => false,
        }
    }

    async fn fingerprint_of(&self, config: config::prometheus::Config, paths: Paths) -> u64 {
        let (disk, path) = (self.runtime.disk.clone(), self.options.config_file.clone());
        let look = move || load::fingerprint(&*disk, &path, &config, paths);
        tokio::task::spawn_blocking(look).await.unwrap_or_default()
    }

    /// The start backwards. The notifier comes last, so that it can send what rules still raised.
    async fn stop(self, web: Web) {
        self.readiness.set(Phase::Stopping);
        let notifier = self.components.stop().await;
        if let Some(clustering) = self.clustering {
            clustering.stop().await;
        }
        if let Some(upkeep) = self.agent_upkeep {
            upkeep.stop().await;
        }
        if let Some(maintenance) = self.maintenance {
            maintenance.stop().await;
        }
        web.stop().await;
        notifier.stop().await;
        info!("Notifier manager stopped");
    }
}

async fn load(options: &Options, runtime: &Runtime) -> Result<Loaded, String> {
    let (disk, path) = (runtime.disk.clone(), options.config_file.clone());
    let syntax = language::syntax(options);
    info!(filename = %path.display(), "Loading configuration file");
    let is_agent = options.agent.is_some();
    let loading = tokio::task::spawn_blocking(move || load::load(&*disk, &path, &syntax, is_agent));
    loading.await.map_err(|error| error.to_string())?
}

fn config_error(options: &Options, reason: String) -> Error {
    Error::Config { path: options.config_file.clone(), reason }
}
