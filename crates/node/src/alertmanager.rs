//! An Alertmanager: takes alerts, groups and silences them, notifies.

mod cluster;
mod events;
mod load;
mod options;
#[cfg(test)]
pub(crate) mod tests;
mod web;

use std::{sync::Arc, time::Duration};

use alertmanager::{
    Alertmanager, Cluster,
    cluster::Alone,
    event::{Event as Happened, Recorder as _},
};
use config::alertmanager::Features;
use runtime::Runtime;
use telemetry::Registry;
use tracing::{error, info, warn};

pub use options::Options;

use self::{
    cluster::Peers,
    load::{Loaded, Loader},
};
use crate::{
    Error, Result, Signals, build,
    config_state::{ConfigState, Names},
    inbox::{Event, Inbox},
    listen::{Web, listen},
    reload,
    traces::{self, Traces},
};

/// Longer, requests that are being answered do not hold up a stop.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// Runs an Alertmanager until it is told to stop, or cannot go on.
pub async fn run(options: Options, runtime: Runtime, signals: Signals) -> Result<()> {
    let version = build::context(build::ALERTMANAGER);
    info!(version = version.as_str(), "Starting Alertmanager");
    let features = Features::parse(&options.features)
        .map_err(|reason| Error::Flag { flag: "enable-feature", reason })?;
    let mut node = Node::open(options, runtime, features).await?;
    let loaded = node.load().await.map_err(|reason| node.config_error(reason))?;
    let listeners = listen(&*node.runtime.network, &node.options.listen_addresses).await?;
    let (wishes, requests) = reload::channel(signals.stop.clone());
    if let Some(peers) = &node.peers {
        peers.join(&node.handle);
    }
    node.apply(loaded).await.map_err(|reason| node.config_error(reason))?;
    node.record(Happened::Startup {
        version: build::ALERTMANAGER.to_owned(),
        build_context: version,
    });
    let mut web = node.start_web(listeners, wishes)?;
    let inbox = Inbox { requests, hangups: signals.reload, stop: signals.stop };
    let outcome = node.work(inbox, &mut web).await;
    web.stop().await;
    node.handle.stop().await;
    node.traces.stop().await;
    node.record(Happened::Shutdown);
    if let Some(Record { writer, .. }) = node.record.take() {
        writer.stop().await;
    }
    if let Some(peers) = &node.peers {
        peers.stop().await;
    }
    info!("See you next time!");
    outcome
}

/// A running Alertmanager.
struct Node {
    options: Options,
    features: Features,
    runtime: Runtime,
    registry: Registry,
    config_state: ConfigState,
    hash: telemetry::Gauge,
    loader: Loader,
    handle: Arc<Alertmanager>,
    /// The other nodes, unless the cluster is turned off.
    peers: Option<Arc<Peers>>,
    traces: Arc<Traces>,
    /// Of what happens, with the feature for it.
    record: Option<Record>,
}

struct Record {
    events: Arc<events::Events>,
    writer: events::Writer,
}

