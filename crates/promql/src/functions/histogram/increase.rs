//! How much a native histogram grew.

use std::sync::Arc;

use model::{FloatHistogram, histogram::CounterResetHint};

use crate::{
    functions::{View, Windows},
    notes::Notes,
};

/// The change from the first histogram of a window to the last, not extrapolated; nothing, with
/// a note, if they do not fit together. The window has no floats. `began_anew` says of which
/// histograms it is known, beside what they count, that their counter is not that of the one
/// before.
pub(in crate::functions) fn rate(
    view: &View<'_>,
    windows: &Windows<'_>,
    is_counter: bool,
    began_anew: &dyn Fn(usize) -> bool,
    notes: &mut Notes,
) -> Option<FloatHistogram> {
    let histograms = view.histograms;
    note_wrong_kind(histograms, is_counter, windows, notes);
    let (first, last) = (histograms.first()?, histograms.last()?);
    let is_reset = |idx: usize| {
        is_counter && (began_anew(idx) || histograms[idx].is_reset_after(&histograms[idx - 1]))
    };
    // After a reset the first one has no say, so its layout does not matter either.
    let forgets_first = histograms.len() > 1 && is_reset(1);
    let n_forgotten = usize::from(forgets_first);
    let is_other_kind = |h: &FloatHistogram| h.has_custom_buckets() != last.has_custom_buckets();
    let is_mixed = if is_counter {
        histograms[n_forgotten..].iter().any(|histogram| is_other_kind(histogram))
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
    for idx in (n_forgotten + 1..histograms.len()).filter(|idx| is_reset(*idx)) {
        add(&mut result, &histograms[idx - 1], windows, notes)?;
    }
    Some(as_gauge(result))
}

/// The change from the first to the second, for `irate` and `idelta`.
pub(in crate::functions) fn difference(
    [before, last]: [&Arc<FloatHistogram>; 2],
    began_anew: bool,
    windows: &Windows<'_>,
    is_rate: bool,
    notes: &mut Notes,
) -> Option<FloatHistogram> {
    note_wrong_kind(&[before.clone(), last.clone()], is_rate, windows, notes);
    let mut result = (**last).clone();
    let was_reset = is_rate && (began_anew || last.is_reset_after(before));
    if !was_reset {
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

pub(in crate::functions) fn as_gauge(mut histogram: FloatHistogram) -> FloatHistogram {
    histogram.counter_reset_hint = CounterResetHint::Gauge;
    histogram.compact(0);
    histogram
}
