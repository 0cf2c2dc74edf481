//! Recording rules evaluated for moments that have passed without an evaluation. Ours: upstream
//! leaves these samples out.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use model::{Labels, METRIC_NAME, Matcher, TimeRange, Timestamp};
use storage::{Columns, Queryable, SelectHints};

use super::{Group, RuleState, Settings, Turn, World};
use crate::file;

/// How an attempt to make up for missed evaluations ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MadeUp {
    pub evaluations: usize,
    /// For want of time.
    pub left_out: usize,
}

/// What of a rule is missing.
struct Gap {
    /// Nothing is missing before.
    from: Timestamp,
    stored: HashMap<Labels, HashSet<i64>>,
}

impl Group {
    /// Makes up for the evaluations at `missed`, the earliest first, while the server ran.
    pub fn catch_up(
        &mut self,
        world: &World,
        settings: &Settings,
        missed: Vec<Timestamp>,
        budget: Duration,
    ) -> MadeUp {
        let from = missed.first().copied().unwrap_or(Timestamp::from_millis(i64::MIN));
        let gap = || Gap { from, stored: HashMap::new() };
        let gaps = self.rules.iter().map(|state| is_recording(state).then(gap)).collect();
        self.fill(world, settings, missed.into(), gaps, budget)
    }

    /// Makes up for the evaluations that a restart prevented among `slots`, the earliest first:
    /// those from the last sample of each rule on. Rules that have none there are left alone.
    pub fn resume(
        &mut self,
        world: &World,
        settings: &Settings,
        slots: Vec<Timestamp>,
        budget: Duration,
    ) -> MadeUp {
        let (Some(first), Some(last)) = (slots.first(), slots.last()) else {
            return MadeUp::default();
        };
        let offset = self.definition.query_offset.unwrap_or(settings.query_offset);
        let range = TimeRange { start: *first - offset, end: *last - offset };
        let gap = |state: &RuleState| {
            is_recording(state)
                .then(|| gap_since(&state.rule, range, offset, &*world.history))
                .flatten()
        };
        let gaps: Vec<_> = self.rules.iter().map(gap).collect();
        let earliest = gaps.iter().flatten().map(|gap| gap.from).min();
        let Some(earliest) = earliest else { return MadeUp::default() };
        let slots = slots.into_iter().filter(|slot| *slot >= earliest).collect();
        self.fill(world, settings, slots, gaps, budget)
    }

    /// Goes forward in time, so that rules find what rules before them have yielded and stores
    /// need not take samples out of order; when time gets short the earliest slots are left out.
    fn fill(
        &mut self,
        world: &World,
        settings: &Settings,
        mut slots: VecDeque<Timestamp>,
        gaps: Vec<Option<Gap>>,
        budget: Duration,
    ) -> MadeUp {
        let started = world.clock.monotonic();
        let offset = self.definition.query_offset.unwrap_or(settings.query_offset);
        let mut made_up = MadeUp::default();
        while let Some(at) = slots.pop_front() {
            let (definition, key) = (&self.definition, &*self.key);
            let turn = Turn { world, settings, definition, key, at, offset };
            for (state, gap) in self.rules.iter_mut().zip(&gaps) {
                if let Some(gap) = gap.as_ref().filter(|gap| gap.from <= at) {
                    turn.make_up(state, gap);
                }
            }
            made_up.evaluations += 1;
            let spent = world.clock.monotonic().saturating_sub(started);
            let surplus =
                slots.len().saturating_sub(affordable(made_up.evaluations, spent, budget));
            slots.drain(..surplus);
            made_up.left_out += surplus;
        }
        let counter = world.metrics.iterations_made_up.with([&self.key]);
        counter.add(made_up.evaluations as f64);
        made_up
    }
}

impl Turn<'_> {
    /// Stores what a rule would have yielded. Its health is about the present and stays.
    fn make_up(&self, state: &mut RuleState, gap: &Gap) {
        let rule = state.rule.clone();
        let evaluate = || {
            let results = self.ask(&rule.expr)?;
            let found = self.record(state, &results).map_err(|error| error.to_string())?;
            Ok((found, results))
        };
        let samples = catch_unwind(AssertUnwindSafe(evaluate))
            .unwrap_or_else(|_| Err("evaluation panicked".to_owned()));
        let time = self.time();
        let is_stored = |labels: &Labels| {
            gap.stored.get(labels).is_some_and(|times| times.contains(&time.as_millis()))
        };
        let stored = samples.and_then(|samples| {
            state.written.replace(&*self.world.storage, samples, time, is_stored)
        });
        if let Err(error) = stored {
            tracing::debug!(rule = rule.name, err = error, "Making up for an evaluation failed");
        }
    }
}

fn is_recording(state: &RuleState) -> bool {
    matches!(state.rule.kind, file::Kind::Recording)
}

/// What of `rule` is missing after the last sample that it has in `range`.
fn gap_since(
    rule: &file::Rule,
    range: TimeRange,
    offset: Duration,
    history: &dyn Queryable,
) -> Option<Gap> {
    let mut matchers = vec![Matcher::equal(METRIC_NAME, &rule.name)];
    let labels = rule.labels.iter().filter(|(_, value)| !value.is_empty());
    matchers.extend(labels.map(|(name, value)| Matcher::equal(name, value)));
    let set = history.querier(range).ok()?.select(false, &SelectHints::new(range), &matchers);
    let (mut last, mut stored) = (None, HashMap::new());
    for series in set.ok()?.series {
        let mut columns = Columns::default();
        series.read(range, &mut columns).ok()?;
        last = last.max(columns.times.last().copied());
        stored.insert(series.labels(), columns.times.iter().copied().collect::<HashSet<_>>());
    }
    // The last one again: a rule of the same name may have written it, and this one not.
    Some(Gap { from: Timestamp::from_millis(last?) + offset, stored })
}

/// For how many evaluations more there is time, after `n_done` of them.
fn affordable(n_done: usize, spent: Duration, budget: Duration) -> usize {
    let left = budget.saturating_sub(spent).as_nanos();
    let per_evaluation = spent.as_nanos() / (n_done as u128).max(1);
    usize::try_from(left / per_evaluation.max(1)).unwrap_or(usize::MAX)
}
