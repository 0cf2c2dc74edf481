//! Every sample of every recording rule is there, once, with the value that its query has then.

use std::{collections::BTreeMap, time::Duration};

use model::{METRIC_NAME, Matcher, TimeRange, Timestamp, float};
use rules::{Definition, Query as _, SampleValue, file};
use storage::{Columns, Queryable as _, SelectHints};

use super::{server::Server, verdict::Dark};

/// Values by time in milliseconds and labels.
type Samples = BTreeMap<(i64, String), f64>;

/// The number of samples, and of those of moments when nothing ran.
pub(super) fn check(
    server: &Server,
    definitions: &[Definition],
    dark: &[Dark],
    (started, now): (Duration, Duration),
) -> Result<(usize, usize), String> {
    let (mut n_samples, mut n_made_up) = (0, 0);
    for group in definitions {
        let records = group.rules.iter().filter(|rule| rule.kind == file::Kind::Recording);
        for rule in records {
            let (wanted, found) =
                (wanted(server, group, rule, started, now)?, found(server, &rule.name)?);
            let Some(((first, _), _)) = wanted.first_key_value() else { continue };
            let found: Samples = found.into_iter().filter(|((time, _), _)| time >= first).collect();
            n_samples += found.len();
            let is_dark = |time: &i64| {
                let since = Duration::from_millis(*time as u64).saturating_sub(started);
                dark.iter().any(|dark| dark.from < since && since < dark.to)
            };
            n_made_up += found.keys().filter(|(time, _)| is_dark(time)).count();
            if let Some(text) = difference(&wanted, &found, started) {
                return Err(format!("{} of group {}: {text}", rule.name, group.name));
            }
        }
    }
    Ok((n_samples, n_made_up))
}

/// What the query says at each slot, now that everything is there.
fn wanted(
    server: &Server,
    group: &Definition,
    rule: &file::Rule,
    started: Duration,
    now: Duration,
) -> Result<Samples, String> {
    let offset = group.query_offset.unwrap_or_default();
    // The first slots may see nothing yet of what others record.
    let mut slot = group.slot_before(started + Duration::from_secs(240));
    let mut wanted = Samples::new();
    while slot <= now {
        let at = Timestamp::from_millis(slot.as_millis() as i64) - offset;
        for sample in server.answers.instant(&rule.expr, at)? {
            let SampleValue::Float(value) = sample.value else { continue };
            wanted.insert((at.as_millis(), sample.labels.without_name().to_string()), value);
        }
        slot += group.interval;
    }
    Ok(wanted)
}

fn found(server: &Server, name: &str) -> Result<Samples, String> {
    let range = TimeRange::ALL;
    let matchers = [Matcher::equal(METRIC_NAME, name)];
    let querier = server.database.querier(range).map_err(|error| error.to_string())?;
    let set = querier.select(true, &SelectHints::new(range), &matchers);
    let mut found = Samples::new();
    for series in set.map_err(|error| error.to_string())?.series {
        let mut columns = Columns::default();
        series.read(range, &mut columns).map_err(|error| error.to_string())?;
        let labels = series.labels().without_name().to_string();
        for (time, value) in columns.times.iter().zip(&columns.values) {
            if !float::is_stale(*value) {
                found.insert((*time, labels.clone()), *value);
            }
        }
    }
    Ok(found)
}

fn difference(wanted: &Samples, found: &Samples, started: Duration) -> Option<String> {
    let seconds = |time: i64| (time - started.as_millis() as i64) as f64 / 1000.0;
    for ((time, labels), value) in wanted {
        let at = seconds(*time);
        match found.get(&(*time, labels.clone())) {
            None => return Some(format!("the sample {labels} at {at} s is missing")),
            Some(other) if other != value => {
                return Some(format!("{labels} is {other} instead of {value} at {at} s"));
            }
            Some(_) => {}
        }
    }
    let extra = found.keys().find(|key| !wanted.contains_key(key));
    extra.map(|(time, labels)| format!("{labels} has a sample too much at {} s", seconds(*time)))
}
