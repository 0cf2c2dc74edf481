//! What scrapes, evaluates and notifies: built once, fed with each configuration, ended in order.

use std::{collections::BTreeMap, sync::Arc};

use config::prometheus::Config;
use discovery::Groups;
use notifier::Notifier;
use runtime::Runtime;
use telemetry::Registry;
use tokio::{sync::watch, task::JoinHandle};
use tracing::{error, info};

use super::{
    LateDatabase, Loaded, Options,
    cluster::{Clustering, OneWriter, RightTime, SharedScrapes},
    fanout::Fanout,
    queries::Queries,
    send,
};
use crate::{
    build, settings,
    traces::{self, Traces},
};

/// The parts between the storage and the HTTP surface.
pub(super) struct Components {
    traces: Arc<Traces>,
    pub(super) queries: Arc<Queries>,
    pub(super) fanout: Fanout,
    pub(super) scrape: Arc<scrape::Manager>,
    pub(super) notifier: Arc<Notifier>,
    rules: rules::Manager,
    senders: remote::send::Senders,
    scrape_discovery: discovery::Manager,
    notify_discovery: discovery::Manager,
    /// Bring what discovery finds to `scrape` and to `notifier`; they end with their discovery.
    couriers: [JoinHandle<()>; 2],
    /// What was applied last.
    config: Option<Config>,
}

impl Components {
    /// All parts, with nothing to do yet. Call it inside of a Tokio runtime.
    pub(super) fn new(
        options: &Options,
        runtime: &Runtime,
        registry: &Registry,
        storage: &LateDatabase,
        log_readers: wal::Readers,
        clustering: Option<&Clustering>,
    ) -> Components {
        let members = clustering.map(|clustering| clustering.members.clone());
        let fanout = Fanout::new(storage.clone(), members, runtime.clone(), registry);
        let stores = (storage.clone(), fanout.clone());
        let resource = traces::resource("prometheus", build::PROMETHEUS);
        let traces = Traces::start(resource, runtime, registry);
        let tracer = traces.tracer.clone();
        let queries = Arc::new(Queries::new(options, stores, runtime, registry, tracer));
        let metrics = discovery::Metrics::register(registry);
        let discovery = |name| {
            discovery::Manager::new(discovery::Options::named(name), runtime.clone(), &metrics)
        };
        let (scrape_discovery, notify_discovery) = (discovery("scrape"), discovery("notify"));
        let (scrape_options, storage_in) = (scrape_options(options), Arc::new(storage.clone()));
        let scrape = scrape::Manager::new(scrape_options, runtime.clone(), storage_in, registry);
        let scrape = Arc::new(match clustering {
            Some(clustering) => scrape.with_sharing(Arc::new(SharedScrapes::of(clustering))),
            None => scrape,
        });
        let notifier =
            Arc::new(Notifier::new(notifier_options(options), runtime.clone(), registry));
        let query: Arc<dyn rules::Query> = match clustering {
            Some(clustering) => Arc::new(RightTime::new(queries.clone(), &clustering.cluster)),
            None => queries.clone(),
        };
        let world = rules::World {
            query,
            storage: Arc::new(storage.clone()),
            history: Arc::new(storage.clone()),
            notify: Arc::new(Notify(notifier.clone())),
            clock: runtime.clock.clone(),
            metrics: rules::Metrics::register(registry),
        };
        let nothing = settings::rules::settings(&config::prometheus::File::default(), options);
        let rules = match options.rules.helpers {
            Some(count) => {
                rules::Manager::new(world, nothing).with_helpers(rules::Helpers::new(count))
            }
            None => rules::Manager::new(world, nothing),
        };
        let senders = send::senders(options, runtime, registry, log_readers, &scrape);
        let senders = match clustering {
            Some(clustering) => senders.with_peers(Arc::new(OneWriter::of(clustering))),
            None => senders,
        };
        let (scraper, targets) = (scrape.clone(), scrape_discovery.updates());
        let couriers = [
            tokio::spawn(async move { scraper.run(targets).await }),
            tokio::spawn(bring_alertmanagers(notifier.clone(), notify_discovery.updates())),
        ];
        Components {
            traces,
            queries,
            fanout,
            scrape,
            notifier,
            rules,
            senders,
            scrape_discovery,
            notify_discovery,
            couriers,
            config: None,
        }
    }

    pub(super) fn rule_statuses(&self) -> rules::Statuses {
        self.rules.statuses()
    }

    /// What was applied last.
    pub(super) fn config(&self) -> Option<&Config> {
        self.config.as_ref()
    }

