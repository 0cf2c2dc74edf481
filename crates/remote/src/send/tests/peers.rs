//! Two servers with the same samples, of which one writes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::Mutex;
use runtime::{BoxFuture, Clock as _};
use tokio::sync::Notify;

use super::world::{FakeReceiver, World, config};
use crate::send::{Fate, Peers};

const SECOND: Duration = Duration::from_secs(1);

/// What both servers agree on.
#[derive(Default)]
struct Agreed {
    writer: Mutex<usize>,
    acknowledged: Mutex<BTreeMap<u64, i64>>,
    /// Times of which the writer has had nothing.
    lacking: Mutex<BTreeSet<i64>>,
    changed: Notify,
    /// One of the two is gone.
    is_alone: AtomicBool,
}

struct Member {
    number: usize,
    is_spread: bool,
    agreed: Arc<Agreed>,
}

impl Peers for Member {
    fn may_write(&self) -> bool {
        self.is_spread || *self.agreed.writer.lock() == self.number
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.agreed.changed.notified())
    }

    fn can_take_over(&self) -> bool {
        true
    }

    fn is_spread(&self) -> bool {
        self.is_spread
    }

    fn sends(&self, _: &str, series: u64, n_turns: i64) -> bool {
        let is_first = (series % 2) as usize == self.number;
        !self.is_spread || is_first || n_turns > 0 && self.agreed.is_alone.load(Relaxed)
    }

    fn fate(&self, _: &str, series: u64, time: i64) -> Fate {
        if self.agreed.lacking.lock().contains(&time) {
            return Fate::Lacking;
        }
        match self.agreed.acknowledged.lock().get(&series) {
            Some(until) if time <= *until => Fate::Arrived,
            _ => Fate::Open,
        }
    }

    fn acknowledge(&self, _: &str, samples: &[(u64, i64)]) {
        let mut acknowledged = self.agreed.acknowledged.lock();
        for (series, time) in samples {
            self.agreed.lacking.lock().remove(time);
            let until = acknowledged.entry(*series).or_insert(*time);
            *until = (*until).max(*time);
        }
    }
}

struct Pair {
    agreed: Arc<Agreed>,
    receiver: Arc<FakeReceiver>,
    members: [World; 2],
}

impl Pair {
    async fn new() -> Pair {
        Pair::with(false).await
    }

    async fn with(is_spread: bool) -> Pair {
        let (agreed, receiver) = (Arc::<Agreed>::default(), Arc::<FakeReceiver>::default());
        let mut members = Vec::new();
        for number in 0..2 {
            let member = Arc::new(Member { number, is_spread, agreed: agreed.clone() });
            let mut world = World::with_peers(member, receiver.clone()).await;
            world.apply(vec![config()]).await;
            world.name(&[(1, &[("__name__", "up"), ("i", "1")])]);
            members.push(world);
        }
        let members = members.try_into().unwrap_or_else(|_| unreachable!("there are two"));
        Pair { agreed, receiver, members }
    }

    /// Both log a sample for each of these times.
    fn append(&mut self, times: std::ops::Range<i64>) {
        for time in times {
            self.members.iter_mut().for_each(|member| member.append(&[(1, time, 1.0)]));
        }
    }

    fn appoint(&self, number: usize) {
        *self.agreed.writer.lock() = number;
        self.agreed.changed.notify_waiters();
    }

    async fn run_for(&self, duration: Duration) {
        tokio::join!(self.members[0].run_for(duration), self.members[1].run_for(duration));
    }

    /// All samples of these times have arrived, each once.
    fn expect(&self, times: std::ops::Range<i64>) {
        let mut arrived: Vec<i64> =
            self.receiver.taken().iter().map(|sample| time(sample)).collect();
        arrived.sort_unstable();
        assert_eq!(arrived, times.collect::<Vec<_>>());
    }
}

fn time(sample: &str) -> i64 {
    let (_, time) = sample.rsplit_once('@').expect("a sample has a time");
    time.parse().expect("it is a number")
}

#[tokio::test]
async fn one_writes_and_the_next_goes_on_there() {
    let mut pair = Pair::new().await;
    pair.append(1..101);
    pair.run_for(SECOND * 5).await;
    assert_eq!(*pair.members[1].receiver.n_requests.lock(), 10);
    assert_eq!(pair.members[1].metric("storage_samples_total"), 0.0);
    assert_eq!(pair.members[1].metric("storage_samples_pending"), 0.0);
    pair.expect(1..101);
    pair.appoint(1);
    pair.append(101..150);
    pair.run_for(SECOND * 5).await;
    pair.appoint(0);
    pair.append(150..200);
    pair.run_for(SECOND * 5).await;
    pair.expect(101..200);
}

#[tokio::test]
async fn an_outage_of_the_receiver_is_handed_over() {
    let mut pair = Pair::new().await;
    pair.receiver.status.store(503, Relaxed);
    pair.append(1..500);
    pair.run_for(SECOND * 20).await;
    pair.appoint(1);
    pair.append(500..600);
    pair.run_for(SECOND * 20).await;
    pair.receiver.status.store(0, Relaxed);
    pair.run_for(SECOND * 60).await;
    pair.expect(1..600);
}

