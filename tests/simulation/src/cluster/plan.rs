//! What a seed decides before anything happens.

use std::fmt;

use crate::dice::Dice;

/// Faults begin within so many milliseconds; then all is quiet.
pub(super) const TROUBLE: u64 = 30_000;
/// Long enough for everything to be as it should be.
pub(super) const QUIET: u64 = 20_000;
/// Of the lease.
pub(super) const DURATION: u64 = 3_000;

/// A history, and its faults in the order in which they begin.
#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    pub members: usize,
    pub targets: usize,
    /// Of all targets: from slot to slot, and how long they may take.
    pub interval: u64,
    pub limit: u64,
    /// How many members have a target; zero for all.
    pub factor: usize,
    pub keeper: Keeper,
    /// The longest that a word takes, in milliseconds.
    pub latency: u64,
    pub faults: Vec<Fault>,
}

/// Who keeps the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    Members,
    /// A service that replaces records on a condition.
    Store,
}

/// Something that goes wrong.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    pub at: u64,
    pub lasts: u64,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing gets from one member to another one, or back either.
    Cut { from: usize, to: usize, both: bool },
    /// A process is stopped and goes on.
    Stop { member: usize },
    /// A process is killed and started again.
    Crash { member: usize },
    /// A wall clock is set, and set right again.
    Clock { member: usize, millis: i64 },
    /// A target cannot be reached from a member, which waits for it, or not.
    Unreachable { member: usize, target: usize, hangs: bool },
    /// A target answers nobody.
    Down { target: usize },
    /// A member cannot reach the remote end.
    NoRemote { member: usize },
    /// Nobody can reach the remote end.
    Outage,
    /// A member cannot reach the lease's service, or not hear its answers.
    NoStore { member: usize, hears: bool },
    /// Everything takes longer.
    Slow { latency: u64 },
    /// A member lets go of the lease.
    Release { member: usize },
    /// A member works by another configuration.
    Configuration { member: usize },
}

impl Plan {
    pub fn new(seed: u64) -> Plan {
        let dice = Dice::new(seed);
        let members = dice.pick(&[2, 2, 3, 3, 4]);
        let keeper = dice.pick(&[Keeper::Members, Keeper::Members, Keeper::Store]);
        let targets = dice.pick(&[1, 2, 3]);
        let latency = dice.pick(&[2, 2, 20, 100]);
        // One in ten is calm.
        let n_faults = if dice.once_in(10) { 0 } else { 1 + dice.below(6) };
        let mut faults: Vec<Fault> = (0..n_faults)
            .map(|_| {
                let at = dice.below(TROUBLE);
                let lasts = dice.pick(&[100, 700, 1_500, 3_000, 4_000, 8_000, 12_000]);
                let lasts = (lasts + dice.below(500)).min(TROUBLE - at);
                Fault { at, lasts, kind: kind(&dice, members, targets) }
            })
            .collect();
        faults.sort_by_key(|fault| fault.at);
        let factor = if members > 2 && dice.once_in(2) { 2 } else { 0 };
        // The shortest in use: the next slot begins before a member that is stopped counts as gone.
        let (interval, limit) = dice.pick(&[(3_000, 2_000), (3_000, 2_000), (1_000, 900)]);
        Plan { seed, members, targets, interval, limit, factor, keeper, latency, faults }
    }

    pub fn has(&self, is: impl Fn(&Kind) -> bool) -> bool {
        self.faults.iter().any(|fault| is(&fault.kind))
    }

    /// Each target is some members' only.
    pub(super) fn is_spread(&self) -> bool {
        self.factor > 0
    }

    /// Whether anything is wrong within a stretch of time.
    pub(super) fn is_troubled(&self, from: u64, to: u64) -> bool {
        self.faults.iter().any(|fault| fault.at < to && fault.at + fault.lasts > from)
    }
}

fn kind(dice: &Dice, members: usize, targets: usize) -> Kind {
    let a_member = || dice.below(members as u64) as usize;
    let member = a_member();
    let target = dice.below(targets as u64) as usize;
    match dice.below(17) {
        0..=2 => {
            let to = (member + 1 + dice.below(members as u64 - 1) as usize) % members;
            Kind::Cut { from: member, to, both: dice.once_in(2) }
        }
        3..=5 => Kind::Stop { member },
        6 | 7 => Kind::Crash { member },
        8 => {
            let millis = dice.pick(&[-60_000, -5_000, -1_500, -300, 300, 1_500, 5_000, 60_000]);
            Kind::Clock { member, millis }
        }
        9 => Kind::Unreachable { member, target, hangs: dice.once_in(2) },
        10 => Kind::Down { target },
        11 => Kind::NoRemote { member },
        12 => Kind::NoStore { member, hears: dice.once_in(2) },
        13 => Kind::Slow { latency: dice.pick(&[50, 200, 600]) },
        14 => Kind::Release { member },
        15 => Kind::Outage,
        _ => Kind::Configuration { member },
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { members, targets, interval, factor, keeper, latency, .. } = self;
        let have = if *factor == 0 { members } else { factor };
        writeln!(
            f,
            "{members} members, {targets} targets every {interval} ms that {have} of them have, the \
             lease kept by {keeper:?}, words take up to {latency} ms"
        )?;
        for fault in &self.faults {
            writeln!(f, "  {fault}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>6} to {:>6}: {:?}", self.at, self.at + self.lasts, self.kind)
    }
}