impl Node {
    async fn open(options: Options, runtime: Runtime, features: Features) -> Result<Node> {
        let registry = Registry::default();
        build::register(&registry, "alertmanager", build::ALERTMANAGER);
        telemetry::process::register(&registry);
        let names = Names {
            successful: "alertmanager_config_last_reload_successful",
            success_time: "alertmanager_config_last_reload_success_timestamp_seconds",
        };
        let config_state = ConfigState::register(&registry, &names, runtime.clock.clone());
        let hash = registry.gauge(
            "alertmanager_config_hash",
            "Hash of the currently loaded alertmanager configuration. Note that this is not a cryptographically strong hash.",
        );
        let peers = match options.cluster.clone() {
            Some(cluster) => {
                let tls = options.cluster_tls_file.as_deref();
                Some(Peers::start(cluster, tls, runtime.clone(), &registry).await?)
            }
            None => None,
        };
        cluster::enabled(&registry).set(f64::from(u8::from(peers.is_some())));
        let others: Arc<dyn Cluster> = match &peers {
            Some(peers) => peers.clone(),
            None => Arc::new(Alone),
        };
        let record = features.event_recorder.then(|| {
            let instance = host_of(&options.external_url).to_owned();
            let (events, writer) = events::start(instance, &runtime, others.clone(), &registry);
            Record { events, writer }
        });
        let events = match &record {
            Some(record) => alertmanager::event::Events::to(record.events.clone()),
            None => alertmanager::event::Events::default(),
        };
        let (settings, world, metrics) =
            (options.to_settings(features, events), runtime.clone(), registry.clone());
        // Reads the snapshots.
        let opening = tokio::task::spawn_blocking(move || {
            Alertmanager::open(settings, world, &metrics, others)
        });
        let ended = |error: tokio::task::JoinError| Error::Ended {
            part: "storage",
            reason: error.to_string(),
        };
        let handle = Arc::new(opening.await.map_err(ended)??);
        let resource = traces::resource("alertmanager", build::ALERTMANAGER);
        let traces = Traces::start(resource, &runtime, &registry);
        let loader = Loader {
            path: options.config_file.clone(),
            external_url: options.external_url.clone(),
            mode: features.mode,
            retention: options.retention,
            runtime: runtime.clone(),
            tracer: traces.tracer.clone(),
        };
        Ok(Node {
            options,
            features,
            runtime,
            registry,
            config_state,
            hash,
            loader,
            handle,
            peers,
            traces,
            record,
        })
    }

    /// Does what it is told.
    async fn work(&self, mut inbox: Inbox, web: &mut Web) -> Result<()> {
        loop {
            match inbox.next(web, std::future::pending()).await {
                Event::Stop => return Ok(()),
                Event::WebEnded(reason) => {
                    return Err(Error::Ended { part: "web server", reason });
                }
                Event::Look => {}
                Event::Reload(reply) => {
                    let outcome = self.reload().await;
                    if let Some(reply) = reply {
                        // Who asked may have gone; the log has it, too.
                        reply.send(outcome).unwrap_or_default();
                    }
                }
            }
        }
    }

    /// Reads the configuration again; after an error everything is as before.
    async fn reload(&self) -> Result<(), String> {
        let outcome = match self.load().await {
            Ok(loaded) => self.apply(loaded).await,
            Err(reason) => Err(reason),
        };
        if let Err(reason) = &outcome {
            self.config_state.note(false);
            let file = self.options.config_file.display();
            error!(component = "configuration", %file, err = reason, "Loading configuration file failed");
        }
        outcome
    }

    async fn load(&self) -> Result<Loaded, String> {
        let (loader, file) = (self.loader.clone(), self.options.config_file.display());
        info!(component = "configuration", %file, "Loading configuration file");
        // Reads files.
        let loading = tokio::task::spawn_blocking(move || loader.load());
        loading.await.map_err(|error| error.to_string())?
    }

    async fn apply(&self, loaded: Loaded) -> Result<(), String> {
        // What may fail comes first.
        self.traces.apply(&loaded.tracing).await?;
        for warning in &loaded.warnings {
            warn!(component = "configuration", "{warning}");
        }
        if let Some(record) = &self.record {
            record.writer.apply(&loaded.events, &self.runtime).await;
        }
        self.handle.apply(loaded.config).await;
        self.hash.set(loaded.hash);
        self.config_state.note(true);
        let file = self.options.config_file.display();
        info!(component = "configuration", %file, "Completed loading of configuration file");
        Ok(())
    }

    fn record(&self, event: Happened) {
        if let Some(record) = &self.record {
            record.events.record(event);
        }
    }

    fn config_error(&self, reason: String) -> Error {
        Error::Config { path: self.options.config_file.clone(), reason }
    }
}

/// Host and port of a URL.
fn host_of(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    rest.split('/').next().unwrap_or_default()
}
