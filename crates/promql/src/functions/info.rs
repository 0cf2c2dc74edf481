//! `info`: labels of info series such as `target_info`, joined to other series.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use model::{Labels, LabelsBuilder, METRIC_NAME, MatchKind, Matcher, TimeRange};
use storage::{SelectHints, Series};

use crate::{
    Error, Result,
    budget::StepCounts,
    column::{Column, Track},
    eval::{Evaluator, Scope, Sink, newest_times},
    merge::Merge,
    plan::{Call, Node, Op, Selector, When},
};

/// The labels by which info series and others find each other.
const IDENTIFYING: [&str; 2] = ["instance", "job"];
const TARGET_INFO: &str = "target_info";

pub(super) fn info(
    evaluator: &Evaluator<'_>,
    call: &Call,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let base = call.args.first().ok_or_else(|| Error::execution("instant vector expected"))?;
    let before = evaluator.budget.current();
    let wanted = Wanted::of(call.args.get(1))?;
    let mut counts = StepCounts::new(scope.n_steps());
    let (bases, _held) = evaluator.tracks(base, scope)?;
    bases.iter().for_each(|track| counts.input(&track.column));
    let when = selector(base).unwrap_or_default();
    let infos = info_series(evaluator, &bases, &wanted, when, scope)?;
    infos.iter().for_each(|track| counts.input(&track.column));

    let sources = sources(&infos, scope.n_steps())?;
    let mut merge = Merge::new(&evaluator.shared.memory);
    for track in bases {
        if wanted.is_source(&track.labels) {
            merge.add(track)?;
            continue;
        }
        let candidates = sources.get(&identity(&track.labels)).map_or(&[][..], Vec::as_slice);
        enrich(&track, candidates, &infos, &wanted, &mut merge)?;
    }
    for track in merge.into_tracks() {
        counts.output(&track.column);
        sink(track)?;
    }
    counts.settle(&evaluator.budget, before)
}

/// What the second argument asks for.
struct Wanted {
    /// Which metrics are info metrics.
    names: Vec<Matcher>,
    /// Which labels are copied, and what they must be; all if there is none.
    labels: Vec<Matcher>,
}

impl Wanted {
    fn of(argument: Option<&Node>) -> Result<Wanted> {
        let matchers: &[Matcher] = match argument.map(|node| &node.op) {
            None => &[],
            Some(Op::Select(selector)) => &selector.matchers,
            Some(Op::Invariant(inner)) => return Wanted::of(Some(inner)),
            Some(_) => return Err(Error::execution("label selector expected")),
        };
        let (mut names, labels): (Vec<Matcher>, Vec<Matcher>) =
            matchers.iter().cloned().partition(|matcher| matcher.name == METRIC_NAME);
        let is_positive =
            |matcher: &Matcher| matches!(matcher.kind, MatchKind::Equal | MatchKind::Regex);
        if names.is_empty() {
            names.push(Matcher::equal(METRIC_NAME, TARGET_INFO));
        } else if !names.iter().any(is_positive) {
            // Otherwise everything that has not that name would be an info metric.
            let any_info = Matcher::new(MatchKind::Regex, METRIC_NAME, ".+_info");
            names.push(any_info.expect("the pattern is well-formed"));
        }
        Ok(Wanted { names, labels })
    }

    /// Whether the series is itself one that labels are taken from.
    fn is_source(&self, labels: &Labels) -> bool {
        self.names.iter().all(|matcher| matcher.matches(labels.metric_name()))
    }

    fn copies(&self, label: &str) -> bool {
        label != METRIC_NAME
            && (self.labels.is_empty() || self.labels.iter().any(|matcher| matcher.name == label))
    }

    /// Whether a series without info series is wanted, too.
    fn allows_none(&self) -> bool {
        self.labels.iter().all(Matcher::matches_empty)
    }
}

/// When the first selector in `node` looks.
fn selector(node: &Node) -> Option<When> {
    let within = |outer: When, inner: When| match inner.pinned {
        Some(_) => inner,
        None => When {
            pinned: outer.pinned,
            offset_ms: outer.offset_ms.saturating_add(inner.offset_ms),
        },
    };
    match &node.op {
        Op::Select(Selector { when, .. }) => Some(*when),
        Op::Window(window) => Some(window.selector.when),
        Op::Subquery(subquery) => {
            selector(&subquery.inner).map(|inner| within(subquery.when, inner))
        }
        Op::Call(call) => call.args.iter().find_map(selector),
        Op::Aggregate(aggregate) => selector(&aggregate.inner),
        Op::Binary(binary) => selector(&binary.lhs).or_else(|| selector(&binary.rhs)),
        Op::Negate(inner) | Op::Invariant(inner) => selector(inner),
        Op::Number(_) | Op::Text(_) => None,
    }
}

fn identity(labels: &Labels) -> [String; 2] {
    IDENTIFYING.map(|name| labels.value(name).to_owned())
}

