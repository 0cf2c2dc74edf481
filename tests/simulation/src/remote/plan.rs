//! What a seed decides before anything happens. All times in seconds.

use std::fmt;

use remote::Message;

use crate::dice::Dice;

/// So long it is scraped, and faults begin.
pub(super) const HOUR: u64 = 3_600;
/// Then all is well for as long as it takes to send everything.
pub(super) const QUIET: u64 = 900;

#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    pub message: Message,
    pub series: u64,
    /// Between two scrapes.
    pub scrape: u64,
    /// Samples of a request.
    pub batch: usize,
    pub shards: usize,
    pub faults: Vec<Fault>,
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
    /// The sender ends in order, and is away.
    SenderStops,
    /// The sender's disk carries out so many more operations; then it is killed, and is away.
    SenderDies {
        operations: u64,
    },
    ReceiverStops,
    ReceiverDies {
        operations: u64,
    },
    /// Nothing gets through, neither requests nor answers.
    Cut,
    /// The receiver takes nothing, and says so.
    Busy,
    /// Everything takes so many milliseconds longer.
    Slow {
        latency: u64,
    },
}

impl Plan {
    pub fn new(seed: u64) -> Plan {
        let dice = Dice::new(seed);
        let mut faults: Vec<Fault> = (0..dice.below(7)).map(|_| fault(&dice)).collect();
        faults.sort_by_key(|fault| fault.at);
        Plan {
            seed,
            message: dice.pick(&Message::ALL),
            series: 1 + dice.below(12),
            scrape: dice.pick(&[5, 10, 15, 30]),
            batch: dice.pick(&[1, 5, 20, 100]),
            shards: dice.pick(&[1, 1, 2, 4]),
            faults,
        }
    }
}

fn fault(dice: &Dice) -> Fault {
    let at = dice.below(HOUR);
    let lasts = dice.pick(&[1, 5, 30, 90, 300, 1_200]) + dice.below(20);
    let operations = dice.below(40);
    let kind = match dice.below(9) {
        0 => Kind::SenderStops,
        1 | 2 => Kind::SenderDies { operations },
        3 => Kind::ReceiverStops,
        4 | 5 => Kind::ReceiverDies { operations },
        6 => Kind::Cut,
        7 => Kind::Busy,
        _ => Kind::Slow { latency: dice.pick(&[20, 400, 3_000]) },
    };
    Fault { at, lasts: lasts.min(HOUR - at), kind }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { message, series, scrape, batch, shards, .. } = self;
        writeln!(
            f,
            "{series} series every {scrape} s, sent as {} by {shards} shards, {batch} in a request",
            message.name()
        )?;
        for Fault { at, lasts, kind } in &self.faults {
            writeln!(f, "  {at:>5} to {:>5} s: {kind:?}", at + lasts)?;
        }
        Ok(())
    }
}
