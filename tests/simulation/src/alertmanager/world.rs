use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use alertmanager::{
    Alertmanager, Config, GroupBy, Integration, Notification, NotifyError, Options, Receiver,
    RouteConfig, Template, TimeIntervals, view::PostableAlert,
};
use model::Labels;
use parking_lot::Mutex;
use runtime::{
    BoxFuture, Clock, Random as _, Runtime, Simulation, clock::SimulatedClock, disk::SimulatedDisk,
    random::SeededRandom,
};
use telemetry::Registry;

use super::{
    Rule, Tally,
    pace::Pace,
    peers::Peers,
    plan::{ALERTS_END, Dice, END, Kind, Plan},
    wire::{Wire, host},
};

const SEND_INTERVAL: Duration = Duration::from_secs(30);
/// As servers do: four times the interval.
const ALERT_LIFE: Duration = Duration::from_secs(120);
const GROUP_WAIT: Duration = Duration::from_secs(10);
const GROUP_INTERVAL: Duration = Duration::from_secs(60);

/// Plays a plan by a rule, on this thread.
pub(super) fn live(plan: &Plan, rule: Rule) -> Tally {
    let simulation = Simulation::new(plan.seed);
    let pace = Pace::new(simulation.clock.clone());
    pace.runtime().block_on(play(plan, rule, simulation, &pace))
}

async fn play(plan: &Plan, rule: Rule, simulation: Simulation, pace: &Pace) -> Tally {
    let mut world = World::new(plan.clone(), rule, simulation);
    for idx in 0..plan.n_nodes() {
        world.start(idx).await;
    }
    for (at, step) in steps(plan) {
        pace.run_until(at).await;
        world.take(step).await;
    }
    pace.run_until(END).await;
    world.tally()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// A fault begins or ends.
    Adjust,
    Stop {
        node: usize,
        is_kill: bool,
    },
    Start {
        node: usize,
    },
    /// The server sends its alerts to all nodes that are there.
    Send,
}

fn steps(plan: &Plan) -> BTreeSet<(Duration, Step)> {
    let mut steps = BTreeSet::new();
    for fault in &plan.faults {
        if let Kind::Restart { node, is_kill } = fault.kind {
            steps.insert((fault.from, Step::Stop { node, is_kill }));
            steps.insert((fault.to, Step::Start { node }));
        }
        steps.extend([fault.from, fault.to].map(|at| (at, Step::Adjust)));
    }
    let dice = Dice(SeededRandom::new(plan.seed ^ 0x5e4d));
    let mut at = dice.duration(SEND_INTERVAL);
    while at < END {
        steps.insert((at, Step::Send));
        at += SEND_INTERVAL;
    }
    steps
}

/// What was told: an alert by its number, and whether it was firing.
type Told = (usize, bool);

struct World {
    plan: Arc<Plan>,
    rule: Rule,
    simulation: Simulation,
    wire: Wire,
    nodes: Vec<Option<Node>>,
    /// What is left of the process before.
    ended: Vec<Option<Arc<Peers>>>,
    disks: Vec<SimulatedDisk>,
    template: Arc<Template>,
    told: Arc<Mutex<BTreeMap<Told, usize>>>,
}

struct Node {
    alertmanager: Arc<Alertmanager>,
    peers: Arc<Peers>,
}

impl World {
    fn new(plan: Plan, rule: Rule, simulation: Simulation) -> World {
        let (n_nodes, plan) = (plan.n_nodes(), Arc::new(plan));
        let wire = Wire {
            host: simulation.network.clone(),
            plan: plan.clone(),
            clock: simulation.clock.clone(),
            dice: Arc::new(Dice(SeededRandom::new(plan.seed ^ 0x9e7))),
        };
        World {
            nodes: (0..n_nodes).map(|_| None).collect(),
            ended: vec![None; n_nodes],
            disks: (0..n_nodes).map(|_| SimulatedDisk::new(simulation.clock.clone())).collect(),
            template: Arc::new(Template::new("http://am", simulation.clock.clone())),
            told: Arc::default(),
            plan,
            rule,
            simulation,
            wire,
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Adjust => self.wire.adjust(),
            Step::Stop { node, is_kill: true } => self.kill(node).await,
            Step::Stop { node, is_kill: false } => self.stop(node),
            // Faults may overlap: the last one lets it start.
            Step::Start { node } => {
                let is_down = self.plan.is_down(node, self.simulation.clock.monotonic());
                if !is_down && self.nodes[node].is_none() {
                    self.start(node).await;
                }
            }
            Step::Send => (0..self.nodes.len()).for_each(|idx| self.send(idx)),
        }
    }

    async fn start(&mut self, idx: usize) {
        // It may not have said goodbye to all yet.
        if let Some(before) = self.ended[idx].take() {
            before.kill().await;
        }
        let random = SeededRandom::new(self.simulation.random.u64());
        let clock = Skewed { inner: self.simulation.clock.clone(), ms: self.plan.skews_ms[idx] };
        let runtime = Runtime {
            clock: Arc::new(clock),
            disk: Arc::new(self.disks[idx].clone()),
            network: Arc::new(Wire {
                host: self.simulation.network.host(&host(idx)),
                ..self.wire.clone()
            }),
            random: Arc::new(random),
        };
        let peers = Peers::start(&self.plan, self.rule, idx, runtime.clone()).await;
        let is_ours = self.rule == Rule::Claims;
        let options = Options { claims: is_ours, keeps_alerts: is_ours, ..Options::new("data") };
        let node = Alertmanager::open(options, runtime, &Registry::default(), peers.clone());
        let alertmanager = Arc::new(node.expect("its own files"));
        peers.join(&alertmanager);
        alertmanager.apply(self.config(peers.clone())).await;
        self.nodes[idx] = Some(Node { alertmanager, peers });
    }

