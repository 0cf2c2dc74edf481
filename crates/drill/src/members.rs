//! Compares running members, without hurting them. What they have is the truth: a sample that only
//! some of them show is one that the others lost.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::Context as _;
use runtime::Runtime;

use crate::{
    ledger::{Range, Sample},
    outcome::Promise,
    reading::{Reader, Series},
    table,
};

/// Scrapes and repairs that are under way are nobody's fault.
const YOUNG_MS: i64 = 5000;

/// Reads the last `window` of what `selector` selects at each of `bases`; true where all agree.
pub async fn compare_members(
    runtime: Runtime,
    bases: &[String],
    selector: &str,
    window: Duration,
    mut say: impl FnMut(&str),
) -> anyhow::Result<bool> {
    let reader = Reader::new(runtime.clone())?;
    let to_ms = runtime.clock.now_millis() - YOUNG_MS;
    let range = Range { from_ms: to_ms - window.as_millis() as i64, to_ms };
    let mut readings = Vec::new();
    for base in bases {
        let (series, warnings) =
            reader.samples(base, selector, range).await.with_context(|| format!("ask {base}"))?;
        for warning in warnings {
            say(&format!("{base} warns: {warning}"));
        }
        readings.push((base.clone(), series));
    }
    let promises = compare(range, readings);
    say(table::of_promises(&promises).trim_end());
    Ok(promises.iter().all(|promise| promise.is_kept))
}

fn compare(range: Range, readings: Vec<(String, Vec<Series>)>) -> Vec<Promise> {
    type Identity = (BTreeMap<String, String>, i64);
    let samples = |series: Vec<Series>| -> BTreeMap<Identity, Vec<u64>> {
        let mut samples: BTreeMap<Identity, Vec<u64>> = BTreeMap::new();
        for (labels, values) in series {
            let values = values.iter().filter(|sample| range.contains(sample.at_ms));
            for Sample { at_ms, value } in values {
                samples.entry((labels.clone(), *at_ms)).or_default().push(value.to_bits());
            }
        }
        samples
    };
    let members: Vec<_> =
        readings.into_iter().map(|(base, series)| (base, samples(series))).collect();
    let all: BTreeSet<&Identity> = members.iter().flat_map(|(_, samples)| samples.keys()).collect();
    let first = members.first().map(|(_, samples)| samples);
    let promise = |(base, samples): &(String, BTreeMap<Identity, Vec<u64>>)| {
        let lost = all.len() - samples.len();
        let differs = |(identity, values): &(&Identity, &Vec<u64>)| {
            let other = first.and_then(|first| first.get(*identity));
            other.is_some_and(|other| other != *values)
        };
        let different = samples.iter().filter(differs).count();
        let doubled: usize = samples.values().map(|values| values.len() - 1).sum();
        Promise {
            name: base.trim_start_matches("http://").to_owned(),
            expected: Some(all.len() as u64),
            lost: Some(lost as u64),
            doubled: Some(doubled as u64),
            wrong: None,
            different: Some(different as u64),
            seconds: None,
            is_kept: !all.is_empty() && lost + doubled + different == 0,
        }
    };
    members.iter().map(promise).collect()
}
