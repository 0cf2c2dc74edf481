//! The histories of many seeds, and the shortest story of one that fails.

use std::{
    fmt,
    ops::{AddAssign, Range},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use parking_lot::Mutex;

/// What a seed decides before anything happens, printed with its faults.
pub(crate) trait Plan: Clone + fmt::Display {
    /// Which part of Vesta it is for, on the command line.
    const PART: &str;
    type Fault;
    type Totals: Default + AddAssign + Send;

    fn of(seed: u64) -> Self;

    /// Lives through it; the error says what must not be.
    fn live(&self) -> Result<Self::Totals, String>;

    fn faults(&mut self) -> &mut Vec<Self::Fault>;
}

/// Lives through the histories of these seeds; the error is the story of one that fails.
pub(crate) fn run<P: Plan>(seeds: Range<u64>) -> Result<P::Totals, String> {
    let totals = on_all_cores(seeds, P::Totals::default(), |seed| P::of(seed).live());
    totals.map_err(|(seed, reason)| tell::<P>(seed, reason))
}

/// Adds up what `live` gives for each seed; the error is of the lowest seed that was seen to fail,
/// after which no others begin.
pub(crate) fn on_all_cores<T: AddAssign + Send, E: Send>(
    seeds: Range<u64>,
    start: T,
    live: impl Fn(u64) -> Result<T, E> + Sync,
) -> Result<T, (u64, E)> {
    let next = AtomicU64::new(seeds.start);
    let outcome: Mutex<(T, Option<(u64, E)>)> = Mutex::new((start, None));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end || outcome.lock().1.is_some() {
                return;
            }
            let lived = live(seed);
            let (totals, failed) = &mut *outcome.lock();
            match lived {
                Ok(one) => *totals += one,
                Err(error) if failed.as_ref().is_none_or(|(other, _)| seed < *other) => {
                    *failed = Some((seed, error));
                }
                Err(_) => {}
            }
        }
    };
    thread::scope(|scope| {
        let n_threads = thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..n_threads {
            scope.spawn(work);
        }
    });
    match outcome.into_inner() {
        (totals, None) => Ok(totals),
        (_, Some(failed)) => Err(failed),
    }
}

/// The story of a seed that fails: with as few faults as still make it fail.
fn tell<P: Plan>(seed: u64, mut reason: String) -> String {
    let mut plan = P::of(seed);
    let mut idx = 0;
    while idx < plan.faults().len() {
        let mut shorter = plan.clone();
        shorter.faults().remove(idx);
        match shorter.live() {
            Err(other) => (plan, reason) = (shorter, other),
            Ok(_) => idx += 1,
        }
    }
    let part = P::PART;
    format!(
        "seed {seed}: {plan}\n{reason}\n\nagain: cargo run -p simulation -- {part} --seed {seed}\n"
    )
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    /// Fails with what is left of faults 1 and 3, if both are there.
    #[derive(Clone)]
    struct Numbers(Vec<u64>);

    impl fmt::Display for Numbers {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{:?}", self.0)
        }
    }

    impl Plan for Numbers {
        const PART: &str = "numbers";
        type Fault = u64;
        type Totals = u64;

        fn of(seed: u64) -> Numbers {
            Numbers((0..seed).collect())
        }

        fn live(&self) -> Result<u64, String> {
            let fails = [1, 3].iter().all(|fault| self.0.contains(fault));
            if fails { Err("both".to_owned()) } else { Ok(1) }
        }

        fn faults(&mut self) -> &mut Vec<u64> {
            &mut self.0
        }
    }

    #[test]
    fn the_story_has_no_more_faults_than_it_takes() {
        assert_eq!(run::<Numbers>(0..4), Ok(4));
        let story = "seed 5: [1, 3]\nboth\n\nagain: cargo run -p simulation -- numbers --seed 5\n";
        assert_eq!(run::<Numbers>(5..6), Err(story.to_owned()));
    }
}
