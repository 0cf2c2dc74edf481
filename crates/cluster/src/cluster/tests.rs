//! Whole members on a simulated network.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use parking_lot::Mutex;
use runtime::{Clock as _, Network as _, Runtime, Simulation};
use telemetry::Registry;
use tokio_util::sync::CancellationToken;

use crate::{Cluster, MemberId, Options, Outcome, lease::Backend};

const SECOND: Duration = Duration::from_secs(1);
const LIMIT: Duration = Duration::from_secs(10);

struct Member {
    cluster: Cluster,
    served: CancellationToken,
    n_asked: Arc<AtomicUsize>,
    registry: Registry,
}

struct World {
    simulation: Simulation,
    members: Vec<Member>,
}

impl World {
    async fn new(n: usize) -> World {
        let mut world = World { simulation: Simulation::new(1), members: Vec::new() };
        for idx in 0..n {
            let member = world.start(idx, "vesta", |_| {}).await;
            world.members.push(member);
        }
        world.run(6 * SECOND).await;
        world
    }

    async fn start(&self, idx: usize, label: &str, edit: impl Fn(&mut Options)) -> Member {
        let host = host(idx);
        let network = Arc::new(self.simulation.network.host(&host));
        let runtime = Runtime { network: network.clone(), ..self.simulation.runtime() };
        let mut gossip = gossip::Options::new("", "0.0.0.0:9094");
        gossip.peers = vec![format!("{}:9094", self::host(0)), format!("{}:9094", self::host(1))];
        let mut options = Options {
            id: MemberId(idx as u128 + 1),
            name: format!("member-{idx}"),
            label: label.to_owned(),
            store_address: SocketAddr::from(([0, 0, 0, 0], 10901)),
            web_url: format!("http://{host}:9090"),
            version: "0.1.0".to_owned(),
            fingerprint: 7,
            replication_factor: 0,
            lease: Backend::Gossip,
            lease_duration: 3 * SECOND,
            gossip,
        };
        edit(&mut options);
        let registry = Registry::default();
        let connect = Arc::new(grpc::Plain(network.clone()));
        let cluster = Cluster::start(options, connect, runtime.clone(), &registry);
        let cluster = cluster.await.expect("the port is free");
        let listener = network.listen("0.0.0.0:10901").await.expect("the port is free");
        let served = CancellationToken::new();
        tokio::spawn(transport::server::serve(
            vec![listener],
            grpc::finish(cluster.router()),
            transport::server::Limits::default(),
            runtime.clock.clone(),
            served.clone(),
        ));
        cluster.join();
        Member { cluster, served, n_asked: Arc::default(), registry }
    }

    async fn run(&self, duration: Duration) {
        self.simulation.clock.run_for(duration).await;
    }

    fn cut(&self, a: usize, b: usize) {
        self.simulation.network.cut(&host(a), &host(b));
    }

    fn heal(&self, a: usize, b: usize) {
        self.simulation.network.heal(&host(a), &host(b));
    }

    fn writers(&self) -> Vec<usize> {
        let members = self.members.iter().enumerate();
        members.filter(|(_, member)| member.cluster.may_write()).map(|(idx, _)| idx).collect()
    }

    /// All members have a turn for a slot that begins now; what they get.
    async fn turn(&self, key: u64) -> Vec<Outcome> {
        let slot = self.simulation.clock.now_millis();
        let outcomes = Arc::new(Mutex::new(vec![None; self.members.len()]));
        for (idx, member) in self.members.iter().enumerate() {
            let (cluster, n_asked) = (member.cluster.clone(), member.n_asked.clone());
            let (outcomes, clock) = (outcomes.clone(), self.simulation.clock.clone());
            tokio::spawn(async move {
                let fetch = || async {
                    n_asked.fetch_add(1, Ordering::Relaxed);
                    clock.sleep(Duration::from_millis(20)).await;
                    let text = format!("asked_by {idx}\n").repeat(50_000);
                    Outcome { has_failed: false, bytes: Bytes::from(text) }
                };
                let outcome = cluster.turn(key, slot, LIMIT, fetch).await;
                outcomes.lock()[idx] = outcome;
            });
        }
        self.run(2 * SECOND).await;
        let outcomes = outcomes.lock().clone();
        outcomes.into_iter().map(|outcome| outcome.expect("the turn is over")).collect()
    }

    fn n_asked(&self) -> usize {
        self.members.iter().map(|member| member.n_asked.load(Ordering::Relaxed)).sum()
    }

    async fn stop(self) {
        for member in self.members {
            let cluster = member.cluster.clone();
            let stopping = tokio::spawn(async move { cluster.stop().await });
            while !stopping.is_finished() {
                self.simulation.clock.run_for(SECOND).await;
            }
            member.served.cancel();
        }
    }
}

fn host(idx: usize) -> String {
    format!("10.0.0.{}", idx + 1)
}

#[tokio::test]
async fn members_find_each_other_and_one_writes() {
    let world = World::new(3).await;
    for member in &world.members {
        let members = member.cluster.members();
        assert_eq!(members.len(), 3);
        assert!(members.iter().all(|member| member.is_live && member.has_same_config));
        assert!(members[0].is_self && members[0].store_address.ends_with(":10901"));
        assert_eq!(member.cluster.status().lease.holder.as_deref(), Some("member-0"));
    }
    assert_eq!(world.writers(), [0]);
    world.stop().await;
}

