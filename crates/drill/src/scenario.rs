//! Which faults come when? Pure: the seed decides.

#[cfg(test)]
mod tests;

use std::{fmt, time::Duration};

use runtime::random::{Random, SeededRandom};

/// What there is to hurt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) n_members: usize,
    pub(crate) n_targets: usize,
    pub(crate) n_alertmanagers: usize,
    pub(crate) has_remote: bool,
    /// Each member's disk can be filled.
    pub(crate) has_small_disks: bool,
}

/// Whom a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Whoever writes to the remote end at that moment.
    Writer,
    Member(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// kill -9; started again at the end.
    Kill(Who),
    /// SIGSTOP; SIGCONT at the end.
    Pause(Who),
    /// SIGTERM; started again when it has ended.
    Restart(Who),
    /// The writer is asked to let another one write.
    Release,
    /// Between a member and all others: what it sends, or both directions.
    CutMembers {
        who: Who,
        both: bool,
    },
    /// Between a member and the remote end: what it sends, or both directions.
    CutRemote {
        who: Who,
        both: bool,
    },
    /// The remote end stands still.
    LoseRemote,
    /// A target takes its time.
    SlowTarget {
        target: usize,
        delay: Duration,
    },
    KillAlertmanager(usize),
    FillDisk(Who),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// Since the beginning of the faults.
    pub(crate) at: Duration,
    pub(crate) lasts: Duration,
    pub(crate) fault: Fault,
}

impl Fault {
    /// It keeps a member from its work; only one such fault at a time, or there is nobody left.
    pub(crate) fn needs_all_members(self) -> bool {
        match self {
            Fault::Kill(_)
            | Fault::Pause(_)
            | Fault::Restart(_)
            | Fault::Release
            | Fault::CutMembers { .. }
            | Fault::FillDisk(_) => true,
            Fault::CutRemote { .. }
            | Fault::LoseRemote
            | Fault::SlowTarget { .. }
            | Fault::KillAlertmanager(_) => false,
        }
    }
}

/// The faults of `seed`, by time, all over before `duration` is.
pub(crate) fn plan(seed: u64, shape: &Shape, duration: Duration) -> Vec<Step> {
    let dice = Dice(SeededRandom::new(seed));
    let mut steps = member_faults(&dice, shape, duration);
    steps.extend(side_faults(&dice, shape, duration));
    steps.sort_by_key(|step| step.at);
    steps
}

/// One after the other. A crash of the writer and a planned change are always among them.
fn member_faults(dice: &Dice, shape: &Shape, duration: Duration) -> Vec<Step> {
    let planned = if dice.toss() { Fault::Release } else { Fault::Restart(Who::Writer) };
    let mut first = vec![Fault::Kill(Who::Writer), planned];
    if dice.toss() {
        first.reverse();
    }
    let mut first = first.into_iter();
    let mut steps = Vec::new();
    let mut at = dice.between(2000, 4000);
    loop {
        let fault = first.next().unwrap_or_else(|| member_fault(dice, shape));
        let lasts = match fault {
            Fault::Restart(_) | Fault::Release => Duration::from_secs(1),
            Fault::Pause(_) => dice.between(500, 8000),
            _ => dice.between(1500, 9000),
        };
        if at + lasts > duration {
            return steps;
        }
        steps.push(Step { at, lasts, fault });
        at += lasts + dice.between(6000, 11_000);
    }
}

fn member_fault(dice: &Dice, shape: &Shape) -> Fault {
    let who = who(dice, shape);
    match dice.below(if shape.has_small_disks { 7 } else { 6 }) {
        0 => Fault::Kill(who),
        1 => Fault::Pause(who),
        2 => Fault::Restart(who),
        3 => Fault::Release,
        4 => Fault::CutMembers { who, both: true },
        5 => Fault::CutMembers { who, both: false },
        _ => Fault::FillDisk(who),
    }
}

/// Beside the others, whenever.
fn side_faults(dice: &Dice, shape: &Shape, duration: Duration) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut at = dice.between(1000, 10_000);
    loop {
        let lasts = dice.between(2000, 9000);
        if at + lasts > duration {
            return steps;
        }
        if let Some(fault) = side_fault(dice, shape) {
            steps.push(Step { at, lasts, fault });
        }
        at += lasts + dice.between(2000, 12_000);
    }
}

fn side_fault(dice: &Dice, shape: &Shape) -> Option<Fault> {
    let who = who(dice, shape);
    let delay = dice.between(200, 600);
    match dice.below(4) {
        0 if shape.has_remote => Some(Fault::CutRemote { who, both: dice.toss() }),
        1 if shape.has_remote => Some(Fault::LoseRemote),
        2 if shape.n_alertmanagers > 1 => {
            Some(Fault::KillAlertmanager(dice.below(shape.n_alertmanagers)))
        }
        _ if shape.n_targets > 0 => {
            Some(Fault::SlowTarget { target: dice.below(shape.n_targets), delay })
        }
        _ => None,
    }
}

fn who(dice: &Dice, shape: &Shape) -> Who {
    match dice.toss() {
        true => Who::Writer,
        false => Who::Member(dice.below(shape.n_members)),
    }
}

struct Dice(SeededRandom);

impl Dice {
    fn below(&self, n: usize) -> usize {
        (self.0.u64() % n.max(1) as u64) as usize
    }

    fn toss(&self) -> bool {
        self.below(2) == 0
    }

    fn between(&self, from_ms: u64, to_ms: u64) -> Duration {
        Duration::from_millis(from_ms + self.0.u64() % (to_ms - from_ms))
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Who::Writer => f.write_str("the writer"),
            Who::Member(member) => f.write_str(&crate::topology::member_name(*member)),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directions = |both: bool| if both { "cut off" } else { "mute" };
        match self {
            Fault::Kill(who) => write!(f, "kill -9 {who}"),
            Fault::Pause(who) => write!(f, "stop and continue {who}"),
            Fault::Restart(who) => write!(f, "restart {who}"),
            Fault::Release => f.write_str("the writer hands over"),
            Fault::CutMembers { who, both } => {
                write!(f, "{who} is {} from the others", directions(*both))
            }
            Fault::CutRemote { who, both } => {
                write!(f, "{who} is {} from the remote end", directions(*both))
            }
            Fault::LoseRemote => f.write_str("the remote end stands still"),
            Fault::SlowTarget { target, delay } => {
                write!(f, "target {target} takes {} ms", delay.as_millis())
            }
            Fault::KillAlertmanager(index) => write!(f, "kill -9 alertmanager {}", index + 1),
            Fault::FillDisk(who) => write!(f, "the disk of {who} is full"),
        }
    }
}
