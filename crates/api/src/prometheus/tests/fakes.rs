//! A server's parts, as tests want them.

use std::{collections::BTreeMap, sync::Arc};

use model::{Matcher, TimeRange, Timestamp};
use parking_lot::Mutex;
use runtime::BoxFuture;

use super::promql_engine::PromQl;
use crate::prometheus::{
    admin,
    engine::{self, Answer, Query, QueryError, SeriesExemplars},
    lifecycle, rules,
    status::{self, Notification, RuntimeInfo, TsdbError, TsdbStatus, WalReplay},
    targets::{self, Pool},
};

/// Gives one answer to everything, unless it is real, and keeps what it was asked.
pub(in crate::prometheus) struct Engine {
    pub(in crate::prometheus) answer: Result<Answer, QueryError>,
    pub(in crate::prometheus) asked: Arc<Mutex<Vec<Query>>>,
    pub(in crate::prometheus) language: promql_syntax::Options,
    pub(in crate::prometheus) exemplars: Vec<SeriesExemplars>,
    pub(in crate::prometheus) real: Option<PromQl>,
}

impl Default for Engine {
    fn default() -> Engine {
        Engine {
            answer: Ok(Answer::default()),
            asked: Arc::default(),
            language: promql_syntax::Options::default(),
            exemplars: Vec::new(),
            real: None,
        }
    }
}

impl engine::Engine for Engine {
    fn run(&self, query: &Query) -> Result<Answer, QueryError> {
        self.asked.lock().push(query.clone());
        match &self.real {
            Some(engine) => engine.run(query),
            None => self.answer.clone(),
        }
    }

    fn language(&self) -> promql_syntax::Options {
        self.language
    }

    fn exemplars(
        &self,
        range: TimeRange,
        selectors: &[Vec<Matcher>],
    ) -> Result<Vec<SeriesExemplars>, QueryError> {
        let is_selected = |series: &SeriesExemplars| {
            let matches = |matcher: &Matcher| matcher.matches(series.labels.value(&matcher.name));
            selectors.iter().any(|selector| selector.iter().all(matches))
        };
        let mut found: Vec<SeriesExemplars> = self.exemplars.clone();
        found.retain(is_selected);
        for series in &mut found {
            series.exemplars.retain(|exemplar| range.contains(exemplar.time));
        }
        found.retain(|series| !series.exemplars.is_empty());
        Ok(found)
    }
}

#[derive(Default)]
pub(in crate::prometheus) struct Targets(pub(in crate::prometheus) Vec<Pool>);

impl targets::Targets for Targets {
    fn pools(&self) -> Vec<Pool> {
        self.0.clone()
    }

    fn pool_config(&self, pool: &str) -> Result<String, String> {
        match self.0.iter().any(|known| known.name == pool) {
            true => Ok(format!("job_name: {pool}\nauthorization:\n  credentials: <secret>\n")),
            false => Err("scrape pool not found".to_owned()),
        }
    }

    fn relabel_rules(&self, pool: &str) -> Result<Vec<relabel::Rule>, String> {
        Ok(super::tables::endpoints::relabel_rules(pool))
    }
}

#[derive(Default)]
pub(in crate::prometheus) struct Rules(pub(in crate::prometheus) Vec<rules::Group>);

impl rules::Rules for Rules {
    fn groups(&self) -> Vec<rules::Group> {
        self.0.clone()
    }
}

#[derive(Default)]
pub(in crate::prometheus) struct Status {
    pub(in crate::prometheus) flags: BTreeMap<String, String>,
    pub(in crate::prometheus) active_alertmanagers: Vec<String>,
    pub(in crate::prometheus) dropped_alertmanagers: Vec<String>,
    pub(in crate::prometheus) notifications: Arc<Mutex<Vec<Notification>>>,
}

impl status::Status for Status {
    fn config(&self) -> String {
        "global: {}\n".to_owned()
    }