    /// Works by `loaded` from now on. A part that cannot keeps what it had, and the others go on:
    /// that is what upstream does.
    pub(super) async fn apply(&mut self, loaded: Loaded, options: &Options) -> Result<(), String> {
        let mut complaints = Vec::new();
        let file = &loaded.config.file;
        self.queries.set_subquery_step(file.global.evaluation_interval.0);
        if let Err(error) = self.queries.set_log(&file.global.query_log_file.0) {
            complaints.push(error);
        }
        let external_labels = settings::alerting::external_labels(file);
        if let Err(error) = self.fanout.apply(loaded.remote_read) {
            complaints.push(error.to_string());
        }
        // Before the first sample: queues that are new begin at the end of the log.
        if let Err(error) = self.senders.apply(loaded.remote_write).await {
            complaints.push(error.to_string());
        }
        let (mut jobs, mut targets) = (Vec::new(), BTreeMap::new());
        for job in loaded.jobs {
            targets.insert(job.scrape.job_name.clone(), job.discovery);
            jobs.push(job.scrape);
        }
        if let Err(error) = self.scrape.apply(jobs, &external_labels) {
            complaints.push(error.to_string());
        }
        self.scrape_discovery.apply(targets);
        if let Err(error) = self.notifier.apply(loaded.notifier) {
            complaints.push(error.to_string());
        }
        let sets = loaded.alertmanagers.into_iter().enumerate();
        self.notify_discovery.apply(sets.map(|(idx, set)| (set_name(idx), set)).collect());
        let rule_settings = settings::rules::settings(file, options);
        self.rules.set_recovery(settings::rules::recovery(&loaded.config, options));
        self.rules.update(rule_settings, loaded.rules).await;
        if let Err(error) = self.traces.apply(&file.tracing).await {
            complaints.push(error);
        }
        self.config = Some(loaded.config);
        if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n")) }
    }

    /// Ends everything but the notifier, which is to send what the others still raise.
    pub(super) async fn stop(mut self) -> Arc<Notifier> {
        info!("Stopping scrape discovery manager...");
        self.scrape_discovery.stop().await;
        info!("Stopping notify discovery manager...");
        self.notify_discovery.stop().await;
        // Rules before scrapes: what is not scraped any more must not look absent to them.
        info!(component = "rule manager", "Stopping rule manager...");
        self.rules.stop().await;
        info!(component = "rule manager", "Rule manager stopped");
        self.traces.stop().await;
        info!(component = "scrape manager", "Stopping scrape manager...");
        self.scrape.stop().await;
        info!("Scrape manager stopped");
        info!("Stopping remote storage...");
        self.senders.stop().await;
        drop((self.scrape_discovery, self.notify_discovery));
        for courier in self.couriers {
            if let Err(error) = courier.await {
                error!(err = %error, "Targets were no longer handed on");
            }
        }
        self.notifier
    }
}

fn scrape_options(options: &Options) -> scrape::Options {
    scrape::Options {
        host_name: options.host_name.clone(),
        adjust_timestamps: options.scrape.adjust_timestamps,
        timestamp_tolerance: options.scrape.timestamp_tolerance,
        discovery_reload_interval: options.scrape.discovery_reload_interval,
        type_and_unit_labels: options.has_feature("type-and-unit-labels"),
        logs_metadata: options.has_feature("metadata-wal-records"),
        stores_start_zeros: options.has_feature("created-timestamp-zero-ingestion"),
        extra_scrape_metrics: options.has_feature("extra-scrape-metrics"),
        ..scrape::Options::default()
    }
}

fn notifier_options(options: &Options) -> notifier::Options {
    notifier::Options {
        queue_capacity: options.notifier.queue_capacity,
        drain_on_shutdown: options.notifier.drain_on_shutdown,
        batch_size: options.notifier.batch_size,
        ..notifier::Options::default()
    }
}

/// What discovery calls the set of Alertmanagers at `idx`: upstream's name, users see it in metrics.
fn set_name(idx: usize) -> String {
    format!("config-{idx}")
}

/// Hands on which Alertmanagers are found, until nobody looks any more.
async fn bring_alertmanagers(notifier: Arc<Notifier>, mut updates: watch::Receiver<Arc<Groups>>) {
    while updates.changed().await.is_ok() {
        let groups = updates.borrow_and_update().clone();
        for idx in 0..groups.len() {
            let Some(found) = groups.get(&set_name(idx)) else { continue };
            let found: Vec<_> = found.iter().map(|group| to_group(group)).collect();
            notifier.set_targets(idx, &found);
        }
    }
}

fn to_group(group: &model::TargetGroup) -> notifier::TargetGroup {
    notifier::TargetGroup { targets: group.targets.clone(), labels: group.labels.clone() }
}

/// Rules hand their alerts to the notifier.
struct Notify(Arc<Notifier>);

impl rules::Notify for Notify {
    fn send(&self, alerts: Vec<model::Alert>) {
        self.0.send(alerts);
    }
}
