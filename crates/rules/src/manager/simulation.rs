//! Whole servers' worth of rules over a real database on a simulated disk: restarted, killed and
//! paused while alerts are pending, firing and kept firing. Nothing may begin anew, end wrongly or
//! be missing afterwards. Failures name the seed that replays them.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use model::{Labels, Matcher, TimeRange, Timestamp};
use runtime::{Clock as _, Runtime, Simulation, clock::SimulatedClock};
use storage::{Appendable as _, Columns, Queryable as _, SelectHints};
use tsdb::Database;

use super::{Manager, Recovery, definitions, tests::groups};
use crate::{
    Metrics, Notify, Query as _, Settings, State, World,
    alerting::Restore,
    tests::world::{self, TinyQuery},
};

const SCRAPE: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_secs(5);

/// `Kept` is true for the first six minutes only; the others always.
const RULES: &str = "
groups:
- name: reads
  interval: 15s
  rules: [{record: z, expr: y + 1}]
- name: records
  interval: 15s
  rules: [{record: x, expr: scraped + 1}, {record: y, expr: x + 1}]
- name: alerts
  interval: 15s
  rules:
  - {alert: Pending, expr: scraped > 0, for: 40m}
  - {alert: Firing, expr: scraped > 0, for: 5m}
  - {alert: LongFiring, expr: scraped > 0, for: 11m}
  - {alert: Kept, expr: phase > 0, for: 3m, keep_firing_for: 30m}
";

#[derive(Debug, Clone, Copy)]
enum Fault {
    Restart,
    Kill,
    Pause,
}

/// Alerts with the moment at which they were sent.
struct Outbox {
    clock: Arc<SimulatedClock>,
    sent: Mutex<Vec<(Timestamp, model::Alert)>>,
}

impl Notify for Outbox {
    fn send(&self, alerts: Vec<model::Alert>) {
        let now = Timestamp::from_millis(self.clock.now_millis());
        let alerts = alerts.into_iter().map(|alert| (now, alert));
        self.sent.lock().expect("no sender panics").extend(alerts);
    }
}

/// A server as far as rules see it.
struct Server {
    seed: u64,
    clock: Arc<SimulatedClock>,
    runtime: Runtime,
    database: Database,
    outbox: Arc<Outbox>,
    manager: Manager,
    started: Duration,
    /// Targets are scraped so long after multiples of the interval.
    phase: Duration,
}

fn settings() -> Settings {
    let restore = Restore {
        outage_tolerance: Duration::from_secs(3600),
        grace_period: Duration::from_secs(600),
    };
    Settings { restore, ..world::settings() }
}

impl Server {
    async fn start(
        seed: u64,
        clock: Arc<SimulatedClock>,
        runtime: Runtime,
        outbox: Arc<Outbox>,
        started: Duration,
    ) -> Server {
        let database = Database::open(&runtime, Path::new("data"), tsdb::Options::default())
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let world = World {
            query: Arc::new(TinyQuery(Arc::new(database.clone()))),
            storage: Arc::new(database.clone()),
            history: Arc::new(database.clone()),
            notify: outbox.clone(),
            clock: clock.clone(),
            metrics: Metrics::register(&telemetry::Registry::default()),
        };
        let mut manager = Manager::new(world, settings());
        manager.set_recovery(Recovery { catch_up: Duration::from_secs(3600), settle: SCRAPE * 2 });
        manager.update(settings(), vec![("rules.yml".to_owned(), groups(RULES))]).await;
        let phase = TICK * u32::try_from(seed % 6).expect("it is small");
        let mut server = Server { seed, clock, runtime, database, outbox, manager, started, phase };
        server.settle().await;
        server
    }

    /// Lets the groups do all that is due.
    async fn settle(&mut self) {
        for _ in 0..100_000 {
            let now = self.clock.now();
            let is_behind = |group: &super::Running| {
                *group.progress.done.borrow() + group.progress.interval <= now
            };
            if !self.manager.groups.values().any(is_behind) {
                return;
            }
            tokio::task::yield_now().await;
            std::thread::yield_now();
        }
        panic!("seed {}: groups are stuck", self.seed);
    }

    async fn run_for(&mut self, duration: Duration) {
        let end = self.clock.now() + duration;
        while self.clock.now() < end {
            self.clock.advance(TICK);
            self.scrape();
            self.settle().await;
        }
    }

    fn scrape(&self) {
        let now = self.clock.now();
        if !(now.as_secs() + self.phase.as_secs()).is_multiple_of(SCRAPE.as_secs()) {
            return;
        }
        let at = Timestamp::from_millis(self.clock.now_millis());
        let is_early = now < self.started + Duration::from_secs(360);
        let mut appender = self.database.appender();
        for (name, value) in [("scraped", 1.0), ("phase", f64::from(u8::from(is_early)))] {
            let labels = Labels::from_pairs([("__name__", name), ("job", "j")]);
            // A disk that has stopped takes nothing.
            drop(appender.append(storage::SeriesRef::UNKNOWN, &labels, at, value));
        }
        drop(appender.commit());
    }

    fn active_at(&self, alert: &str) -> Option<(State, Timestamp)> {
        let groups = self.manager.statuses().groups();
        let mut rules = groups.iter().flat_map(|group| &group.rules);
        let rule = rules.find(|rule| rule.rule.name == alert)?;
        rule.alerts.first().map(|alert| (alert.state, alert.active_at))
    }

