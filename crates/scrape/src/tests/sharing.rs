//! Two servers that share their scrapes.

use std::{sync::Arc, time::Duration};

use model::Timestamp;
use parking_lot::Mutex;
use runtime::BoxFuture;

use super::world::{World, expect, job, text};
use crate::{Options, SharedAnswer, Sharing};

/// Asks, and keeps what it was told; or tells it to those who come later.
#[derive(Clone, Default)]
struct Peers {
    told: Arc<Mutex<Vec<(u64, i64, SharedAnswer)>>>,
}

impl Sharing for Peers {
    fn name(&self) -> String {
        "cluster".to_owned()
    }

    fn holds(&self, _: u64) -> bool {
        true
    }

    fn turn<'a>(
        &'a self,
        target: u64,
        slot: Timestamp,
        _: Duration,
        ask: BoxFuture<'a, SharedAnswer>,
    ) -> BoxFuture<'a, Option<SharedAnswer>> {
        Box::pin(async move {
            let slot = slot.as_millis();
            let told =
                self.told.lock().iter().find(|told| (told.0, told.1) == (target, slot)).cloned();
            if let Some((.., answer)) = told {
                return Some(answer);
            }
            let answer = ask.await;
            self.told.lock().push((target, slot, answer.clone()));
            Some(answer)
        })
    }
}

/// A world whose target counts requests.
async fn world(peers: &Peers, options: Options) -> World {
    let world = World::sharing(options, Arc::new(peers.clone()));
    world.serve("host", text("a 1\n")).await;
    world.apply(vec![job()]);
    world.discover("job", &["host:80"]);
    world.run_for(40).await;
    world
}

#[tokio::test]
async fn servers_with_other_names_store_the_same() {
    let peers = Peers::default();
    let first = world(&peers, Options { host_name: "a".to_owned(), ..Options::default() }).await;
    let second = world(&peers, Options { host_name: "b".to_owned(), ..Options::default() }).await;
    assert_eq!((first.requests.lock().len(), second.requests.lock().len()), (4, 0));
    assert_eq!(first.times("a"), second.times("a"));
    let everything = |world: &World| world.series(|_| true);
    expect(&everything(&second), &everything(&first));
}

/// Another server has the target.
struct Elsewhere;

impl Sharing for Elsewhere {
    fn name(&self) -> String {
        String::new()
    }

    fn holds(&self, _: u64) -> bool {
        false
    }

    fn turn<'a>(
        &'a self,
        _: u64,
        _: Timestamp,
        _: Duration,
        _: BoxFuture<'a, SharedAnswer>,
    ) -> BoxFuture<'a, Option<SharedAnswer>> {
        Box::pin(async { None })
    }
}

#[tokio::test]
async fn targets_of_other_servers_are_left_alone() {
    let world = World::sharing(Options::default(), Arc::new(Elsewhere));
    world.serve("host", text("a 1\n")).await;
    world.apply(vec![job()]);
    world.discover("job", &["host:80"]);
    world.run_for(40).await;
    assert_eq!(world.series(|_| true), "");
    assert!(world.targets().is_empty());
}

/// The other server has asked the target all the time; this one was stopped for a while.
#[tokio::test]
async fn missed_slots_are_learnt_from_others() {
    let peers = Peers::default();
    let first = world(&peers, Options::default()).await;
    let second = World::sharing(Options::default(), Arc::new(peers.clone()));
    second.serve("host", text("b 1\n")).await;
    second.apply(vec![job()]);
    second.discover("job", &["host:80"]);
    second.run_for(10).await;
    // Time passes, and nothing runs.
    second.simulation.clock.advance(Duration::from_secs(25));
    second.run_for(5).await;
    assert_eq!(second.requests.lock().len(), 0);
    assert_eq!(first.times("a"), second.times("a"));
}