#[tokio::test]
async fn a_member_that_comes_back_does_not_repeat() {
    let mut pair = Pair::new().await;
    pair.append(1..50);
    pair.run_for(SECOND * 5).await;
    // Logged, and lost with the process before it was sent; the other has it.
    pair.append(50..60);
    pair.appoint(1);
    let Pair { agreed, receiver, members: [first, second] } = pair;
    let mut first = first.after_kill().await;
    first.share(Arc::new(Member { number: 0, is_spread: false, agreed: agreed.clone() }));
    first.apply(vec![config()]).await;
    let mut pair = Pair { agreed, receiver, members: [first, second] };
    pair.run_for(SECOND * 5).await;
    pair.appoint(0);
    pair.append(60..70);
    pair.run_for(SECOND * 5).await;
    pair.expect(1..70);
}

#[tokio::test]
async fn late_samples_of_the_writer_are_sent() {
    let mut pair = Pair::new().await;
    pair.append(100..110);
    pair.run_for(SECOND * 5).await;
    pair.append(50..60);
    pair.run_for(SECOND * 5).await;
    pair.append(110..111);
    pair.run_for(SECOND * 5).await;
    let mut arrived: Vec<i64> = pair.receiver.taken().iter().map(|sample| time(sample)).collect();
    arrived.sort_unstable();
    assert_eq!(arrived, (50..60).chain(100..111).collect::<Vec<_>>());
}

#[tokio::test]
async fn series_have_writers_of_their_own() {
    let mut pair = Pair::with(true).await;
    let names = |world: &mut World| {
        for series in 2..=20 {
            world.name(&[(series, &[("__name__", "up"), ("i", &series.to_string())])]);
        }
    };
    pair.members.iter_mut().for_each(names);
    let log = |world: &mut World, time| {
        let samples: Vec<_> = (1..=20).map(|series| (series, time, 1.0)).collect();
        world.append(&samples);
    };
    let start = pair.members[0].simulation.clock.now_millis();
    for time in 1..=10 {
        pair.members.iter_mut().for_each(|world| log(world, start + time));
    }
    pair.run_for(SECOND).await;
    let sent = |world: &World| world.metric("storage_samples_total");
    let (first, second) = (sent(&pair.members[0]), sent(&pair.members[1]));
    assert_eq!(first + second, 200.0);
    assert!(first > 0.0 && second > 0.0, "{first} and {second}");
    assert_eq!(pair.receiver.taken().len(), 200);
    // The other one goes on where one is gone.
    let [mut survivor, gone] = pair.members;
    drop(gone);
    pair.agreed.is_alone.store(true, Relaxed);
    let now = survivor.simulation.clock.now_millis();
    log(&mut survivor, now);
    survivor.run_for(SECOND * 6).await;
    assert_eq!(pair.receiver.taken().len(), 20);
}

#[tokio::test]
async fn what_the_writer_lacks_is_sent_by_whoever_has_it() {
    let mut pair = Pair::new().await;
    pair.append(1..50);
    pair.run_for(SECOND * 5).await;
    pair.members[1].append(&[(1, 50, 1.0)]);
    pair.agreed.lacking.lock().insert(50);
    // The receiver of these tests takes nothing late.
    pair.run_for(SECOND * 5).await;
    pair.append(51..60);
    pair.run_for(SECOND * 5).await;
    pair.expect(1..60);
    assert_eq!(pair.members[1].metric("storage_samples_total"), 1.0);
}

/// A receiver refuses a whole request because of one sample of which it has another value.
#[tokio::test]
async fn a_refused_sample_does_not_take_others_with_it() {
    let mut pair = Pair::new().await;
    pair.receiver.refused.lock().extend([7, 23]);
    pair.append(1..50);
    pair.run_for(SECOND * 5).await;
    let mut arrived: Vec<i64> = pair.receiver.taken().iter().map(|sample| time(sample)).collect();
    arrived.sort_unstable();
    let good = (1..50).filter(|time| ![7, 23].contains(time));
    assert_eq!(arrived, good.collect::<Vec<_>>());
    assert_eq!(pair.members[0].metric("storage_samples_failed_total"), 2.0);
    assert_eq!(pair.members[0].metric("storage_samples_pending"), 0.0);
    assert_eq!(pair.members[1].metric("storage_samples_pending"), 0.0);
}

/// Whoever refuses everything is not asked for every sample.
#[tokio::test]
async fn a_receiver_that_refuses_everything_is_left_alone() {
    let mut pair = Pair::new().await;
    pair.receiver.refused.lock().extend(1..50);
    pair.append(1..50);
    pair.run_for(SECOND * 5).await;
    assert_eq!(pair.members[0].metric("storage_samples_pending"), 0.0);
    assert!(*pair.receiver.n_requests.lock() < 100);
}
