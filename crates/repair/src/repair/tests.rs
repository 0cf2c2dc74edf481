//! Members that repair each other, in simulation.

use std::{path::PathBuf, sync::Arc, time::Duration};

use grpc::Plain;
use model::{Labels, Matcher, TimeRange, Timestamp};
use parking_lot::Mutex;
use runtime::{Clock as _, Network as _, Random as _, Runtime, Simulation, random::SeededRandom};
use storage::{Columns, Mark, MemoryStorage, Queryable as _, SelectHints};
use telemetry::Registry;
use tokio_util::sync::CancellationToken;

use super::{Backfill, Member, Repair, Settings, Sources, Written};
use crate::digest::{all, digests};

/// Samples of tests come so often.
const STEP_MS: i64 = 15_000;
const RETENTION: Duration = Duration::from_secs(2 * 3600);

/// Takes what is given, as the database does.
struct Store {
    storage: MemoryStorage,
    fails: Mutex<bool>,
    /// What others have had deleted here; once that fails, too, it is not allowed.
    deleted: Mutex<Vec<String>>,
}

fn read(storage: &MemoryStorage, labels: &Labels) -> Columns {
    let equal = |(name, value): (&str, &str)| Matcher::equal(name, value);
    let matchers: Vec<Matcher> = labels.iter().map(equal).collect();
    let hints = SelectHints::new(TimeRange::ALL);
    let querier = storage.querier(TimeRange::ALL).expect("memory does not fail");
    let set = querier.select(false, &hints, &matchers).expect("memory does not fail");
    let mut columns = Columns::default();
    if let Some(series) = set.series.iter().find(|series| series.labels() == *labels) {
        series.read(TimeRange::ALL, &mut columns).expect("memory does not fail");
    }
    columns
}

impl Store {
    fn delete(&self, range: TimeRange, matchers: &[Matcher]) -> Result<(), String> {
        if *self.fails.lock() {
            return Err("it does not allow that".to_owned());
        }
        let matchers: Vec<String> = matchers.iter().map(Matcher::to_string).collect();
        let (start, end) = (range.start.as_millis(), range.end.as_millis());
        self.deleted.lock().push(format!("{} {start} {end}", matchers.join(",")));
        Ok(())
    }
}

impl Backfill for Store {
    fn write(
        &self,
        series: &mut (dyn Iterator<Item = (Labels, Columns)> + Send),
    ) -> Result<Written, String> {
        let mut written = Written::default();
        for (labels, given) in series {
            if *self.fails.lock() {
                return Err("no space left on device".to_owned());
            }
            let mut stored = read(&self.storage, &labels);
            let before = stored.len();
            stored.retain(Mark::default(), |time| given.times.binary_search(&time).is_err());
            let kept = stored.len();
            written.replaced += (before - kept) as u64;
            written.added += (given.len() - (before - kept)) as u64;
            let split = stored.mark();
            stored.times.extend(&given.times);
            stored.values.extend(&given.values);
            stored.merge_runs(Mark::default(), split);
            self.storage.insert(labels, stored);
        }
        Ok(written)
    }
}

struct World {
    simulation: Simulation,
    members: Vec<One>,
    live: Arc<Mutex<Vec<bool>>>,
    stop: CancellationToken,
}

struct One {
    store: Arc<Store>,
    repair: Repair,
}

fn address(idx: usize) -> String {
    format!("10.0.0.{}:10901", idx + 1)
}

impl World {
    async fn new(n_members: usize) -> World {
        let simulation = Simulation::new(1);
        let mut world = World {
            simulation,
            members: Vec::new(),
            live: Arc::new(Mutex::new(vec![true; n_members])),
            stop: CancellationToken::new(),
        };
        for idx in 0..n_members {
            let fails = Mutex::new(false);
            let deleted = Mutex::default();
            let store = Arc::new(Store { storage: MemoryStorage::default(), fails, deleted });
            let repair = world.start(idx, n_members, store.clone()).await;
            world.members.push(One { store, repair });
        }
        world
    }

    async fn start(&self, idx: usize, n_members: usize, store: Arc<Store>) -> Repair {
        let network = Arc::new(self.simulation.network.host(&format!("10.0.0.{}", idx + 1)));
        let runtime = Runtime { network: network.clone(), ..self.simulation.runtime() };
        let live = self.live.clone();
        let members = move || {
            let live = live.lock();
            let others = (0..n_members).filter(|other| *other != idx);
            let member = |other: usize| Member {
                id: other.to_string(),
                name: format!("m{other}"),
                address: address(other),
                is_live: live[other],
                is_replica: true,
            };
            others.map(member).collect()
        };
        let (known, deleting) = (store.clone(), store.clone());
        let sources = Sources {
            series: Arc::new(store.storage.clone()),
            writer: store,
            oldest: Arc::new(move || oldest(&known.storage)),
            delete: Arc::new(move |range, matchers| deleting.delete(range, matchers)),
            members: Arc::new(members),
            connect: Arc::new(Plain(network.clone())),
        };
        let settings =
            Settings { retention: RETENTION, ..Settings::new(PathBuf::from(format!("/m{idx}"))) };
        let repair = Repair::new(settings, sources, &runtime, &Registry::default());
        let repair = repair.expect("the disk is fine");
        if self.members.len() <= idx {
            let listener = network.listen(&address(idx)).await.expect("it is free");
            let router = grpc::finish(repair.router());
            let (clock, stop) = (self.simulation.clock.clone(), self.stop.clone());
            tokio::spawn(async move {
                let limits = transport::server::Limits::default();
                transport::server::serve(vec![listener], router, limits, clock, stop).await;
            });
        }
        repair
    }

