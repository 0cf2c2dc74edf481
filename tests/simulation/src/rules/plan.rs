//! What a seed decides before anything happens. All times in seconds.

use std::fmt;

use crate::dice::Dice;

/// Faults begin within so long; then all is quiet.
const TROUBLE: u64 = 5_400;
/// How long a history is.
pub(super) const LENGTH: u64 = 7_200;
/// As upstream's flags have it, and less than all outages together.
pub(super) const GRACE: u64 = 600;
pub(super) const OUTAGE_TOLERANCE: u64 = 3_600;

#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    /// Between two scrapes.
    pub scrape: u64,
    /// For each instance, when its `level` turns from 0 to 1, to 0 again, and so on.
    pub turns: Vec<Vec<u64>>,
    pub alerts: Vec<Alert>,
    /// Of the groups, in the order of [`Plan::rules`].
    pub intervals: [u64; 4],
    /// Of the groups that read what others record.
    pub query_offset: u64,
    /// Whether who reads stands before who records.
    pub is_backwards: bool,
    pub faults: Vec<Fault>,
}

#[derive(Debug, Clone)]
pub struct Alert {
    pub name: String,
    pub hold: u64,
    pub keep: u64,
}

/// Something that goes wrong.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    pub at: u64,
    /// How long nothing runs.
    pub lasts: u64,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Restart,
    /// The disk carries out so many more operations.
    Kill {
        operations: u64,
    },
    /// The process is stopped and goes on.
    Pause,
}

impl Plan {
    pub fn new(seed: u64) -> Plan {
        let dice = Dice::new(seed);
        let alerts = (0..4).map(|n| Alert {
            name: format!("A{n}"),
            hold: dice.pick(&[0, 45, 120, 300, 700, 1_800, 4_000]),
            keep: dice.pick(&[0, 0, 0, 90, 600, 1_500]),
        });
        let mut faults: Vec<Fault> = (0..dice.below(4)).map(|_| fault(&dice)).collect();
        faults.sort_by_key(|fault| fault.at);
        Plan {
            seed,
            scrape: dice.pick(&[10, 15, 30]),
            turns: (0..3).map(|n| turns(&dice, n)).collect(),
            alerts: alerts.collect(),
            intervals: std::array::from_fn(|_| dice.pick(&[10, 15, 15, 30, 60])),
            query_offset: dice.pick(&[0, 0, 5, 30]),
            is_backwards: dice.once_in(2),
            faults,
        }
    }

    /// The rule file: alerts, what is recorded from scrapes, from that, and from that again.
    pub(super) fn rules(&self) -> String {
        let [alerts, records, reads, ends] = self.intervals;
        let mut rules = String::new();
        for Alert { name, hold, keep } in &self.alerts {
            rules += &format!(
                "  - {{alert: {name}, expr: level > 0, for: {hold}s, keep_firing_for: {keep}s}}\n"
            );
        }
        let offset = self.query_offset;
        let mut groups = [
            format!("- name: alerts\n  interval: {alerts}s\n  rules:\n{rules}"),
            format!(
                "- name: records\n  interval: {records}s\n  rules:\n  \
                 - {{record: x, expr: ticks + 1}}\n  - {{record: y, expr: x * 2}}\n"
            ),
            format!(
                "- name: reads\n  interval: {reads}s\n  query_offset: {offset}s\n  rules:\n  \
                 - {{record: z, expr: sum(y) + 1}}\n  - {{record: levels, expr: level * 3}}\n"
            ),
            format!(
                "- name: ends\n  interval: {ends}s\n  query_offset: {offset}s\n  rules:\n  - {{record: end, expr: z + 1}}\n"
            ),
        ];
        if self.is_backwards {
            groups.reverse();
        }
        format!("groups:\n{}", groups.concat())
    }

    /// Whether the level of `instance` is 1 then, and since when it is as it is.
    pub(super) fn level(&self, instance: usize, at: u64) -> (bool, u64) {
        let turns = self.turns.get(instance).map(Vec::as_slice).unwrap_or_default();
        let n_turns = turns.partition_point(|turn| *turn <= at);
        let since = n_turns.checked_sub(1).and_then(|last| turns.get(last));
        (n_turns % 2 == 1, since.copied().unwrap_or(0))
    }
}

fn fault(dice: &Dice) -> Fault {
    let at = 300 + dice.below(TROUBLE - 300);
    let lasts = dice.pick(&[1, 20, 90, 240, 400, 900]) + dice.below(30);
    match dice.below(3) {
        0 => Fault { at, lasts, kind: Kind::Restart },
        1 => Fault { at, lasts, kind: Kind::Kill { operations: dice.below(60) } },
        _ => Fault { at, lasts: dice.pick(&[600, 600, lasts]), kind: Kind::Pause },
    }
}

/// The first instance stays at 1, others change.
fn turns(dice: &Dice, nth: u64) -> Vec<u64> {
    let mut turns = vec![dice.below(600)];
    while nth > 0 && turns.last().is_some_and(|last| *last < LENGTH) {
        let last = turns.last().copied().unwrap_or_default();
        turns.push(last + dice.pick(&[40, 100, 400, 1_200, 3_000]) + dice.below(60));
    }
    turns
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { at, lasts, kind } = self;
        match kind {
            Kind::Restart => write!(f, "at {at} s a restart that takes {lasts} s"),
            Kind::Kill { operations } => {
                write!(f, "at {at} s, {operations} writes later, a kill; back after {lasts} s")
            }
            Kind::Pause => write!(f, "at {at} s a pause of {lasts} s"),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "scrapes every {} s", self.scrape)?;
        for (nth, turns) in self.turns.iter().enumerate() {
            writeln!(f, "level of {nth} turns at {turns:?}")?;
        }
        write!(f, "{}", self.rules())?;
        for fault in &self.faults {
            writeln!(f, "  {fault}")?;
        }
        Ok(())
    }
}
