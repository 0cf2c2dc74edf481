use std::time::Duration;

use runtime::{Random as _, random::SeededRandom};

/// Alerts begin after the cluster has settled.
pub(super) const FIRST_ALERT: Duration = Duration::from_secs(60);
/// All faults are over by then, and have been for long enough to be forgotten.
const LAST_FAULT: Duration = Duration::from_secs(8 * 60);
/// Alerts end then.
pub(super) const ALERTS_END: Duration = Duration::from_secs(13 * 60);
pub(super) const END: Duration = Duration::from_secs(20 * 60);
const ALERTS: usize = 3;

/// What happens in one world.
#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    /// Node by node: how far its wall clock is off, in milliseconds.
    pub skews_ms: Vec<i64>,
    /// Node by node: its place among all names.
    pub ranks: Vec<usize>,
    /// When alerts begin.
    pub alerts: Vec<Duration>,
    pub faults: Vec<Fault>,
}

/// Something that goes wrong for a while.
#[derive(Debug, Clone)]
pub struct Fault {
    pub from: Duration,
    pub to: Duration,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// This part of all messages gets lost.
    Loss(f64),
    /// Messages take up to so much longer.
    Delay(Duration),
    /// Nodes of one side do not hear those of the other.
    Partition(Vec<bool>),
    /// A node is down; killed, or stopped in good order.
    Restart { node: usize, is_kill: bool },
    /// The receiver answers so late.
    SlowReceiver(Duration),
    /// The receiver says 503.
    FailingReceiver,
}

impl Plan {
    /// One of three plans has no faults.
    pub fn new(seed: u64, n_nodes: usize) -> Plan {
        let dice = Dice(SeededRandom::new(seed));
        let is_calm = seed.is_multiple_of(3);
        let mut ranks: Vec<usize> = (0..n_nodes).collect();
        for idx in (1..n_nodes).rev() {
            ranks.swap(idx, dice.below(idx + 1));
        }
        let has_skew = !is_calm && dice.chance(0.3);
        let skew = |_| if has_skew { dice.below(40_000) as i64 - 20_000 } else { 0 };
        let skews_ms = (0..n_nodes).map(skew).collect();
        let alert = |_| FIRST_ALERT + dice.duration(Duration::from_secs(240));
        let alerts = (0..ALERTS).map(alert).collect();
        let n_faults = if is_calm { 0 } else { 1 + dice.below(4) };
        let faults = (0..n_faults).map(|_| dice.fault(n_nodes)).collect();
        Plan { seed, skews_ms, ranks, alerts, faults }
    }

    pub fn is_calm(&self) -> bool {
        self.faults.is_empty() && self.skews_ms.iter().all(|skew| *skew == 0)
    }

    pub(super) fn n_nodes(&self) -> usize {
        self.ranks.len()
    }

    fn at(&self, now: Duration) -> impl Iterator<Item = &Kind> {
        let active = self.faults.iter().filter(move |it| it.from <= now && now < it.to);
        active.map(|fault| &fault.kind)
    }

    pub(super) fn loss(&self, now: Duration) -> f64 {
        let all = self.at(now).filter_map(|kind| match kind {
            Kind::Loss(part) => Some(*part),
            _ => None,
        });
        all.fold(0.0, f64::max)
    }

    pub(super) fn delay(&self, now: Duration) -> Duration {
        let all = self.at(now).filter_map(|kind| match kind {
            Kind::Delay(most) => Some(*most),
            _ => None,
        });
        all.max().unwrap_or_default()
    }

    pub(super) fn is_down(&self, node: usize, now: Duration) -> bool {
        self.at(now).any(|kind| matches!(kind, Kind::Restart { node: it, .. } if *it == node))
    }

    /// Whether nothing gets from one to the other.
    pub(super) fn are_apart(&self, a: usize, b: usize, now: Duration) -> bool {
        self.at(now).any(|kind| matches!(kind, Kind::Partition(sides) if sides[a] != sides[b]))
    }

    /// How long the receiver takes, and whether it takes what it is told.
    pub(super) fn receiver(&self, now: Duration) -> (Duration, bool) {
        let (mut takes, mut works) = (Duration::from_millis(50), true);
        for kind in self.at(now) {
            match kind {
                Kind::SlowReceiver(time) => takes = takes.max(*time),
                Kind::FailingReceiver => works = false,
                _ => {}
            }
        }
        (takes, works)
    }
}

/// Random choices.
pub(super) struct Dice(pub(super) SeededRandom);

impl Dice {
    pub(super) fn below(&self, n: usize) -> usize {
        (self.0.u64() % n.max(1) as u64) as usize
    }

    pub(super) fn chance(&self, part: f64) -> bool {
        self.0.fraction() < part
    }

    pub(super) fn duration(&self, most: Duration) -> Duration {
        most.mul_f64(self.0.fraction())
    }

    fn fault(&self, n_nodes: usize) -> Fault {
        let from = Duration::from_secs(30) + self.duration(LAST_FAULT - Duration::from_secs(180));
        let to = from + Duration::from_secs(5) + self.duration(Duration::from_secs(140));
        let kind = match self.below(7) {
            0 => Kind::Loss(0.1 + 0.6 * self.0.fraction()),
            1 => Kind::Delay(self.duration(Duration::from_secs(5))),
            2 => Kind::Partition((0..n_nodes).map(|_| self.chance(0.5)).collect()),
            3 | 4 => Kind::Restart { node: self.below(n_nodes), is_kill: self.chance(0.7) },
            5 => {
                Kind::SlowReceiver(Duration::from_secs(5) + self.duration(Duration::from_secs(40)))
            }
            _ => Kind::FailingReceiver,
        };
        Fault { from, to, kind }
    }
}