#[tokio::test]
async fn one_asks_and_all_have_the_same() {
    let world = World::new(3).await;
    for key in 0..4 {
        let outcomes = world.turn(key).await;
        assert!(outcomes.windows(2).all(|pair| pair[0] == pair[1]));
    }
    // The first time of each target, whoever is not the first may not know that it has it, too.
    let before = world.n_asked();
    for key in 0..4 {
        world.turn(key).await;
    }
    assert_eq!(world.n_asked() - before, 4);
    let bytes: u64 = world.members[0].cluster.members().iter().map(|m| m.bytes_received).sum();
    assert!(bytes < 200_000, "{bytes} bytes, though outcomes are packed");
    world.stop().await;
}

#[tokio::test]
async fn whoever_dies_is_followed() {
    let mut world = World::new(3).await;
    let dead = world.members.remove(0);
    dead.cluster.kill().await;
    dead.served.cancel();
    let outcomes = world.turn(1).await;
    assert_eq!(outcomes[0], outcomes[1]);
    world.run(2 * SECOND).await;
    assert_eq!(world.writers(), [0], "the next one of those that are left");
    world.run(20 * SECOND).await;
    let members = world.members[0].cluster.members();
    assert_eq!(members.iter().filter(|member| member.is_live).count(), 2);
    assert_eq!(world.members[0].cluster.owners(1).len(), 2);
    world.stop().await;
}

#[tokio::test]
async fn a_planned_stop_hands_over_at_once() {
    let mut world = World::new(2).await;
    assert_eq!(world.writers(), [0]);
    world.members[0].cluster.acknowledge("queue", &[(5, 100)]);
    let leaving = world.members.remove(0);
    let cluster = leaving.cluster.clone();
    let stopping = tokio::spawn(async move { cluster.stop().await });
    world.run(Duration::from_millis(300)).await;
    assert_eq!(world.writers(), [0]);
    assert_eq!(world.members[0].cluster.acknowledged("queue", 5), Some(100));
    while !stopping.is_finished() {
        world.run(SECOND).await;
    }
    leaving.served.cancel();
    world.stop().await;
}

#[tokio::test]
async fn the_lease_can_be_passed_on() {
    let world = World::new(2).await;
    let cluster = world.members[0].cluster.clone();
    let releasing = tokio::spawn(async move { cluster.release().await });
    world.run(Duration::from_millis(300)).await;
    assert_eq!(releasing.await.expect("it does not panic"), Ok(()));
    assert_eq!(world.writers(), [1]);
    let error = world.members[0].cluster.release().await.expect_err("it is not ours");
    assert_eq!(error, "this member does not hold the lease");
    world.run(60 * SECOND).await;
    assert_eq!(world.writers(), [1], "it sticks");
    world.stop().await;
}

#[tokio::test]
async fn the_lease_can_be_passed_to_and_fro() {
    let world = World::new(2).await;
    for from in [0, 1, 0, 1] {
        let cluster = world.members[from].cluster.clone();
        let releasing = tokio::spawn(async move { cluster.release().await });
        world.run(2 * SECOND).await;
        assert_eq!(releasing.await.expect("it does not panic"), Ok(()), "{from}");
        assert_eq!(world.writers(), [1 - from], "though that one has just let go, too");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_cut_makes_two_and_healing_one() {
    let world = World::new(2).await;
    world.cut(0, 1);
    world.run(10 * SECOND).await;
    assert_eq!(world.writers(), [0, 1], "each side goes on");
    world.members[1].cluster.acknowledge("queue", &[(9, 50)]);
    world.heal(0, 1);
    world.run(40 * SECOND).await;
    assert_eq!(world.writers().len(), 1);
    assert_eq!(world.members[0].cluster.acknowledged("queue", 9), Some(50));
    world.stop().await;
}

#[tokio::test]
async fn other_configurations_share_nothing_but_the_lease() {
    let world = World::new(2).await;
    world.members[1].cluster.set_fingerprint(8);
    world.run(SECOND).await;
    assert!(!world.members[0].cluster.members()[1].has_same_config);
    world.turn(1).await;
    assert_eq!(world.n_asked(), 2);
    assert_eq!(world.writers(), [0]);
    world.stop().await;
}

#[tokio::test]
async fn strangers_are_named() {
    let mut world = World::new(1).await;
    // Another cluster's gossip is not heard, so its link must not be, either.
    let stranger = world.start(1, "elsewhere", |_| {}).await;
    world.run(10 * SECOND).await;
    assert_eq!(world.members[0].cluster.members().len(), 1);
    let copied = world.start(2, "vesta", |options| options.id = MemberId(1)).await;
    world.run(10 * SECOND).await;
    assert_eq!(world.writers(), [0]);
    world.members.push(stranger);
    world.members.push(copied);
    world.stop().await;
}

#[tokio::test]
async fn metrics_tell_who_is_there() {
    let world = World::new(2).await;
    let families = world.members[0].registry.gather();
    let names: Vec<&str> = families.iter().map(|family| &*family.name).collect();
    assert!(names.is_sorted() && names.iter().all(|name| name.starts_with("vesta_cluster_")));
    assert!(names.contains(&"vesta_cluster_member_live"));
    world.stop().await;
}