    fn now(&self) -> i64 {
        self.simulation.clock.now_millis()
    }

    /// Puts a sample of a series into the stores of some members.
    fn put(&self, members: &[usize], series: u64, time: i64, value: f64) {
        for idx in members {
            let storage = &self.members[*idx].store.storage;
            let labels = labels(series);
            let mut columns = read(storage, &labels);
            let split = columns.mark();
            columns.times.push(time);
            columns.values.push(value);
            columns.merge_runs(Mark::default(), split);
            storage.insert(labels, columns);
        }
    }

    /// Lets members work, in turns, until nobody has anything to do.
    async fn settle(&self) {
        for _ in 0..100 {
            let mut has_worked = false;
            for (idx, one) in self.members.iter().enumerate() {
                let is_live = self.live.lock()[idx];
                while is_live && one.repair.0.turn(&self.stop).await {
                    has_worked = true;
                }
            }
            if !has_worked {
                return;
            }
        }
        panic!("there is no end to it");
    }

    fn set_live(&self, idx: usize, is_live: bool) {
        self.live.lock()[idx] = is_live;
        let host = format!("10.0.0.{}", idx + 1);
        for other in (0..self.members.len()).filter(|other| *other != idx) {
            let other = format!("10.0.0.{}", other + 1);
            match is_live {
                true => self.simulation.network.heal(&host, &other),
                false => self.simulation.network.cut(&host, &other),
            }
        }
    }

    fn digest(&self, idx: usize) -> crate::digest::Digest {
        // What is too old or too young is not repaired.
        let range = TimeRange::from_millis(
            self.now() - RETENTION.as_millis() as i64,
            (self.now() - 30_000).div_euclid(120_000) * 120_000 - 1,
        );
        let storage = &self.members[idx].store.storage;
        digests(storage, &[range]).expect("memory does not fail").remove(0)
    }

