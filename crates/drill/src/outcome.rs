//! What came of a seed, and whether the promises were kept. Pure.

#[cfg(test)]
mod tests;

use crate::{
    failover::{Failover, Kind},
    ledger::{Count, Range},
};

/// The next writer writes within this time after a crash.
pub(crate) const CRASH_SECONDS: f64 = 5.0;
/// And after a planned stop.
pub(crate) const PLANNED_SECONDS: f64 = 1.0;

/// What one place has in the end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) raw: Count,
    pub(crate) recorded: Count,
}

impl Place {
    pub(crate) fn is_whole(&self) -> bool {
        self.raw.is_whole() && self.recorded.is_whole()
    }
}

/// Answers that were compared byte by byte.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Texts {
    pub(crate) asked: u64,
    pub(crate) different: u64,
}

/// Something that was done to the topology.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) lane: String,
    pub(crate) range: Range,
    pub(crate) what: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) seed: u64,
    /// What is counted.
    pub(crate) range: Range,
    pub(crate) healed_ms: i64,
    /// When everything was whole, or the wait was given up.
    pub(crate) settled_ms: i64,
    pub(crate) places: Vec<Place>,
    pub(crate) different: Option<u64>,
    pub(crate) texts: Texts,
    pub(crate) remote: Option<Place>,
    pub(crate) notices: Count,
    pub(crate) failovers: Vec<Failover>,
    /// How often targets were asked, and how often they answered.
    pub(crate) asked: u64,
    pub(crate) answered: u64,
    pub(crate) events: Vec<Event>,
    /// Who wrote when.
    pub(crate) reigns: Vec<(usize, Range)>,
    /// Who said when that it leads.
    pub(crate) led: Vec<(usize, Range)>,
    pub(crate) unasked: Vec<String>,
    pub(crate) notes: Vec<String>,
}

/// A promise, over all seeds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Promise {
    pub(crate) name: String,
    /// Nothing where a column has no meaning.
    pub(crate) expected: Option<u64>,
    pub(crate) lost: Option<u64>,
    pub(crate) doubled: Option<u64>,
    pub(crate) wrong: Option<u64>,
    pub(crate) different: Option<u64>,
    /// The slowest, the typical.
    pub(crate) seconds: Option<(f64, f64)>,
    pub(crate) is_kept: bool,
}

impl Promise {
    fn new(name: &str) -> Promise {
        let (expected, lost, doubled, wrong, different, seconds) = Default::default();
        let name = name.to_owned();
        Promise { name, expected, lost, doubled, wrong, different, seconds, is_kept: true }
    }

    fn of_count(name: &str, count: &Count) -> Promise {
        Promise {
            expected: Some(count.expected),
            lost: Some(count.lost),
            doubled: Some(count.doubled),
            wrong: Some(count.wrong),
            is_kept: count.is_whole() && count.expected > 0,
            ..Promise::new(name)
        }
    }

    fn of_differences(name: &str, expected: Option<u64>, different: u64) -> Promise {
        Promise {
            expected,
            different: Some(different),
            is_kept: different == 0,
            ..Promise::new(name)
        }
    }
}

/// All promises over `outcomes`, in the order in which they are shown.
pub(crate) fn promises(outcomes: &[Outcome]) -> Vec<Promise> {
    let mut promises = Vec::new();
    let Some(first) = outcomes.first() else { return promises };
    for (index, place) in first.places.iter().enumerate() {
        let places = outcomes.iter().filter_map(|outcome| outcome.places.get(index));
        promises.push(Promise::of_count(
            &format!("samples at {}", place.name),
            &total(places.clone().map(|place| &place.raw)),
        ));
        promises.push(Promise::of_count(
            &format!("recorded at {}", place.name),
            &total(places.map(|place| &place.recorded)),
        ));
    }
    if first.different.is_some() {
        let different = outcomes.iter().filter_map(|outcome| outcome.different).sum();
        promises.push(Promise::of_differences("samples, member by member", None, different));
        let asked = outcomes.iter().map(|outcome| outcome.texts.asked).sum();
        let different = outcomes.iter().map(|outcome| outcome.texts.different).sum();
        promises.push(Promise::of_differences("answers as text", Some(asked), different));
    }
    if first.remote.is_some() {
        let places = outcomes.iter().filter_map(|outcome| outcome.remote.as_ref());
        let raw = total(places.clone().map(|place| &place.raw));
        promises.push(Promise::of_count("samples at the remote end", &raw));
        let recorded = total(places.map(|place| &place.recorded));
        promises.push(Promise::of_count("recorded at the remote end", &recorded));
    }
    promises.push(notifications(outcomes));
    if first.remote.is_some() {
        promises.push(failover("writer after a crash", outcomes, Kind::Crash, CRASH_SECONDS));
        promises.push(failover("writer after a stop", outcomes, Kind::Planned, PLANNED_SECONDS));
    }
    let unasked: usize = outcomes.iter().map(|outcome| outcome.unasked.len()).sum();
    promises.push(Promise {
        lost: Some(unasked as u64),
        is_kept: unasked == 0,
        ..Promise::new("processes")
    });
    promises
}

pub(crate) fn are_kept(outcomes: &[Outcome]) -> bool {
    !outcomes.is_empty() && promises(outcomes).iter().all(|promise| promise.is_kept)
}

/// At least once, as everywhere in alerting: doubles are shown, and break no promise.
fn notifications(outcomes: &[Outcome]) -> Promise {
    let count = total(outcomes.iter().map(|outcome| &outcome.notices));
    let promise = Promise::of_count("notifications", &count);
    Promise { is_kept: count.lost == 0, wrong: None, ..promise }
}

fn failover(name: &str, outcomes: &[Outcome], kind: Kind, limit: f64) -> Promise {
    let all = outcomes.iter().flat_map(|outcome| &outcome.failovers);
    let all: Vec<_> = all.filter(|failover| failover.hit.kind == kind).collect();
    let mut seconds: Vec<f64> = all.iter().filter_map(|failover| failover.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let never = all.len() - seconds.len();
    let slowest = seconds.last().copied();
    Promise {
        expected: Some(all.len() as u64),
        lost: Some(never as u64),
        seconds: slowest.map(|slowest| (slowest, seconds[seconds.len() / 2])),
        is_kept: never == 0 && slowest.is_none_or(|slowest| slowest <= limit),
        ..Promise::new(name)
    }
}

fn total<'a>(counts: impl Iterator<Item = &'a Count>) -> Count {
    counts.fold(Count::default(), |sum, count| Count {
        expected: sum.expected + count.expected,
        lost: sum.lost + count.lost,
        doubled: sum.doubled + count.doubled,
        wrong: sum.wrong + count.wrong,
        gaps: Vec::new(),
    })
}
