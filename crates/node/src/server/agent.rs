//! Agent mode: what is collected goes into a log, from which remote write takes it.

use std::{sync::Arc, time::Duration};

use config::prometheus::File;
use runtime::Clock;
use telemetry::{Family, Kind, Metric, Reading, Registry};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::{
    AgentOptions, Server,
    storage::{self, LateDatabase, Replaying},
};
use crate::{Error, Result};

impl Server {
    /// Reads the log; samples are taken from then on.
    pub(super) async fn open_agent(
        &mut self,
        file: &File,
        agent: &AgentOptions,
    ) -> Result<Replaying> {
        info!("Starting WAL storage ...");
        let changeable = storage::Changeable::of(file, &self.options);
        let readers = self.log_readers.clone();
        let settings = storage::agent_settings(&self.options, agent, &changeable, readers);
        let (runtime, options) = (self.runtime.clone(), self.options.clone());
        let opening = tokio::task::spawn_blocking(move || {
            tsdb::Agent::open(&runtime, &options.storage.directory, settings)
        });
        let opened = opening
            .await
            .map_err(|error| Error::Ended { part: "storage", reason: error.to_string() })??;
        self.storage.set_agent(opened.clone());
        let clock = self.runtime.clock.clone();
        self.agent_upkeep = Some(Upkeep::start(opened, clock, agent.truncate_frequency));
        info!("Agent WAL storage started");
        Ok(Replaying::nothing())
    }
}

/// The task that truncates the log now and then.
pub(super) struct Upkeep {
    agent: tsdb::Agent,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Upkeep {
    fn start(agent: tsdb::Agent, clock: Arc<dyn Clock>, every: Duration) -> Upkeep {
        let stop = CancellationToken::new();
        let task = tokio::spawn(run(agent.clone(), clock, every, stop.clone()));
        Upkeep { agent, stop, task }
    }

    /// Ends the task, then makes everything that was committed durable.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            error!(err = %error, "Upkeep of the log ended badly");
        }
        let agent = self.agent;
        match tokio::task::spawn_blocking(move || agent.sync()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => error!(err = %error, "Closing storage failed"),
            Err(error) => error!(err = %error, "Closing storage failed"),
        }
    }
}

async fn run(agent: tsdb::Agent, clock: Arc<dyn Clock>, every: Duration, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = clock.sleep(every) => {}
        }
        let agent = agent.clone();
        match tokio::task::spawn_blocking(move || agent.truncate()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => error!(err = %error, "failed to truncate WAL"),
            Err(error) => error!(err = %error, "truncation of the WAL panicked"),
        }
    }
}

/// Registers the figures of an agent; a server has none.
pub(super) fn register_metrics(registry: &Registry, storage: LateDatabase) {
    registry.collect(move |families| {
        let Some(agent) = storage.agent() else { return };
        let counters = agent.counters();
        for (name, help, kind, value) in figures(&counters) {
            families.push(Family::single(name, help, kind, value));
        }
        let appended = Family::new(
            "prometheus_agent_samples_appended_total",
            "Total number of samples appended to the storage",
            Kind::Counter,
        );
        let appended = appended.with(&[("type", "float")], counters.floats_appended as f64);
        let histograms = counters.histograms_appended as f64;
        families.push(appended.with(&[("type", "histogram")], histograms));
        let mut truncations = Family::new(
            "prometheus_agent_truncate_duration_seconds",
            "Duration of WAL truncation.",
            Kind::Summary,
        );
        let sum = counters.truncation_time.as_secs_f64();
        let count = counters.truncations;
        let reading = Reading::Summary { quantiles: Vec::new(), sum, count };
        truncations.metrics.push(Metric { labels: Vec::new(), reading });
        families.push(truncations);
    });
}

type Row = (&'static str, &'static str, Kind, f64);

#[rustfmt::skip]
fn figures(counters: &tsdb::AgentCounters) -> Vec<Row> {
    use Kind::{Counter, Gauge};
    vec![
        ("prometheus_agent_active_series", "Number of active series being tracked by the WAL storage", Gauge, counters.active_series as f64),
        ("prometheus_agent_deleted_series", "Number of series pending deletion from the WAL", Gauge, counters.deleted_series as f64),
        ("prometheus_agent_data_replay_duration_seconds", "Time taken to replay the data on disk.", Gauge, counters.replay_time.as_secs_f64()),
        ("prometheus_agent_exemplars_appended_total", "Total number of exemplars appended to the storage", Counter, counters.exemplars_appended as f64),
        ("prometheus_agent_out_of_order_samples_total", "Total number of out of order samples ingestion failed attempts.", Counter, counters.out_of_order as f64),
        ("prometheus_agent_corruptions_total", "Total number of WAL corruptions.", Counter, counters.corruptions as f64),
        ("prometheus_agent_checkpoint_creations_total", "Total number of checkpoint creations attempted.", Counter, (counters.checkpoints + counters.checkpoints_failed) as f64),
        ("prometheus_agent_checkpoint_creations_failed_total", "Total number of checkpoint creations that failed.", Counter, counters.checkpoints_failed as f64),
        ("prometheus_agent_checkpoint_deletions_total", "Total number of checkpoint deletions attempted.", Counter, (counters.checkpoint_deletions + counters.checkpoint_deletions_failed) as f64),
        ("prometheus_agent_checkpoint_deletions_failed_total", "Total number of checkpoint deletions that failed.", Counter, counters.checkpoint_deletions_failed as f64),
    ]
}
