//! Nodes that claim what they are about to tell, so that slow attempts are not repeated.

use std::sync::{
    Weak,
    atomic::{AtomicBool, Ordering},
};

use super::*;
use crate::history::{HistoryFilter, Outcome};

/// How long an attempt that starts at this second takes, and whether it works.
type Plan = fn(u64) -> (u64, bool);

struct Slow {
    node: usize,
    plan: Plan,
    told: Arc<Mutex<Vec<String>>>,
    clock: Arc<dyn runtime::Clock>,
}

impl Integration for Slow {
    fn name(&self) -> &str {
        "webhook"
    }

    fn idx(&self) -> usize {
        0
    }

    fn send_resolved(&self) -> bool {
        true
    }

    fn notify<'a>(&'a self, _: &'a Notification) -> BoxFuture<'a, Result<(), NotifyError>> {
        Box::pin(async move {
            let (takes, works) = (self.plan)(self.clock.monotonic().as_secs());
            self.clock.sleep(Duration::from_secs(takes)).await;
            if !works {
                return Err(NotifyError::transient("no"));
            }
            let at = self.clock.monotonic().as_secs();
            self.told.lock().push(format!("{at}s node {}", self.node));
            Ok(())
        })
    }
}

/// A place in line among nodes that hear each other at once, unless they are cut off.
struct Place {
    idx: usize,
    nodes: Arc<Mutex<Vec<Weak<Alertmanager>>>>,
    is_cut_off: AtomicBool,
}

impl Cluster for Place {
    fn position(&self) -> usize {
        self.idx
    }

    fn settled(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn broadcast(&self, state: StateKey, message: Vec<u8>) {
        if self.is_cut_off.load(Ordering::Relaxed) {
            return;
        }
        let nodes = self.nodes.lock().clone();
        for node in nodes.iter().enumerate().filter(|(idx, _)| *idx != self.idx) {
            let Some(node) = node.1.upgrade() else { continue };
            node.merge(state, &message).expect("our own bytes");
        }
    }

    fn status(&self) -> ClusterStatus {
        ClusterStatus::default()
    }
}

struct Team {
    simulation: Simulation,
    places: Vec<Arc<Place>>,
    nodes: Vec<Arc<Alertmanager>>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Team {
    async fn new(claims: bool, plans: &[Plan]) -> Team {
        let simulation = Simulation::new(3);
        let all = Arc::new(Mutex::new(Vec::new()));
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let (mut places, mut nodes) = (Vec::new(), Vec::new());
        for (idx, plan) in plans.iter().enumerate() {
            let place =
                Arc::new(Place { idx, nodes: all.clone(), is_cut_off: AtomicBool::new(false) });
            let options = Options { claims, ..Options::new(format!("data-{idx}")) };
            let (runtime, registry) = (simulation.runtime(), Registry::default());
            let template = Arc::new(Template::new("http://am", runtime.clock.clone()));
            let node = Alertmanager::open(options, runtime, &registry, place.clone());
            let node = Arc::new(node.expect("an empty disk"));
            let integration: Arc<dyn Integration> = Arc::new(Slow {
                node: idx,
                plan: *plan,
                told: told.clone(),
                clock: simulation.clock.clone(),
            });
            node.apply(Config {
                resolve_timeout: Duration::from_secs(300),
                route: route_config(&yaml(ROUTE)),
                receivers: vec![Receiver {
                    name: "a".to_owned(),
                    labels: BTreeMap::new(),
                    integrations: vec![integration],
                }],
                inhibit_rules: Vec::new(),
                time_intervals: BTreeMap::new(),
                template,
                text: Arc::from(""),
            })
            .await;
            all.lock().push(Arc::downgrade(&node));
            places.push(place);
            nodes.push(node);
        }
        Team { simulation, places, nodes, told }
    }

    /// Tells all nodes of an alert and waits; gives what was notified.
    async fn burn(&self, seconds: u64) -> Vec<String> {
        let now = self.nodes[0].now();
        for node in &self.nodes {
            let alert = PostableAlert {
                labels: labels(&json!({"alertname": "A"})),
                starts_at: Some(now),
                ends_at: Some(now + Duration::from_secs(100_000)),
                ..PostableAlert::default()
            };
            node.put_alerts(vec![alert]).expect("a valid alert");
        }
        self.run_for(seconds).await;
        self.told()
    }

    async fn run_for(&self, seconds: u64) {
        self.simulation.clock.run_for(Duration::from_secs(seconds)).await;
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.lock())
    }

