//! Operators between vectors whose series find each other by labels.

use indexmap::IndexMap;
use model::{Labels, LabelsBuilder, METRIC_NAME};
use promql_syntax::ast::{Cardinality, VectorMatching};

use super::{any_at, changes_meaning, element, pair, set_outcome};
use crate::{
    Error, Result,
    budget::StepCounts,
    column::{Cell, Column, Track},
    eval::{Evaluator, Scope, Sink, is_identity, without_identity},
    merge::Merge,
    plan::Binary,
};

/// The labels by which series find each other.
pub(super) fn signature(labels: &Labels, matching: &VectorMatching) -> Labels {
    let listed = |name: &str| matching.labels.iter().any(|label| label == name);
    if matching.on {
        labels.filter(listed)
    } else {
        labels.filter(|name| name != METRIC_NAME && !listed(name))
    }
}

/// Series of the same signature, by their places on either side.
#[derive(Default)]
struct Group {
    many: Vec<usize>,
    one: Vec<usize>,
}

struct Join<'a> {
    evaluator: &'a Evaluator<'a>,
    binary: &'a Binary,
    matching: &'a VectorMatching,
    n_steps: usize,
    /// The side that may have several series of a signature; the left one, but with
    /// `group_right`.
    many: Vec<Track>,
    one: Vec<Track>,
    /// The "many" side is the right one.
    swapped: bool,
    /// Steps at which anything can match.
    active: Vec<bool>,
}

pub(super) fn stream(
    evaluator: &Evaluator<'_>,
    binary: &Binary,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let before = evaluator.budget.current();
    let matching = binary.matching.as_ref();
    let matching = matching.ok_or_else(|| Error::execution("vectors without matching"))?;
    let n_steps = scope.n_steps();
    let mut counts = StepCounts::new(n_steps);
    let (lhs, _held_left) = evaluator.tracks(&binary.lhs, scope)?;
    let (rhs, _held_right) = evaluator.tracks(&binary.rhs, scope)?;
    lhs.iter().chain(&rhs).for_each(|track| counts.input(&track.column));

    let swapped = matching.cardinality == Cardinality::OneToMany;
    let fills = matching.fill_left.is_some() || matching.fill_right.is_some();
    let active = active_steps(&lhs, &rhs, n_steps, fills);
    let (many, one) = if swapped { (rhs, lhs) } else { (lhs, rhs) };
    let join = Join { evaluator, binary, matching, n_steps, many, one, swapped, active };
    let mut merge = Merge::new(&evaluator.shared.memory);
    for (signature, group) in join.groups() {
        join.group(&signature, &group, &mut merge)?;
    }
    for track in merge.into_tracks() {
        counts.output(&track.column);
        sink(track)?;
    }
    counts.settle(&evaluator.budget, before)
}

/// Without fills, nothing is even compared at steps where one side has nothing.
fn active_steps(lhs: &[Track], rhs: &[Track], n_steps: usize, fills: bool) -> Vec<bool> {
    if fills {
        return vec![true; n_steps];
    }
    let (left, right) = (any_at(lhs, n_steps), any_at(rhs, n_steps));
    left.iter().zip(&right).map(|(left, right)| *left && *right).collect()
}

