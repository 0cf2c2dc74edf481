//! Hints that are found out while reading.

use std::sync::Arc;

use model::histogram::CounterResetHint;
use storage::Columns;

/// Says of each histogram whether the counter was reset before it, where the storage does not.
///
/// Upstream does so where only counts and sums are asked for, and warns where hints then collide;
/// elsewhere it leaves the hints of the storage as they are.
pub(crate) fn find_resets(columns: &mut Columns) {
    for idx in 1..columns.histograms.len() {
        let (before, after) = columns.histograms.split_at_mut(idx);
        let now = &mut after[0];
        if now.counter_reset_hint != CounterResetHint::Unknown {
            continue;
        }
        let was_reset = now.is_reset_after(&before[idx - 1]);
        let hint = if was_reset { CounterResetHint::Reset } else { CounterResetHint::NotReset };
        Arc::make_mut(now).counter_reset_hint = hint;
    }
}