    async fn stop(self) {
        for node in &self.nodes {
            node.stop().await;
        }
    }
}

const FAST: Plan = |_| (0, true);

async fn check(plans: &[Plan], with_claims: &[&str], without: &[&str]) {
    for (claims, expected) in [(true, with_claims), (false, without)] {
        let team = Team::new(claims, plans).await;
        assert_eq!(team.burn(200).await, expected, "claims: {claims}");
        team.stop().await;
    }
}

#[tokio::test]
async fn a_slow_attempt_is_not_repeated() {
    let slow: Plan = |_| (40, true);
    let all = ["45s node 1", "70s node 0"];
    check(&[slow, FAST, FAST], &["70s node 0"], &all).await;
}

#[tokio::test]
async fn a_retried_attempt_is_not_repeated() {
    // The receiver refuses for a while; what it takes, it takes slowly.
    let refused: Plan = |second| if second < 40 { (0, false) } else { (10, true) };
    let team = Team::new(true, &[refused, FAST]).await;
    let told = team.burn(200).await;
    assert_eq!(told.len(), 1, "{told:?}");
    team.stop().await;
    let team = Team::new(false, &[refused, FAST]).await;
    let told = team.burn(200).await;
    assert_eq!(told.len(), 2, "{told:?}");
    team.stop().await;
}

#[tokio::test]
async fn who_does_not_get_through_lets_the_next_one_try() {
    let never: Plan = |_| (0, false);
    check(&[never, FAST], &["45s node 1"], &["45s node 1"]).await;
    // One that hangs is waited for longer, but not for ever.
    let hangs: Plan = |_| (1000, true);
    check(&[hangs, FAST], &["90s node 1"], &["45s node 1"]).await;
}

#[tokio::test]
async fn who_dies_while_sending_is_not_waited_for() {
    let hangs: Plan = |_| (1000, true);
    let team = Team::new(true, &[hangs, FAST]).await;
    assert!(team.burn(41).await.is_empty());
    team.places[0].is_cut_off.store(true, Ordering::Relaxed);
    team.run_for(50).await;
    // Claimed at 30, 35 and 40 for 15 seconds each.
    assert_eq!(team.told(), ["55s node 1"]);
    team.stop().await;
}

#[tokio::test]
async fn a_claim_is_nothing_that_was_told() {
    let hangs: Plan = |_| (1000, true);
    let team = Team::new(true, &[hangs]).await;
    team.burn(31).await;
    let state = team.nodes[0].full_state(StateKey::Log);
    let entries = crate::nflog::decode(&state).expect("our own bytes");
    assert_eq!(entries.len(), 1);
    let receiver = &entries[0].receiver;
    assert!(receiver.integration.starts_with("webhook/claim/"), "{receiver}");
    assert!(entries[0].firing_alerts.is_empty());
    // Such as upstream's program may have written.
    let mut log = crate::nflog::Log::new(Duration::from_secs(3600));
    log.load(&state).expect("our own bytes");
    assert!(log.is_empty());
    team.stop().await;
}

#[tokio::test]
async fn what_was_told_can_be_asked() {
    let refused: Plan = |second| if second < 32 { (0, false) } else { (0, true) };
    let team = Team::new(true, &[refused, FAST]).await;
    team.burn(60).await;
    let [here, there] = [0, 1].map(|idx: usize| team.nodes[idx].history(&HistoryFilter::default()));
    assert_eq!((here.len(), there.len()), (1, 1));
    assert_eq!(here[0].outcome, Outcome::Sent);
    assert!(here[0].n_attempts > 1);
    assert_eq!((here[0].n_firing, here[0].n_resolved), (1, 0));
    assert_eq!(there[0].outcome, Outcome::ByPeer);
    assert_eq!(there[0].group_key, here[0].group_key);
    let nobody = re2::Regex::new("^(?:b)$").expect("a regex");
    let filter = HistoryFilter { receiver: Some(nobody), ..HistoryFilter::default() };
    assert!(team.nodes[0].history(&filter).is_empty());
    team.stop().await;
}

#[tokio::test]
async fn what_was_true_before_the_wait_does_not_take_back_what_was_told_since() {
    let team = Team::new(true, &[FAST, FAST]).await;
    let put = |idx: usize, end: u64| {
        let start = crate::Time::from_millis(1_767_225_600_000);
        let alert = PostableAlert {
            labels: labels(&json!({"alertname": "A"})),
            starts_at: Some(start),
            ends_at: Some(start + Duration::from_secs(end)),
            ..PostableAlert::default()
        };
        team.nodes[idx].put_alerts(vec![alert]).expect("a valid alert");
    };
    put(1, 100_000);
    team.run_for(10).await;
    put(0, 100_000);
    // The groups flush at 330 and 340; the second node then waits until 345.
    team.run_for(325).await;
    put(0, 335);
    put(1, 335);
    team.run_for(600).await;
    let told = team.told();
    assert_eq!(told.len(), 2, "its beginning and its end: {told:?}");
    team.stop().await;
}