    /// The end of this server, and the one after it.
    async fn suffer(mut self, fault: Fault, simulation: &Simulation, outage: Duration) -> Server {
        let Server { seed, clock, outbox, started, .. } = &self;
        let (seed, clock, outbox, started) = (*seed, clock.clone(), outbox.clone(), *started);
        let runtime = match fault {
            Fault::Pause => {
                clock.advance(Duration::from_secs(600));
                self.settle().await;
                return self;
            }
            Fault::Restart => {
                self.manager.stop().await;
                drop(self.database);
                self.runtime
            }
            Fault::Kill => {
                // Somewhere in the writes of the next evaluations.
                simulation.disk.stop_after(seed % 40);
                self.run_for(TICK * 3).await;
                self.manager.stop().await;
                drop(self.database);
                let disk = simulation.disk.after_kill();
                Runtime { disk: Arc::new(disk), ..self.runtime }
            }
        };
        clock.advance(outage);
        Server::start(seed, clock, runtime, outbox, started).await
    }
}

async fn check(seed: u64, fault: Fault) {
    let simulation = Simulation::new(seed);
    let (clock, runtime) = (simulation.clock.clone(), simulation.runtime());
    let outbox = Arc::new(Outbox { clock: clock.clone(), sent: Mutex::default() });
    let started = clock.now();
    let mut server = Server::start(seed, clock.clone(), runtime, outbox.clone(), started).await;
    let before = Duration::from_secs(780 + seed * 7 % 240);
    server.run_for(before).await;
    let alerts = ["Pending", "Firing", "LongFiring", "Kept"];
    let known: BTreeMap<_, _> =
        alerts.into_iter().map(|alert| (alert, server.active_at(alert))).collect();
    for (alert, active) in &known {
        let (state, _) = active.unwrap_or_else(|| panic!("seed {seed}: {alert} is not active"));
        assert_eq!(state == State::Pending, *alert == "Pending", "seed {seed}: {alert} {state:?}");
    }

    let mut outage = TICK * u32::try_from(4 + seed * 13 % 44).expect("it is small");
    let mut server = server.suffer(fault, &simulation, outage).await;
    if matches!(fault, Fault::Kill) {
        // It could not write for a while before.
        outage += TICK * 3;
    }
    server.run_for(SCRAPE * 4).await;

    // Nothing began anew: the outage may not count, but what came before it does.
    for (alert, active) in &known {
        let context = format!("seed {seed}, {fault:?} of {outage:?}: {alert}");
        let (state, was) = active.expect("it was active");
        let (state_now, is) =
            server.active_at(alert).unwrap_or_else(|| panic!("{context} is gone"));
        assert_eq!(state_now, state, "{context}");
        assert!(is.since(was) <= outage + Duration::from_secs(45), "{context}: {was:?} {is:?}");
    }
    // Nothing ended that goes on.
    for (at, alert) in outbox.sent.lock().expect("no sender panics").iter() {
        assert!(
            alert.ends_at > *at,
            "seed {seed}, {fault:?}: resolved at {at:?}: {}",
            alert.labels
        );
    }
    server.run_for(SCRAPE).await;
    check_recorded(&server, fault);
    server.manager.stop().await;
}

/// Every recorded sample is there, once, with the value that its query has at that moment.
fn check_recorded(server: &Server, fault: Fault) {
    let definitions = definitions(&settings(), vec![("rules.yml".to_owned(), groups(RULES))]);
    let query = TinyQuery(Arc::new(server.database.clone()));
    for (group, record, expr) in
        [("records", "x", "scraped + 1"), ("records", "y", "x + 1"), ("reads", "z", "y + 1")]
    {
        let definition = definitions.iter().find(|definition| definition.name == group);
        let definition = definition.expect("it is configured");
        let mut wanted = Vec::new();
        // The first slots may see nothing yet of what other groups record.
        let mut slot = definition.slot_before(server.started + SCRAPE * 3);
        while slot <= definition.slot_before(server.clock.now()) {
            let at = Timestamp::from_millis(slot.as_millis() as i64);
            let samples = query.instant(expr, at).expect("it can be asked");
            wanted.extend(samples.iter().map(|_| at.as_millis()));
            slot += definition.interval;
        }
        let first = Timestamp::from_millis(*wanted.first().expect("there are some"));
        let range = TimeRange { start: first, end: Timestamp::from_millis(i64::MAX) };
        let context = format!("seed {}, {fault:?}: {record}", server.seed);
        assert_eq!(times(&server.database, record, range), wanted, "{context}");
    }
}

fn times(database: &Database, name: &str, range: TimeRange) -> Vec<i64> {
    let querier = database.querier(range).expect("it is open");
    let matchers = [Matcher::equal("__name__", name)];
    let set = querier.select(true, &SelectHints::new(range), &matchers).expect("it can be read");
    let mut columns = Columns::default();
    for series in set.series {
        series.read(range, &mut columns).expect("it can be read");
    }
    let pairs = columns.times.iter().zip(&columns.values);
    pairs.filter(|(_, value)| !model::float::is_stale(**value)).map(|(time, _)| *time).collect()
}

async fn check_all(fault: Fault) {
    for seed in 0..24 {
        check(seed, fault).await;
    }
}

#[tokio::test]
async fn a_restart_loses_no_alert_and_no_sample() {
    check_all(Fault::Restart).await;
}

#[tokio::test]
async fn a_kill_loses_no_alert_and_no_sample() {
    check_all(Fault::Kill).await;
}

#[tokio::test]
async fn a_pause_loses_no_alert_and_no_sample() {
    check_all(Fault::Pause).await;
}
