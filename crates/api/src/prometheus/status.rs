//! `/status/*`, `/alertmanagers` and `/features`: how the server is set up and how it is doing.

mod live;
mod self_metrics;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::extract::State;
pub(super) use live::live_notifications;
pub(super) use self_metrics::self_metrics;

use super::{
    Api,
    json::{Json, Object},
    params::{Form, parse_int},
    respond::{Error, ErrorKind, Result, Success, blocking},
};

const TSDB_LIMIT: i64 = 10;
const TSDB_LIMIT_MAX: i64 = 10_000;

/// What the API asks of the server as a whole.
pub trait Status: Send + Sync {
    /// The configuration as YAML, without secrets.
    fn config(&self) -> String;

    fn flags(&self) -> BTreeMap<String, String>;

    fn runtime_info(&self) -> RuntimeInfo;

    /// Which features there are, by category, and whether they are on.
    fn features(&self) -> BTreeMap<String, BTreeMap<String, bool>>;

    /// Figures of the storage, each list with at most `limit` entries. May take a while.
    fn tsdb(&self, limit: usize) -> Result<TsdbStatus, TsdbError>;

    fn wal_replay(&self) -> WalReplay;

    /// The `meta.json` of each block, oldest first.
    fn blocks(&self) -> Result<Vec<String>, TsdbError> {
        Ok(Vec::new())
    }

    /// How long what is kept; the last one is of all that no other one selects.
    fn retention_classes(&self) -> Vec<RetentionClass> {
        Vec::new()
    }

    /// What whoever opens a page should know now.
    fn notifications(&self) -> Vec<Notification> {
        Vec::new()
    }

    /// URLs of the Alertmanagers that alerts are sent to.
    fn active_alertmanagers(&self) -> Vec<String>;

    /// URLs of those that relabelling dropped.
    fn dropped_alertmanagers(&self) -> Vec<String>;
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildInfo {
    pub version: String,
    pub revision: String,
    pub branch: String,
    pub build_user: String,
    pub build_date: String,
    /// The compiler's version; the key is upstream's.
    pub go_version: String,
}

/// Times are counted from the Unix epoch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RuntimeInfo {
    pub start_time: Option<Duration>,
    pub working_directory: String,
    pub host_name: String,
    pub reload_config_success: bool,
    pub last_config_time: Option<Duration>,
    pub corruption_count: u64,
    /// Tasks, which are what comes closest to goroutines.
    pub n_tasks: u64,
    pub n_threads: u64,
    /// Bytes; the largest number means no limit.
    pub memory_limit: i64,
    /// `15d or 10GiB`
    pub storage_retention: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TsdbStatus {
    pub n_series: u64,
    pub n_label_pairs: u64,
    pub n_chunks: u64,
    /// Milliseconds since the epoch.
    pub min_time: i64,
    pub max_time: i64,
    pub series_count_by_metric_name: Vec<(String, u64)>,
    pub label_value_count_by_label_name: Vec<(String, u64)>,
    pub memory_in_bytes_by_label_name: Vec<(String, u64)>,
    pub series_count_by_label_value_pair: Vec<(String, u64)>,
}

/// Series that are kept for a time of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetentionClass {
    /// Empty for what belongs to no class.
    pub name: String,
    /// `{job="a"}`; one of them must match.
    pub selectors: Vec<String>,
    /// Zero for any time.
    pub time: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TsdbError {
    #[error("TSDB not ready")]
    NotReady,
    #[error("{0}")]
    Other(String),
}

/// A remark on the server as a whole, such as a reload that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    pub text: String,
    /// Since the Unix epoch.
    pub since: Duration,
}

/// Segments of the log that are to be replayed, and where replay is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WalReplay {
    pub min: i64,
    pub max: i64,
    pub current: i64,
}

pub(super) async fn config(State(api): State<Arc<Api>>) -> Result {
    let yaml = api.status.config();
    Ok(Success::object(|data| data.string("yaml", &yaml)))
}

pub(super) async fn flags(State(api): State<Arc<Api>>) -> Result {
    let flags = api.status.flags();
    Ok(Success::object(|data| {
        for (name, value) in &flags {
            data.string(name, value);
        }
    }))
}

pub(super) async fn runtime_info(State(api): State<Arc<Api>>) -> Result {
    let info = api.status.runtime_info();
    let server_time = api.runtime.clock.now();
    Ok(Success::object(|data| {
        data.key("startTime").time(info.start_time);
        data.string("CWD", &info.working_directory);
        data.string("hostname", &info.host_name);
        data.key("serverTime").time(Some(server_time));
        data.key("reloadConfigSuccess").bool(info.reload_config_success);
        // Upstream reads it off a metric in whole seconds.
        let last_config_time =
            info.last_config_time.map(|time| Duration::from_secs(time.as_secs()));
        data.key("lastConfigTime").time(last_config_time);
        data.key("corruptionCount").int(info.corruption_count);
        data.key("goroutineCount").int(info.n_tasks);
        data.key("GOMAXPROCS").int(info.n_threads);
        data.key("GOMEMLIMIT").int(info.memory_limit);
        // There is no garbage collector to tune.
        data.string("GOGC", "");
        data.string("GODEBUG", "");
        data.string("storageRetention", &info.storage_retention);
    }))
}

