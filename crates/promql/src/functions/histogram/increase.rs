//! How much a native histogram grew.

use std::sync::Arc;

use model::{FloatHistogram, histogram::CounterResetHint};

use crate::{
    functions::{View, Windows},
    notes::Notes,
};

/// The change from the first histogram of a window to the last, not extrapolated; nothing, with
/// a note, if they do not fit together. The window has two or more, and no floats.
pub(in crate::functions) fn rate(
    view: &View<'_>,
    windows: &Windows<'_>,
    is_counter: bool,
    notes: &mut Notes,
) -> Option<FloatHistogram> {
    let histograms = view.histograms;
    note_wrong_kind(histograms, is_counter, windows, notes);
    let [first, second, ..] = histograms else { return None };
    let last = histograms.last()?;
    // After a reset the first one has no say, so its layout does not matter either.
    let forgets_first = is_counter && second.is_reset_after(first);
    let counted = if forgets_first { &histograms[1..] } else { histograms };
    let is_other_kind = |h: &FloatHistogram| h.has_custom_buckets() != last.has_custom_buckets();
    let is_mixed = if is_counter {
        counted.iter().any(|histogram| is_other_kind(histogram))
    } else {
        is_other_kind(first)
    };
    if is_mixed {
        notes.mixed_exponential_and_custom(windows.metric(), windows.position);
        return None;
    }
    let mut result = (**last).clone();
    if !forgets_first {
        subtract(&mut result, first, windows, notes)?;
    }
    if is_counter {
        let pairs = counted.windows(2);
        for pair in pairs.filter(|pair| pair[1].is_reset_after(&pair[0])) {
            add(&mut result, &pair[0], windows, notes)?;
        }
    }
    Some(as_gauge(result))
}

/// The change from `before` to `last`, for `irate` and `idelta`.
pub(in crate::functions) fn difference(
    before: &Arc<FloatHistogram>,
    last: &Arc<FloatHistogram>,
    windows: &Windows<'_>,
    is_rate: bool,
    notes: &mut Notes,
) -> Option<FloatHistogram> {
    note_wrong_kind(&[before.clone(), last.clone()], is_rate, windows, notes);
    let mut result = (**last).clone();
    if !is_rate || !last.is_reset_after(before) {
        subtract(&mut result, before, windows, notes)?;
    }
    Some(as_gauge(result))
}

/// Says so if a gauge is taken for a counter, or the other way round.
pub(super) fn note_wrong_kind(
    histograms: &[Arc<FloatHistogram>],
    is_counter: bool,
    windows: &Windows<'_>,
    notes: &mut Notes,
) {
    let is_gauge = |h: &Arc<FloatHistogram>| h.counter_reset_hint == CounterResetHint::Gauge;
    if is_counter && histograms.iter().any(is_gauge) {
        notes.not_a_counter(windows.metric(), windows.position);
    }
    let ends = || histograms.first().into_iter().chain(histograms.last());
    if !is_counter && !ends().all(is_gauge) {
        notes.not_a_gauge(windows.metric(), windows.position);
    }
}

pub(super) fn subtract(
    result: &mut FloatHistogram,
    other: &FloatHistogram,
    windows: &Windows<'_>,
    notes: &mut Notes,
) -> Option<()> {
    // Hints may collide here: resets have been looked for, whatever the hints say.
    let Ok(reconciled) = result.subtract(other) else {
        notes.mixed_exponential_and_custom(windows.metric(), windows.position);
        return None;
    };
    if reconciled.custom_bounds {
        notes.custom_buckets_reconciled("subtraction", windows.position);
    }
    Some(())
}

pub(super) fn add(
    result: &mut FloatHistogram,
    other: &FloatHistogram,
    windows: &Windows<'_>,
    notes: &mut Notes,
) -> Option<()> {
    let Ok(reconciled) = result.add(other) else {
        notes.mixed_exponential_and_custom(windows.metric(), windows.position);
        return None;
    };
    if reconciled.custom_bounds {
        notes.custom_buckets_reconciled("addition", windows.position);
    }
    Some(())
}

pub(super) fn as_gauge(mut histogram: FloatHistogram) -> FloatHistogram {
    histogram.counter_reset_hint = CounterResetHint::Gauge;
    histogram.compact(0);
    histogram
}
