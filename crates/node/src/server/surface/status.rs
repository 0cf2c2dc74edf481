use std::{collections::BTreeMap, sync::Arc, time::Duration};

use api::prometheus::{
    lifecycle::{Phase, Readiness},
    status::{Notification, RetentionClass, RuntimeInfo, Status, TsdbError, TsdbStatus, WalReplay},
};
use notifier::Notifier;
use tokio::runtime::Handle;

use crate::{
    config_state::ConfigState,
    server::{Options, features, shown::Shown, storage::LateDatabase},
};

/// The server as a whole.
pub(in crate::server) struct StatusAdapter {
    pub(in crate::server) options: Arc<Options>,
    pub(in crate::server) started: Duration,
    pub(in crate::server) shown: Shown,
    pub(in crate::server) config_state: ConfigState,
    pub(in crate::server) storage: LateDatabase,
    pub(in crate::server) replay: tsdb::ReplayProgress,
    pub(in crate::server) readiness: Readiness,
    pub(in crate::server) notifier: Arc<Notifier>,
    pub(in crate::server) tasks: Handle,
}

impl Status for StatusAdapter {
    fn config(&self) -> String {
        self.shown.config()
    }

    fn flags(&self) -> BTreeMap<String, String> {
        self.options.flags.clone()
    }

    fn runtime_info(&self) -> RuntimeInfo {
        let directory = std::env::current_dir().unwrap_or_default();
        let corruption_count = self.storage.get().map(|db| db.counters().log_corruptions);
        let retention = self.shown.retention().unwrap_or(self.options.storage.retention);
        RuntimeInfo {
            start_time: Some(self.started),
            working_directory: directory.display().to_string(),
            host_name: self.options.host_name.clone(),
            reload_config_success: self.config_state.is_successful(),
            last_config_time: self.config_state.last_success(),
            corruption_count: corruption_count.unwrap_or_default(),
            n_tasks: self.tasks.metrics().num_alive_tasks() as u64,
            n_threads: self.tasks.metrics().num_workers() as u64,
            memory_limit: i64::MAX,
            storage_retention: retention.to_string(),
        }
    }

    fn features(&self) -> BTreeMap<String, BTreeMap<String, bool>> {
        features::table(&self.options)
    }

    fn tsdb(&self, limit: usize) -> Result<TsdbStatus, TsdbError> {
        let stats = self.storage.get().ok_or(TsdbError::NotReady)?.stats(limit);
        Ok(TsdbStatus {
            n_series: stats.n_series,
            n_label_pairs: stats.n_label_pairs,
            n_chunks: stats.n_chunks,
            min_time: stats.min_time,
            max_time: stats.max_time,
            series_count_by_metric_name: stats.series_count_by_metric_name,
            label_value_count_by_label_name: stats.label_value_count_by_label_name,
            memory_in_bytes_by_label_name: stats.memory_in_bytes_by_label_name,
            series_count_by_label_value_pair: stats.series_count_by_label_value_pair,
        })
    }

    fn wal_replay(&self) -> WalReplay {
        let tsdb::ReplayState { min, max, current } = self.replay.state();
        WalReplay { min, max, current }
    }

    fn blocks(&self) -> Result<Vec<String>, TsdbError> {
        let blocks = self.storage.get().ok_or(TsdbError::NotReady)?.blocks();
        let metas = blocks.iter().map(|block| serde_json::to_string(&*block.meta()));
        metas.collect::<Result<_, _>>().map_err(|error| TsdbError::Other(error.to_string()))
    }

    fn retention_classes(&self) -> Vec<RetentionClass> {
        let Some(storage) = self.storage.get() else { return Vec::new() };
        let retention = storage.retention();
        let classes = retention.classes.into_iter().map(|class| {
            let text = |selector: &Vec<model::Matcher>| {
                let matchers: Vec<String> = selector.iter().map(ToString::to_string).collect();
                format!("{{{}}}", matchers.join(","))
            };
            let selectors = class.selectors.iter().map(text).collect();
            RetentionClass { name: class.name, selectors, time: class.time }
        });
        let rest = RetentionClass { time: retention.time, ..RetentionClass::default() };
        classes.chain([rest]).collect()
    }

    fn notifications(&self) -> Vec<Notification> {
        let mut notifications = Vec::new();
        let mut tell = |text: &str, since| {
            notifications.push(Notification { text: text.to_owned(), since });
        };
        match self.readiness.phase() {
            Phase::Ready => {}
            Phase::Starting => {
                tell(
                    "Prometheus is starting and replaying the write-ahead log (WAL).",
                    self.started,
                );
            }
            Phase::Stopping => tell(
                "Prometheus is shutting down and gracefully stopping all operations.",
                self.started,
            ),
        }
        if let Some(since) = self.config_state.failing_since() {
            tell("Configuration reload has failed.", since);
        }
        notifications
    }

    fn active_alertmanagers(&self) -> Vec<String> {
        self.notifier.active()
    }

    fn dropped_alertmanagers(&self) -> Vec<String> {
        self.notifier.dropped()
    }
}
