//! `and`, `or`, `unless`.

use std::collections::HashMap;

use model::Labels;
use promql_syntax::ast::{BinaryOp, VectorMatching};

use super::matching::signature;
use crate::{
    Error, Result,
    budget::StepCounts,
    column::{Column, Track},
    eval::{Evaluator, Scope, Sink},
    merge::Merge,
    plan::Binary,
};

/// For each signature the steps at which a series has it.
type Presence = HashMap<Labels, Vec<bool>, foldhash::fast::RandomState>;

pub(super) fn stream(
    evaluator: &Evaluator<'_>,
    binary: &Binary,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let before = evaluator.budget.current();
    let matching = binary.matching.as_ref();
    let matching = matching.ok_or_else(|| Error::execution("set operator without matching"))?;
    let mut counts = StepCounts::new(scope.n_steps());
    let (lhs, _held_left) = evaluator.tracks(&binary.lhs, scope)?;
    let (rhs, _held_right) = evaluator.tracks(&binary.rhs, scope)?;
    lhs.iter().chain(&rhs).for_each(|track| counts.input(&track.column));
    let mut out = |track: Track| -> Result<()> {
        if track.column.is_empty() {
            return Ok(());
        }
        counts.output(&track.column);
        sink(track)
    };
    match binary.op {
        BinaryOp::Or => {
            let left = presence(&lhs, matching, scope);
            let mut merge = Merge::new(&evaluator.shared.memory);
            let rest = rhs.into_iter().map(|track| filtered(track, &left, matching, false));
            for track in lhs.into_iter().chain(rest).filter(|track| !track.column.is_empty()) {
                merge.add(track)?;
            }
            merge.into_tracks().into_iter().try_for_each(out)?;
        }
        op => {
            let right = presence(&rhs, matching, scope);
            let wanted = op == BinaryOp::And;
            for track in lhs {
                out(filtered(track, &right, matching, wanted))?;
            }
        }
    }
    counts.settle(&evaluator.budget, before)
}

fn presence(tracks: &[Track], matching: &VectorMatching, scope: &Scope) -> Presence {
    let mut presence = Presence::default();
    for track in tracks {
        let steps = presence
            .entry(signature(&track.labels, matching))
            .or_insert_with(|| vec![false; scope.n_steps()]);
        track.column.cells().for_each(|(step, _)| steps[step] = true);
    }
    presence
}

/// The track at the steps where the other side has its signature, or has not.
fn filtered(track: Track, other: &Presence, matching: &VectorMatching, wanted: bool) -> Track {
    let Some(steps) = other.get(&signature(&track.labels, matching)) else {
        let column = if wanted { Column::default() } else { track.column };
        return Track { column, ..track };
    };
    let mut column = Column::default();
    for (step, cell) in track.column.cells() {
        if steps[step] == wanted {
            column.set_cell(step, cell);
        }
    }
    Track { column, ..track }
}