    #[track_caller]
    fn assert_equal(&self, n_samples: u64) {
        for idx in 0..self.members.len() {
            let digest = self.digest(idx);
            assert_eq!(digest.n_samples, n_samples, "member {idx}");
            assert_eq!(digest.difference(&self.digest(0)), 0, "member {idx}");
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn labels(series: u64) -> Labels {
    Labels::from_pairs([("__name__", "a"), ("x", &series.to_string())])
}

fn oldest(storage: &MemoryStorage) -> Option<Timestamp> {
    let hints = SelectHints::new(TimeRange::ALL);
    let querier = storage.querier(TimeRange::ALL).ok()?;
    let set = querier.select(false, &hints, &[all()]).ok()?;
    let first = |labels: Labels| read(storage, &labels).times.first().copied();
    set.series.iter().filter_map(|s| first(s.labels())).min().map(Timestamp::from_millis)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_with_random_differences_become_equal() {
    for seed in 0..12 {
        let random = SeededRandom::new(seed);
        let n_members = 2 + (seed % 2) as usize;
        let world = World::new(n_members).await;
        let mut n_samples = 0;
        for series in 0..6 {
            for step in 4..60 {
                let has: Vec<usize> = (0..n_members).filter(|_| random.fraction() < 0.7).collect();
                n_samples += u64::from(!has.is_empty());
                for idx in has {
                    let value = if random.fraction() < 0.1 { random.fraction() } else { 1.0 };
                    world.put(&[idx], series, world.now() - step * STEP_MS, value);
                }
            }
        }
        // Of the newest windows there are samples that are not compared yet.
        world.simulation.clock.advance(Duration::from_secs(240));
        world.settle().await;
        world.assert_equal(n_samples);
        for one in &world.members {
            assert!(one.repair.holes().is_empty(), "seed {seed}: {:?}", one.repair.holes());
            let status = one.repair.status();
            assert!(status.peers.iter().all(|peer| peer.error.is_none()), "{status:?}");
            assert!(status.windows_compared > 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_was_down_catches_up_and_says_what_it_lacks() {
    let mut world = World::new(3).await;
    world.simulation.clock.advance(Duration::from_secs(300));
    world.settle().await;
    world.set_live(2, false);
    let down = world.now();
    for step in 0..120 {
        world.put(&[0, 1], 1, world.now(), f64::from(step));
        world.simulation.clock.advance(Duration::from_millis(STEP_MS as u64));
        if step % 20 == 0 {
            world.settle().await;
        }
    }
    // It starts again, with what it noted.
    let store = world.members[2].store.clone();
    let repair = world.start(2, 3, store).await;
    world.members[2].repair = repair;
    world.set_live(2, true);
    let hole = world.members[2].repair.holes_within(TimeRange::ALL);
    let closed = (down - 30_000).div_euclid(120_000) * 120_000;
    assert_eq!(hole, [TimeRange::from_millis(closed, world.now() + 60_000)]);
    world.simulation.clock.advance(Duration::from_secs(240));
    world.settle().await;
    world.assert_equal(120);
    assert!(world.members[2].repair.holes().is_empty());
    let status = world.members[2].repair.status();
    assert_eq!((status.samples_added, status.samples_replaced), (120, 0));
    // The others had it all along.
    assert_eq!(world.members[0].repair.status().samples_added, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_cut_both_sides_agree() {
    let world = World::new(2).await;
    world.simulation.clock.advance(Duration::from_secs(300));
    world.settle().await;
    world.set_live(1, false);
    world.live.lock()[0] = false;
    for _ in 0..30 {
        // Both asked the target, and saw something else.
        world.put(&[0], 1, world.now(), 1.0);
        world.put(&[1], 1, world.now(), 2.0);
        world.put(&[1], 2, world.now(), 3.0);
        world.simulation.clock.advance(Duration::from_millis(STEP_MS as u64));
    }
    world.set_live(1, true);
    world.live.lock()[0] = true;
    world.simulation.clock.advance(Duration::from_secs(240));
    world.settle().await;
    world.assert_equal(60);
    let values = read(&world.members[0].store.storage, &labels(1)).values;
    assert!(values.iter().all(|value| *value == 2.0), "{values:?}");
    let status = world.members[0].repair.status();
    assert_eq!((status.samples_added, status.samples_replaced), (30, 30));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_written_stays_a_hole_and_is_tried_again() {
    let world = World::new(2).await;
    world.put(&[0], 1, world.now(), 1.0);
    world.simulation.clock.advance(Duration::from_secs(300));
    *world.members[1].store.fails.lock() = true;
    world.settle().await;
    let status = world.members[1].repair.status();
    let error = status.peers[0].error.as_deref();
    assert_eq!(error, Some("write samples: no space left on device"));
    assert!(!status.holes.is_empty());
    *world.members[1].store.fails.lock() = false;
    world.simulation.clock.advance(Duration::from_secs(2));
    world.settle().await;
    world.assert_equal(1);
    let status = world.members[1].repair.status();
    assert!(status.holes.is_empty() && status.peers[0].error.is_none(), "{status:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_is_away_is_asked_later() {
    let world = World::new(3).await;
    world.set_live(2, false);
    world.put(&[0], 1, world.now(), 1.0);
    world.put(&[2], 2, world.now(), 1.0);
    world.simulation.clock.advance(Duration::from_secs(300));
    world.settle().await;
    assert!(world.members[1].repair.holes().is_empty(), "all that are there were asked");
    assert_eq!(world.digest(1).n_samples, 1);
    world.set_live(2, true);
    world.settle().await;
    world.assert_equal(2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trouble_of_this_member_is_repaired_whatever_was_compared() {
    let world = World::new(2).await;
    let time = world.now();
    world.put(&[0, 1], 1, time, 1.0);
    world.simulation.clock.advance(Duration::from_secs(300));
    world.settle().await;
    world.members[1].store.storage.clear();
    world.settle().await;
    assert_eq!(world.digest(1).n_samples, 0);
    world.members[1].repair.add_hole(TimeRange::from_millis(time, time));
    assert_eq!(world.members[1].repair.holes_within(TimeRange::ALL).len(), 1);
    world.settle().await;
    world.assert_equal(1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_damaged_costs_a_comparison_only() {
    let world = World::new(2).await;
    let file = std::path::Path::new("/m0");
    world.simulation.runtime().disk.write_atomically(file, b"\xff").expect("the disk is fine");
    let store = world.members[0].store.clone();
    let network = Arc::new(world.simulation.network.host("10.0.0.1"));
    let sources = Sources {
        series: Arc::new(store.storage.clone()),
        writer: store,
        oldest: Arc::new(|| None),
        delete: Arc::new(|_, _| Err("it does not".to_owned())),
        members: Arc::new(Vec::new),
        connect: Arc::new(Plain(network)),
    };
    let settings = Settings::new(file.to_path_buf());
    let runtime = world.simulation.runtime();
    let repair = Repair::new(settings, sources, &runtime, &Registry::default());
    let holes = repair.expect("it begins anew").holes();
    assert_eq!(holes.iter().count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_deleted_is_deleted_by_all_who_allow_it() {
    let world = World::new(4).await;
    world.live.lock()[2] = false;
    *world.members[3].store.fails.lock() = true;
    let matchers = [Matcher::equal("job", "shop")];
    let range = TimeRange::from_millis(5, 9);
    let complaints = world.members[0].repair.delete_elsewhere(range, &matchers).await;
    assert_eq!(complaints, ["member m2: it is away", "member m3: it does not allow that"]);
    assert_eq!(*world.members[1].store.deleted.lock(), ["job=\"shop\" 5 9"]);
    assert!(world.members[0].store.deleted.lock().is_empty());
}