/// The info series that may belong to `bases`, with the times of their samples as values.
fn info_series(
    evaluator: &Evaluator<'_>,
    bases: &[Track],
    wanted: &Wanted,
    when: When,
    scope: &Scope,
) -> Result<Vec<Track>> {
    let enriched = || bases.iter().filter(|track| !wanted.is_source(&track.labels));
    let mut matchers = Vec::new();
    for name in IDENTIFYING {
        let values: BTreeSet<&str> = enriched().filter_map(|base| base.labels.get(name)).collect();
        if !values.is_empty() {
            let patterns: Vec<String> = values.into_iter().map(escaped).collect();
            let matcher = Matcher::new(MatchKind::Regex, name, patterns.join("|"));
            matchers.push(matcher.map_err(|error| Error::execution(error.to_string()))?);
        }
    }
    if matchers.is_empty() || scope.n_steps() == 0 {
        return Ok(Vec::new());
    }
    matchers.extend(wanted.labels.iter().chain(&wanted.names).cloned());
    let lookback = evaluator.settings().lookback_ms;
    let start = when.moment(scope.steps.start).saturating_sub(lookback).saturating_add(1);
    let range = TimeRange::from_millis(start, when.moment(scope.steps.end()));
    let hints = SelectHints {
        step_ms: scope.steps.interval,
        function: "info".to_owned(),
        ..SelectHints::new(range)
    };
    let set = evaluator.shared.querier.select(false, &hints, &matchers)?;
    evaluator.storage_warnings.borrow_mut().extend(set.warnings);
    let series: &[Arc<dyn Series>] = &set.series;
    newest_times(evaluator, series, when, scope)
}

/// A pattern that matches just `text`.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

/// For one info metric and one identity, the series in force at each step, by number.
struct Source {
    by_step: Vec<Option<usize>>,
}

/// The newest info series wins where several would do.
fn sources(infos: &[Track], n_steps: usize) -> Result<HashMap<[String; 2], Vec<Source>>> {
    let mut grouped: BTreeMap<(&str, [String; 2]), Vec<usize>> = BTreeMap::new();
    for (number, info) in infos.iter().enumerate() {
        let key = (info.labels.metric_name(), identity(&info.labels));
        grouped.entry(key).or_default().push(number);
    }
    let mut sources: HashMap<[String; 2], Vec<Source>> = HashMap::new();
    for ((_, identity), numbers) in grouped {
        let mut by_step: Vec<Option<usize>> = vec![None; n_steps];
        for number in numbers {
            for (step, time) in infos[number].column.floats() {
                let known = by_step[step];
                let known_time = known.and_then(|known| infos[known].column.float(step));
                match (known, known_time) {
                    (Some(known), Some(known_time)) if known_time == time => {
                        return Err(duplicate(&infos[known].labels, &infos[number].labels, time));
                    }
                    (_, Some(known_time)) if known_time > time => {}
                    _ => by_step[step] = Some(number),
                }
            }
        }
        sources.entry(identity).or_default().push(Source { by_step });
    }
    Ok(sources)
}

fn duplicate(known: &Labels, new: &Labels, seconds: f64) -> Error {
    let time = (seconds * 1000.0).round() as i64;
    Error::execution(format!(
        "found duplicate series for info metric: existing {known} @ {time}, new {new} @ {time}"
    ))
}

/// Hands on `track` with the labels that info series give it at each step.
fn enrich(
    track: &Track,
    candidates: &[Source],
    infos: &[Track],
    wanted: &Wanted,
    merge: &mut Merge,
) -> Result<()> {
    let mut parts: HashMap<Vec<usize>, Column> = HashMap::new();
    let mut order: Vec<Vec<usize>> = Vec::new();
    for (step, cell) in track.column.cells() {
        let found: Vec<usize> =
            candidates.iter().filter_map(|source| source.by_step[step]).collect();
        if found.is_empty() && !wanted.allows_none() {
            continue;
        }
        if !parts.contains_key(&found) {
            order.push(found.clone());
        }
        parts.entry(found).or_default().set_cell(step, cell);
    }
    for found in order {
        let labels = with_labels_of(&track.labels, &found, infos, wanted)?;
        let column = parts.remove(&found).unwrap_or_default();
        let enriched = Track { labels, drop_name: track.drop_name, column };
        merge.add(enriched)?;
    }
    Ok(())
}

fn with_labels_of(
    base: &Labels,
    found: &[usize],
    infos: &[Track],
    wanted: &Wanted,
) -> Result<Labels> {
    let mut added = LabelsBuilder::default();
    for number in found {
        for (name, value) in infos[*number].labels.iter().filter(|(name, _)| wanted.copies(name)) {
            let known = added.get(name);
            if !known.is_empty() && known != value {
                return Err(Error::execution(format!("conflicting label: {name}")));
            }
            if base.get(name).is_none() {
                added.set(name, value);
            }
        }
    }
    let mut builder = LabelsBuilder::new(base);
    added.iter().for_each(|(name, value)| {
        builder.set(name, value);
    });
    Ok(builder.build())
}