    fn flags(&self) -> BTreeMap<String, String> {
        self.flags.clone()
    }

    fn runtime_info(&self) -> RuntimeInfo {
        RuntimeInfo { storage_retention: "15d".to_owned(), ..RuntimeInfo::default() }
    }

    fn features(&self) -> BTreeMap<String, BTreeMap<String, bool>> {
        BTreeMap::new()
    }

    fn tsdb(&self, limit: usize) -> Result<TsdbStatus, TsdbError> {
        let names = vec![("up".to_owned(), 2); limit.min(1)];
        Ok(TsdbStatus { series_count_by_metric_name: names, ..TsdbStatus::default() })
    }

    fn wal_replay(&self) -> WalReplay {
        WalReplay { min: 1, max: 4, current: 3 }
    }

    fn notifications(&self) -> Vec<Notification> {
        self.notifications.lock().clone()
    }

    fn active_alertmanagers(&self) -> Vec<String> {
        self.active_alertmanagers.clone()
    }

    fn dropped_alertmanagers(&self) -> Vec<String> {
        self.dropped_alertmanagers.clone()
    }
}

/// Fails as told.
pub(in crate::prometheus) struct Admin(pub(in crate::prometheus) Option<TsdbError>);

impl Admin {
    fn result(&self) -> Result<(), TsdbError> {
        self.0.clone().map_or(Ok(()), Err)
    }
}

impl admin::Admin for Admin {
    fn snapshot(&self, _: bool) -> Result<String, TsdbError> {
        self.result().map(|()| "20260102T150405Z-0123456789abcdef".to_owned())
    }

    fn delete_series(&self, _: TimeRange, _: &[Matcher]) -> Result<(), TsdbError> {
        self.result()
    }

    fn clean_tombstones(&self) -> Result<(), TsdbError> {
        self.result()
    }
}

/// Reloads as told.
pub(in crate::prometheus) struct Lifecycle(pub(in crate::prometheus) Result<(), String>);

impl lifecycle::Lifecycle for Lifecycle {
    fn reload(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(std::future::ready(self.0.clone()))
    }

    fn quit(&self) {}
}

/// Two members, of which the other one writes, unless told otherwise.
pub(crate) struct Cluster {
    pub(crate) is_mine: bool,
}

impl crate::prometheus::cluster::Cluster for Cluster {
    fn status(&self) -> crate::prometheus::cluster::ClusterStatus {
        use crate::prometheus::cluster::{
            ClusterStatus, LeaseStatus, MemberStatus, Mended, RepairStatus, TargetShare,
        };
        let member = |name: &str| MemberStatus {
            name: name.to_owned(),
            is_live: true,
            ..MemberStatus::default()
        };
        ClusterStatus {
            name: "c".to_owned(),
            members: vec![MemberStatus { is_self: true, ..member("a") }, member("b")],
            lease: LeaseStatus {
                backend: "gossip".to_owned(),
                holder: Some(if self.is_mine { "a" } else { "b" }.to_owned()),
                epoch: 7,
                is_mine: self.is_mine,
                expires_in: Some(std::time::Duration::from_millis(1500)),
                error: None,
            },
            holes: vec![TimeRange {
                start: Timestamp::from_millis(1000),
                end: Timestamp::from_millis(2500),
            }],
            repair: RepairStatus {
                mended: vec![Mended {
                    member: "b".to_owned(),
                    range: TimeRange::from_millis(1000, 2500),
                    finished: Timestamp::from_millis(4000),
                    samples: 9,
                }],
                ..RepairStatus::default()
            },
            targets: vec![TargetShare { member: "a".to_owned(), asks: 3, holds: 5 }],
            ..ClusterStatus::default()
        }
    }

    fn release(&self) -> runtime::BoxFuture<'_, Result<(), String>> {
        let released = if self.is_mine { Ok(()) } else { Err("b writes".to_owned()) };
        Box::pin(async { released })
    }
}
