//! How much a native histogram grew.

use std::sync::Arc;

use model::{FloatHistogram, histogram::CounterResetHint};

use crate::notes::Notes;

/// What a counter grew by over all `histograms`, resets included, or by how much a gauge changed;
/// a gauge either way. Nothing, with a note, if layouts do not fit together.
pub(crate) fn increase(
    histograms: &[Arc<FloatHistogram>],
    is_counter: bool,
    metric: &str,
    notes: &mut Notes,
    position: usize,
) -> Option<FloatHistogram> {
    let (first, last) = (histograms.first()?, histograms.last()?);
    let is_gauge = |h: &Arc<FloatHistogram>| h.counter_reset_hint == CounterResetHint::Gauge;
    if is_counter && histograms.iter().any(is_gauge) {
        notes.not_a_counter(metric, position);
    }
    if !is_counter && !(is_gauge(first) && is_gauge(last)) {
        notes.not_a_gauge(metric, position);
    }
    // After a reset the first one has no say, so its layout does not matter either.
    let forgets_first = is_counter && histograms.get(1).is_some_and(|h| h.is_reset_after(first));
    let others = if forgets_first { &histograms[1..] } else { histograms };
    let is_custom = last.has_custom_buckets();
    let matters = if is_counter { others } else { &[first.clone(), last.clone()][..] };
    if matters.iter().any(|h| h.has_custom_buckets() != is_custom) {
        notes.mixed_exponential_and_custom(metric, position);
        return None;
    }
    let schema = matters.iter().map(|h| h.schema).min()?;
    let mut result = if is_custom { (**last).clone() } else { last.copy_to_schema(schema) };
    let mut reconciled = false;
    if !forgets_first {
        reconciled |= result.subtract(first).ok()?.custom_bounds;
    }
    if reconciled {
        notes.custom_buckets_reconciled("subtraction", position);
    }
    if is_counter {
        for pair in others.windows(2).filter(|pair| pair[1].is_reset_after(&pair[0])) {
            if result.add(&pair[0]).ok()?.custom_bounds {
                notes.custom_buckets_reconciled("addition", position);
            }
        }
    }
    result.counter_reset_hint = CounterResetHint::Gauge;
    result.compact(0);
    Some(result)
}

/// What a counter grew by between two neighbours, or by how much a gauge changed.
pub(crate) fn difference(
    before: &FloatHistogram,
    after: &FloatHistogram,
    is_counter: bool,
    metric: &str,
    notes: &mut Notes,
    position: usize,
) -> Option<FloatHistogram> {
    let is_gauge = |h: &FloatHistogram| h.counter_reset_hint == CounterResetHint::Gauge;
    if is_counter && (is_gauge(before) || is_gauge(after)) {
        notes.not_a_counter(metric, position);
    }
    if !is_counter && !(is_gauge(before) && is_gauge(after)) {
        notes.not_a_gauge(metric, position);
    }
    let mut result = after.clone();
    if !is_counter || !after.is_reset_after(before) {
        match result.subtract(before) {
            Ok(reconciled) if reconciled.custom_bounds => {
                notes.custom_buckets_reconciled("subtraction", position);
            }
            Ok(_) => {}
            Err(_) => {
                notes.mixed_exponential_and_custom(metric, position);
                return None;
            }
        }
    }
    result.counter_reset_hint = CounterResetHint::Gauge;
    result.compact(0);
    Some(result)
}