impl Join<'_> {
    fn groups(&self) -> IndexMap<Labels, Group, foldhash::fast::RandomState> {
        let mut groups = IndexMap::<Labels, Group, _>::default();
        for (idx, track) in self.many.iter().enumerate() {
            groups.entry(signature(&track.labels, self.matching)).or_default().many.push(idx);
        }
        for (idx, track) in self.one.iter().enumerate() {
            groups.entry(signature(&track.labels, self.matching)).or_default().one.push(idx);
        }
        groups
    }

    /// Upstream has swapped the sides by then, so `fill_right` always stands in for the "one".
    fn fill_one(&self) -> Option<f64> {
        self.matching.fill_right
    }

    fn fill_many(&self) -> Option<f64> {
        self.matching.fill_left
    }

    fn group(&self, signature: &Labels, group: &Group, merge: &mut Merge) -> Result<()> {
        let no_fill = self.fill_one().is_none() && self.fill_many().is_none();
        let may_be_several = self.matching.cardinality != Cardinality::OneToOne;
        if no_fill && group.one.is_empty() {
            return Ok(());
        }
        let [one] = &*group.one else {
            return self.group_by_steps(signature, group, merge);
        };
        if !no_fill || (group.many.len() > 1 && !may_be_several) {
            return self.group_by_steps(signature, group, merge);
        }
        let one = &self.one[*one];
        let pairs = group.many.iter().map(|many| {
            let many = &self.many[*many];
            let (lhs, rhs) = if self.swapped { (one, many) } else { (many, one) };
            let column = pair(self.evaluator, self.binary, &lhs.column, &rhs.column);
            (Some(many), Some(one), column)
        });
        self.finish_group(signature, pairs, merge)
    }

    /// For groups in which it depends on the step which series match.
    fn group_by_steps(&self, signature: &Labels, group: &Group, merge: &mut Merge) -> Result<()> {
        // By the places of the series on both sides; the last place stands for a fill.
        let (n_many, n_one) = (group.many.len() + 1, group.one.len() + 1);
        let mut pairs: IndexMap<(usize, usize), Column> = IndexMap::new();
        for step in 0..self.n_steps {
            if !self.active[step] {
                continue;
            }
            let one = self.one_at(signature, group, step)?;
            let mut matched = false;
            let mut any_many = false;
            for (place, idx) in group.many.iter().enumerate() {
                let Some(cell) = self.many[*idx].column.get(step) else { continue };
                any_many = true;
                let (one_place, other) = match (one, self.fill_one()) {
                    (Some((one_place, other)), _) => (one_place, other),
                    (None, Some(fill)) => (n_one - 1, Cell::Float(fill)),
                    (None, None) => continue,
                };
                if matched && self.matching.cardinality == Cardinality::OneToOne {
                    return Err(Error::execution(
                        "multiple matches for labels: many-to-one matching must be explicit \
                         (group_left/group_right)",
                    ));
                }
                matched = true;
                let column = pairs.entry((place, one_place)).or_default();
                self.outcome(step, cell, other, column);
            }
            if let (false, Some((one_place, other)), Some(fill)) = (any_many, one, self.fill_many())
            {
                let column = pairs.entry((n_many - 1, one_place)).or_default();
                self.outcome(step, Cell::Float(fill), other, column);
            }
        }
        let pairs = pairs.into_iter().map(|((many, one), column)| {
            let many = group.many.get(many).map(|idx| &self.many[*idx]);
            let one = group.one.get(one).map(|idx| &self.one[*idx]);
            (many, one, column)
        });
        self.finish_group(signature, pairs, merge)
    }

    fn finish_group<'s>(
        &'s self,
        signature: &Labels,
        pairs: impl Iterator<Item = (Option<&'s Track>, Option<&'s Track>, Column)>,
        merge: &mut Merge,
    ) -> Result<()> {
        let mut own = Merge::new(&self.evaluator.shared.memory);
        for (many, one, column) in pairs {
            let outcome = self.finish(many, one, signature, column, &mut own);
            outcome.map_err(|error| match error {
                Error::TooMuchMemory(_) => error,
                _ => Error::execution(
                    "multiple matches for labels: grouping labels must ensure unique matches",
                ),
            })?;
        }
        own.into_tracks().into_iter().try_for_each(|track| merge.add(track))
    }

    fn outcome(&self, step: usize, many: Cell<'_>, one: Cell<'_>, column: &mut Column) {
        let (lhs, rhs) = if self.swapped { (one, many) } else { (many, one) };
        set_outcome(self.evaluator, self.binary, step, lhs, rhs, column);
    }

    /// The only series of the "one" side at a step, and its place in the group.
    fn one_at<'s>(
        &'s self,
        signature: &Labels,
        group: &Group,
        step: usize,
    ) -> Result<Option<(usize, Cell<'s>)>> {
        let mut found: Option<(usize, Cell<'s>)> = None;
        for (place, idx) in group.one.iter().enumerate() {
            let Some(cell) = self.one[*idx].column.get(step) else { continue };
            if let Some((first, _)) = found {
                let first = &self.one[group.one[first]].labels;
                return Err(self.duplicate(signature, first, &self.one[*idx].labels));
            }
            found = Some((place, cell));
        }
        Ok(found)
    }

    fn duplicate(&self, signature: &Labels, a: &Labels, b: &Labels) -> Error {
        let side = if self.swapped { "left" } else { "right" };
        let (a, b) = (a.min(b), a.max(b));
        Error::execution(format!(
            "found duplicate series for the match group {signature} on the {side} hand-side of \
             the operation: [{a}, {b}];many-to-many matching not allowed: matching labels must \
             be unique on one side"
        ))
    }

    /// Gives the values of a pair their labels; a side that was filled in has the signature's.
    fn finish(
        &self,
        many: Option<&Track>,
        one: Option<&Track>,
        signature: &Labels,
        column: Column,
        merge: &mut Merge,
    ) -> Result<()> {
        if column.is_empty() {
            return Ok(());
        }
        let labels = self.labels(
            many.map_or(signature, |track| &track.labels),
            one.map_or(signature, |track| &track.labels),
        );
        let delayed = self.evaluator.settings().delayed_name_removal;
        let labels =
            if !delayed && self.binary.return_bool { without_identity(&labels) } else { labels };
        let drop_name =
            delayed && (self.binary.return_bool || many.is_some_and(|track| track.drop_name));
        merge.add(Track { labels, drop_name, column })
    }

    fn labels(&self, many: &Labels, one: &Labels) -> Labels {
        let matching = self.matching;
        let listed = |name: &str| matching.labels.iter().any(|label| label == name);
        let changes_name =
            element::arithmetic(self.binary.op).is_some() && changes_meaning(self.binary);
        let one_to_one = matching.cardinality == Cardinality::OneToOne;
        let labels = many.filter(|name| {
            let matches = !one_to_one || listed(name) == matching.on;
            matches && !(changes_name && is_identity(name))
        });
        if matching.include.is_empty() {
            return labels;
        }
        let mut builder = LabelsBuilder::new(&labels);
        for name in &matching.include {
            builder.set(name, one.value(name));
        }
        builder.build()
    }
}