pub(super) async fn build_info(State(api): State<Arc<Api>>) -> Result {
    Ok(Success::object(|data| api.build_info.write(data)))
}

impl BuildInfo {
    pub(super) fn write(&self, object: &mut Object<'_>) {
        object.string("version", &self.version);
        object.string("revision", &self.revision);
        object.string("branch", &self.branch);
        object.string("buildUser", &self.build_user);
        object.string("buildDate", &self.build_date);
        object.string("goVersion", &self.go_version);
    }
}

pub(super) async fn features(State(api): State<Arc<Api>>) -> Result {
    let features = api.status.features();
    Ok(Success::object(|data| {
        for (category, features) in &features {
            data.key(category).object(|object| {
                for (name, is_on) in features {
                    object.key(name).bool(*is_on);
                }
            });
        }
    }))
}

pub(super) async fn tsdb(State(api): State<Arc<Api>>, form: Form) -> Result {
    let limit = match form.first("limit") {
        "" => TSDB_LIMIT,
        text => parse_int(text)
            .ok()
            .filter(|limit| *limit >= 1)
            .ok_or_else(|| Error::bad_data("limit must be a positive number"))?,
    };
    if limit > TSDB_LIMIT_MAX {
        return Err(Error::bad_data(format!("limit must not exceed {TSDB_LIMIT_MAX}")));
    }
    blocking(move || {
        let status = api.status.tsdb(limit as usize)?;
        Ok(Success::object(|data| write_tsdb(data, &status)))
    })
    .await
}

impl From<TsdbError> for Error {
    fn from(error: TsdbError) -> Error {
        let kind = match error {
            TsdbError::NotReady => ErrorKind::Unavailable,
            TsdbError::Other(_) => ErrorKind::Internal,
        };
        Error::new(kind, error.to_string())
    }
}

fn write_tsdb(data: &mut Object<'_>, status: &TsdbStatus) {
    data.key("headStats").object(|head| {
        head.key("numSeries").int(status.n_series);
        head.key("numLabelPairs").int(status.n_label_pairs);
        head.key("chunkCount").int(status.n_chunks);
        head.key("minTime").int(status.min_time);
        head.key("maxTime").int(status.max_time);
    });
    for (name, counts) in [
        ("seriesCountByMetricName", &status.series_count_by_metric_name),
        ("labelValueCountByLabelName", &status.label_value_count_by_label_name),
        ("memoryInBytesByLabelName", &status.memory_in_bytes_by_label_name),
        ("seriesCountByLabelValuePair", &status.series_count_by_label_value_pair),
    ] {
        data.key(name).array(counts, |json, (name, value)| {
            json.object(|object| {
                object.string("name", name);
                object.key("value").int(*value);
            });
        });
    }
}

pub(super) async fn wal_replay(State(api): State<Arc<Api>>) -> Result {
    let replay = api.status.wal_replay();
    Ok(Success::object(|data| {
        data.key("min").int(replay.min);
        data.key("max").int(replay.max);
        data.key("current").int(replay.current);
    }))
}

pub(super) async fn blocks(State(api): State<Arc<Api>>) -> Result {
    blocking(move || {
        let blocks = api.status.blocks()?;
        Ok(Success::object(|data| {
            data.key("blocks").array(&blocks, |json, meta| json.raw(meta));
            // Ours. Hints of the blocks say which is of which class.
            let classes = api.status.retention_classes();
            if !classes.is_empty() {
                data.key("retentionClasses").array(&classes, write_class);
            }
        }))
    })
    .await
}

fn write_class(json: &mut Json, class: &RetentionClass) {
    json.object(|object| {
        object.string("name", &class.name);
        object.key("selectors").strings(&class.selectors);
        object.key("seconds").seconds(class.time);
    });
}

pub(super) async fn notifications(State(api): State<Arc<Api>>) -> Result {
    let notifications = api.status.notifications();
    Ok(Success::json(|json| {
        json.array(&notifications, |json, it| write_notification(json, it, true));
    }))
}

fn write_notification(json: &mut Json, notification: &Notification, is_active: bool) {
    json.object(|object| {
        object.string("text", &notification.text);
        object.key("date").time(Some(notification.since));
        object.key("active").bool(is_active);
    });
}

pub(super) async fn alertmanagers(State(api): State<Arc<Api>>) -> Result {
    let write = |json: &mut Json, urls: Vec<String>| {
        json.array(&urls, |json, url| json.object(|object| object.string("url", url)));
    };
    Ok(Success::object(|data| {
        write(data.key("activeAlertmanagers"), api.status.active_alertmanagers());
        write(data.key("droppedAlertmanagers"), api.status.dropped_alertmanagers());
    }))
}