    fn config(&self, peers: Arc<Peers>) -> Config {
        let webhook = Webhook {
            peers,
            plan: self.plan.clone(),
            clock: self.simulation.clock.clone(),
            told: self.told.clone(),
        };
        Config {
            resolve_timeout: Duration::from_secs(300),
            route: RouteConfig {
                receiver: Some("hook".to_owned()),
                group_by: Some(GroupBy::Labels(["alertname".to_owned()].into())),
                group_wait: Some(GROUP_WAIT),
                group_interval: Some(GROUP_INTERVAL),
                ..RouteConfig::default()
            },
            receivers: vec![Receiver {
                name: "hook".to_owned(),
                labels: BTreeMap::new(),
                integrations: vec![Arc::new(webhook)],
            }],
            inhibit_rules: Vec::new(),
            time_intervals: TimeIntervals::default(),
            template: self.template.clone(),
            text: "".into(),
        }
    }

    async fn kill(&mut self, idx: usize) {
        let Some(Node { alertmanager, peers }) = self.nodes[idx].take() else { return };
        // What the dead process still does, it does to a disk that nobody will see.
        self.disks[idx] = self.disks[idx].after_kill();
        peers.kill().await;
        tokio::spawn(async move { alertmanager.stop().await });
    }

    fn stop(&mut self, idx: usize) {
        let Some(Node { alertmanager, peers }) = self.nodes[idx].take() else { return };
        self.ended[idx] = Some(peers.clone());
        tokio::spawn(async move {
            alertmanager.stop().await;
            peers.stop().await;
        });
    }

    fn send(&self, idx: usize) {
        let Some(Node { alertmanager, .. }) = &self.nodes[idx] else { return };
        let now = self.simulation.clock.monotonic();
        let begun = self.plan.alerts.iter().enumerate().filter(|(_, start)| **start <= now);
        let moment = |at: Duration| {
            let since_epoch = self.simulation.clock.now() - now + at;
            Some(alertmanager::Time::UNIX_EPOCH + since_epoch)
        };
        let alerts = begun.map(|(number, start)| PostableAlert {
            labels: Labels::from_pairs([("alertname", number.to_string())]),
            starts_at: moment(*start),
            ends_at: moment(if now < ALERTS_END { now + ALERT_LIFE } else { ALERTS_END }),
            ..PostableAlert::default()
        });
        alertmanager.put_alerts(alerts.collect()).expect("good alerts");
    }

    fn tally(&self) -> Tally {
        let told = self.told.lock();
        let (seed, n_nodes) = (self.plan.seed, self.plan.n_nodes());
        let name = |number: usize, is_firing: bool| {
            format!("seed {seed} with {n_nodes} nodes: alert {number}, firing: {is_firing}")
        };
        let mut tally = Tally { alerts: self.plan.alerts.len(), ..Tally::default() };
        for number in 0..self.plan.alerts.len() {
            for is_firing in [true, false] {
                match told.get(&(number, is_firing)).copied().unwrap_or_default() {
                    0 => tally.untold.push(name(number, is_firing)),
                    times => {
                        tally.doubles += times - 1;
                        if times > 1 {
                            tally.doubled.push(name(number, is_firing));
                        }
                    }
                }
            }
        }
        tally
    }
}

/// A receiver that has its own troubles.
struct Webhook {
    peers: Arc<Peers>,
    plan: Arc<Plan>,
    clock: Arc<SimulatedClock>,
    told: Arc<Mutex<BTreeMap<Told, usize>>>,
}

impl Integration for Webhook {
    fn name(&self) -> &str {
        "webhook"
    }

    fn idx(&self) -> usize {
        0
    }

    fn send_resolved(&self) -> bool {
        true
    }

    fn notify<'a>(
        &'a self,
        notification: &'a Notification,
    ) -> BoxFuture<'a, Result<(), NotifyError>> {
        Box::pin(async move {
            if !self.peers.is_alive() {
                std::future::pending::<()>().await;
            }
            let (takes, works) = self.plan.receiver(self.clock.monotonic());
            if works {
                // It has the notification, however late it says so.
                for alert in &notification.alerts {
                    let number = alert.name().parse().expect("a number");
                    let is_firing = !alert.is_resolved_at(notification.now);
                    *self.told.lock().entry((number, is_firing)).or_default() += 1;
                }
            }
            self.clock.sleep(takes).await;
            if works { Ok(()) } else { Err(NotifyError::transient("503")) }
        })
    }
}

/// A wall clock that is wrong.
struct Skewed {
    inner: Arc<SimulatedClock>,
    ms: i64,
}

impl Clock for Skewed {
    fn now(&self) -> Duration {
        let off = Duration::from_millis(self.ms.unsigned_abs());
        if self.ms < 0 { self.inner.now() - off } else { self.inner.now() + off }
    }

    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.inner.sleep(duration)
    }
}
