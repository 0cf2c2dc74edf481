//! What happens to a database, as a seed has it.

use std::{fmt, time::Duration};

use super::{
    image::Crash,
    truth::{N_SERIES, SeriesIdx},
};
use crate::dice::Dice;

const MINUTE_MS: i64 = 60_000;

/// How the database is set up; all is small, so that a short history fills several of everything.
#[derive(Debug, Clone)]
pub struct Setup {
    pub chunk_range_ms: i64,
    pub block_range_max_ms: i64,
    pub retention_ms: i64,
    pub out_of_order_window_ms: i64,
    pub samples_per_chunk: usize,
    pub compression: wal::Compression,
    /// Bytes in each label set, so that the log has several pages.
    pub padding: usize,
}

#[derive(Debug, Clone)]
pub enum Event {
    /// Time goes on, then samples of these series come in order, and some that are so much late.
    Commit {
        advance_ms: i64,
        in_order: Vec<SeriesIdx>,
        late: Vec<(SeriesIdx, i64)>,
    },
    /// Something of these series is deleted: from and to so long ago.
    Delete {
        series: Vec<SeriesIdx>,
        from_ms: i64,
        to_ms: i64,
    },
    Maintain,
    CleanTombstones,
    Sync,
    /// Somebody begins to read, and goes on until [`Event::Release`].
    Hold,
    Release,
    Query,
    /// The process ends in order, and another one starts.
    Restart,
    /// After so many more operations on the disk the process or the machine ends, and another one
    /// starts.
    Crash {
        after: u64,
        crash: Crash,
    },
}

#[derive(Debug, Clone)]
pub struct History {
    pub setup: Setup,
    pub events: Vec<Event>,
}

impl History {
    pub fn of(seed: u64) -> History {
        let dice = Dice::new(seed);
        let setup = Setup::of(&dice);
        let n_events = 20 + dice.below(30);
        let events = (0..n_events).map(|_| event(&dice, &setup)).collect();
        History { setup, events }
    }
}

impl Setup {
    fn of(dice: &Dice) -> Setup {
        let chunk_range_ms = dice.pick(&[2, 4, 6]) * MINUTE_MS;
        Setup {
            chunk_range_ms,
            block_range_max_ms: chunk_range_ms * dice.pick(&[1, 3, 9]),
            retention_ms: dice.pick(&[10, 40, 60 * 24 * 15]) * MINUTE_MS,
            out_of_order_window_ms: dice.pick(&[0, 3, 10]) * MINUTE_MS,
            samples_per_chunk: 3 + dice.below(8) as usize,
            compression: dice.pick(&[
                wal::Compression::None,
                wal::Compression::Snappy,
                wal::Compression::Zstd,
            ]),
            padding: dice.pick(&[0, 0, 0, 3000]),
        }
    }

    pub(super) fn options(&self) -> tsdb::Options {
        let duration = |ms: i64| Duration::from_millis(ms.unsigned_abs());
        tsdb::Options {
            retention: duration(self.retention_ms),
            chunk_range: duration(self.chunk_range_ms),
            block_range_max: Some(duration(self.block_range_max_ms)),
            samples_per_chunk: self.samples_per_chunk,
            out_of_order_window: duration(self.out_of_order_window_ms),
            spill_chunks_min: 5,
            log: wal::Options {
                segment_bytes: wal::PAGE_BYTES as u64,
                compression: self.compression,
            },
            ..tsdb::Options::default()
        }
    }
}

fn event(dice: &Dice, setup: &Setup) -> Event {
    match dice.below(100) {
        0..50 => commit(dice, setup),
        50..75 => Event::Maintain,
        75..81 => delete(dice),
        81..84 => Event::CleanTombstones,
        84..89 => Event::Sync,
        89..91 => Event::Hold,
        91..94 => Event::Release,
        94..96 => Event::Query,
        96..97 => Event::Restart,
        _ => {
            let crash = match dice.below(3) {
                0 => Crash::Kill,
                1 => Crash::TornWrite(dice.below(1 << 32)),
                _ => Crash::PowerLoss(dice.below(1 << 32)),
            };
            Event::Crash { after: dice.below(60), crash }
        }
    }
}

fn commit(dice: &Dice, setup: &Setup) -> Event {
    let series = |_| dice.below(u64::from(N_SERIES)) as SeriesIdx;
    let mut in_order: Vec<SeriesIdx> = (0..1 + dice.below(6)).map(series).collect();
    in_order.sort_unstable();
    in_order.dedup();
    let window = setup.out_of_order_window_ms;
    let n_late = if window > 0 && dice.once_in(2) { dice.below(4) } else { 0 };
    let late = |idx| (series(idx), 1000 * (1 + dice.below(window as u64 / 1000) as i64));
    let late = (0..n_late).map(late).collect();
    // A step, sometimes a gap.
    let advance_ms = if dice.once_in(12) { 7 * MINUTE_MS } else { dice.pick(&[15_000, 60_000]) };
    Event::Commit { advance_ms, in_order, late }
}

fn delete(dice: &Dice) -> Event {
    let some = |_: &SeriesIdx| dice.once_in(2);
    let series: Vec<SeriesIdx> = (0..N_SERIES).filter(some).collect();
    let to_ms = dice.pick(&[-600_000, 0, 15_000, 120_000, 600_000]);
    let from_ms = to_ms + dice.pick(&[15_000, 120_000, 900_000]);
    Event::Delete { series, from_ms, to_ms }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {:?}", self.setup)?;
        for (idx, event) in self.events.iter().enumerate() {
            writeln!(f, "  {idx}: {event}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Commit { advance_ms, in_order, late } => {
                write!(f, "{advance_ms} ms later commit samples of series {in_order:?}")?;
                for (series, late_ms) in late {
                    write!(f, ", of {series} {late_ms} ms late")?;
                }
                Ok(())
            }
            Event::Delete { series, from_ms, to_ms } => {
                write!(f, "delete of series {series:?} what is {to_ms} to {from_ms} ms old")
            }
            Event::Maintain => f.write_str("maintain"),
            Event::CleanTombstones => f.write_str("clean tombstones"),
            Event::Sync => f.write_str("sync"),
            Event::Hold => f.write_str("begin to read"),
            Event::Release => f.write_str("end reading"),
            Event::Query => f.write_str("query"),
            Event::Restart => f.write_str("restart"),
            Event::Crash { after, crash } => write!(f, "{crash} {after} operations later"),
        }
    }
}
