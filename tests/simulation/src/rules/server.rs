//! A server as far as rules see it: the database, the engine, and groups that run.

use std::{path::Path, sync::Arc, time::Duration};

use model::{Labels, Timestamp, names::ValidationScheme};
use parking_lot::Mutex;
use promql::{Engine, QueryOptions, Value};
use rules::{
    Definition, Manager, Metrics, Notify, Query, Recovery, Sample, SampleValue, Settings, World,
    alerting::Restore,
};
use runtime::{Clock as _, Runtime, Simulation, clock::SimulatedClock, disk::SimulatedDisk};
use storage::{Appendable as _, SeriesRef};
use tsdb::Database;

use super::plan::{GRACE, OUTAGE_TOLERANCE, Plan};

/// An alert, and when it was sent.
pub(super) type Sent = (Timestamp, model::Alert);

/// Alerts on their way; whoever drains it is the Alertmanager.
pub(super) struct Outbox {
    clock: Arc<SimulatedClock>,
    sent: Mutex<Vec<Sent>>,
}

impl Outbox {
    pub(super) fn new(clock: Arc<SimulatedClock>) -> Outbox {
        Outbox { clock, sent: Mutex::default() }
    }

    pub(super) fn drain(&self) -> Vec<Sent> {
        std::mem::take(&mut self.sent.lock())
    }
}

impl Notify for Outbox {
    fn send(&self, alerts: Vec<model::Alert>) {
        let now = Timestamp::from_millis(self.clock.now_millis());
        self.sent.lock().extend(alerts.into_iter().map(|alert| (now, alert)));
    }
}

/// The engine over the database.
pub(super) struct Answers {
    engine: Engine,
    database: Database,
}

impl Query for Answers {
    fn instant(&self, expr: &str, time: Timestamp) -> Result<Vec<Sample>, String> {
        let options = QueryOptions::default();
        let answer = self.engine.instant(&self.database, expr, time, &options);
        let Value::Vector(samples) = answer.map_err(|error| error.to_string())?.value else {
            return Err("not a vector".to_owned());
        };
        let floats = samples.into_iter().filter_map(|sample| match sample.value {
            promql::SampleValue::Float(value) => {
                Some(Sample { labels: sample.labels, value: SampleValue::Float(value) })
            }
            promql::SampleValue::Histogram(_) => None,
        });
        Ok(floats.collect())
    }
}

/// One process.
pub(super) struct Server {
    pub(super) disk: SimulatedDisk,
    pub(super) database: Database,
    pub(super) answers: Arc<Answers>,
    pub(super) manager: Manager,
    clock: Arc<SimulatedClock>,
}

impl Server {
    /// On what is on `disk`.
    pub(super) async fn start(
        plan: &Plan,
        simulation: &Simulation,
        disk: SimulatedDisk,
        outbox: Arc<Outbox>,
    ) -> Result<Server, String> {
        let clock = simulation.clock.clone();
        let runtime = Runtime { disk: Arc::new(disk.clone()), ..simulation.runtime() };
        let database = Database::open(&runtime, Path::new("data"), tsdb::Options::default())
            .map_err(|error| format!("does not start: {error}"))?;
        let engine = Engine::new(promql::Options::default(), clock.clone());
        let answers = Arc::new(Answers { engine, database: database.clone() });
        let world = World {
            query: answers.clone(),
            storage: Arc::new(database.clone()),
            history: Arc::new(database.clone()),
            notify: outbox,
            clock: clock.clone(),
            metrics: Metrics::register(&telemetry::Registry::default()),
        };
        let mut manager = Manager::new(world, settings());
        manager.set_recovery(Recovery {
            catch_up: Duration::from_secs(OUTAGE_TOLERANCE),
            settle: Duration::from_secs(plan.scrape * 2),
        });
        manager.update(settings(), vec![("rules.yml".to_owned(), groups(plan))]).await;
        let server = Server { disk, database, answers, manager, clock };
        server.settle().await?;
        Ok(server)
    }

    /// Stores `level` of each instance, and how many scrapes there were.
    pub(super) fn scrape(&self, levels: &[bool], n_scrapes: u64) {
        let at = Timestamp::from_millis(self.clock.now_millis());
        let mut appender = self.database.appender();
        // A disk that has stopped takes nothing.
        let mut append = |labels: Labels, value: f64| {
            drop(appender.append(SeriesRef::UNKNOWN, &labels, at, value));
        };
        append(Labels::from_pairs([("__name__", "ticks")]), n_scrapes as f64);
        for (instance, level) in levels.iter().enumerate() {
            let pairs = [("__name__", "level"), ("instance", &instance.to_string())];
            append(Labels::from_pairs(pairs), f64::from(u8::from(*level)));
        }
        drop(appender.commit());
    }

    /// Lets the groups do all that is due.
    pub(super) async fn settle(&self) -> Result<(), String> {
        // A machine that does other things, too, may take its time.
        for _ in 0..50_000_000 {
            if self.manager.is_up_to(self.clock.now()) {
                return Ok(());
            }
            tokio::task::yield_now().await;
            std::thread::yield_now();
        }
        Err("groups are stuck".to_owned())
    }

    /// Ends it; what it has written stays.
    pub(super) async fn stop(self) -> SimulatedDisk {
        self.manager.stop().await;
        drop(self.database);
        self.disk
    }
}

pub(super) fn settings() -> Settings {
    Settings {
        interval: Duration::from_secs(60),
        query_offset: Duration::ZERO,
        resend_delay: Duration::from_secs(60),
        restore: Restore {
            outage_tolerance: Duration::from_secs(OUTAGE_TOLERANCE),
            grace_period: Duration::from_secs(GRACE),
        },
        external_labels: Labels::default(),
        external_url: String::new(),
    }
}

fn groups(plan: &Plan) -> Vec<rules::file::Group> {
    let options = rules::file::Options {
        names: ValidationScheme::Utf8,
        ignore_unknown_fields: false,
        check_expr: &|text| Ok(text.to_owned()),
    };
    rules::file::parse(&plan.rules(), &options).expect("the plan makes good files").groups
}

/// The groups as the server runs them.
pub(super) fn definitions(plan: &Plan) -> Vec<Definition> {
    let groups = groups(plan).into_iter();
    groups
        .map(|group| Definition {
            file: "rules.yml".to_owned(),
            name: group.name,
            interval: group.interval.expect("each has one"),
            query_offset: group.query_offset,
            limit: group.limit,
            rules: group.rules.into_iter().map(Arc::new).collect(),
        })
        .collect()
}
