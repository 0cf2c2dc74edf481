//! Quantiles and fractions of histograms, of classic ones that are a series a bucket, and the
//! way to native ones.

mod bucket;

use indexmap::IndexMap;
use model::{Labels, LabelsBuilder, histogram::bounds::le_text};

use super::histogram;
use crate::{
    Error, Result,
    budget::StepCounts,
    column::{Cell, Column, Track},
    eval::{Evaluator, Scope, Sink, without_identity},
    merge::Merge,
    plan::{Call, Node, Op},
};

use bucket::bucket_fraction;
pub(crate) use bucket::{Bucket, bucket_quantile};

/// One histogram over time, classic or native.
#[derive(Default)]
struct Histogram {
    /// Sorted by upper bound.
    buckets: Vec<(f64, Column)>,
    native: Vec<Column>,
}

/// Histograms by their labels without `le`.
type Histograms = IndexMap<Labels, Histogram, foldhash::fast::RandomState>;

pub(super) fn quantile(
    evaluator: &Evaluator<'_>,
    call: &Call,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let [phi, vector] = &*call.args else {
        return Err(Error::execution("histogram_quantile expects two arguments"));
    };
    let before = evaluator.budget.current();
    let phis = evaluator.scalars(phi, scope)?;
    for bad in phis.iter().filter(|phi| !(0.0..=1.0).contains(*phi)) {
        evaluator.notes().invalid_quantile(*bad, phi.position);
    }
    let mut counts = StepCounts::new(scope.n_steps());
    counts.input_scalar();
    let histograms = gather(evaluator, vector, scope, &mut counts)?;
    let quantiles = Quantiles { evaluator, vector, scope };
    let mut merge = Merge::new(&evaluator.shared.memory);
    for (labels, histogram) in &histograms {
        let column = quantiles.of(labels, histogram, &phis);
        add(evaluator, labels.clone(), column, &mut merge)?;
    }
    emit(merge, &mut counts, sink)?;
    counts.settle(&evaluator.budget, before)
}

/// Several quantiles at once, told apart by a label.
pub(super) fn quantiles(
    evaluator: &Evaluator<'_>,
    call: &Call,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let [vector, label, phis @ ..] = &*call.args else {
        return Err(Error::execution("histogram_quantiles expects three arguments or more"));
    };
    let Op::Text(label) = &label.op else { return Err(Error::execution("string expected")) };
    if label.is_empty() || label.contains('\u{fffd}') {
        return Err(Error::execution(format!("invalid label name {label}")));
    }
    let before = evaluator.budget.current();
    let mut counts = StepCounts::new(scope.n_steps());
    let histograms = gather(evaluator, vector, scope, &mut counts)?;
    let mut columns = Vec::with_capacity(phis.len());
    for phi in phis {
        let values = evaluator.scalars(phi, scope)?;
        for bad in values.iter().filter(|phi| !(0.0..=1.0).contains(*phi)) {
            evaluator.notes().invalid_quantile(*bad, phi.position);
        }
        columns.push(values);
        counts.input_scalar();
    }
    let quantiles = Quantiles { evaluator, vector, scope };
    let mut merge = Merge::new(&evaluator.shared.memory);
    for (labels, histogram) in &histograms {
        if labels.get(label).is_some() {
            return Err(Error::execution(format!("label {label} already exists")));
        }
        for phis in &columns {
            let column = quantiles.of(labels, histogram, phis);
            for (labels, column) in by_label(labels, label, phis, &column) {
                add(evaluator, labels, column, &mut merge)?;
            }
        }
    }
    emit(merge, &mut counts, sink)?;
    counts.settle(&evaluator.budget, before)
}

/// The values of each quantile with its label; which quantile it is may depend on the step.
fn by_label(
    labels: &Labels,
    label: &str,
    phis: &[f64],
    column: &Column,
) -> impl Iterator<Item = (Labels, Column)> {
    let mut parts: IndexMap<u64, Column> = IndexMap::new();
    for (step, cell) in column.cells() {
        parts.entry(phis[step].to_bits()).or_default().set_cell(step, cell);
    }
    parts.into_iter().map(move |(phi, column)| {
        let mut builder = LabelsBuilder::new(labels);
        builder.set(label, &le_text(f64::from_bits(phi)));
        (builder.build(), column)
    })
}

pub(super) fn fraction(
    evaluator: &Evaluator<'_>,
    call: &Call,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let [lower, upper, vector] = &*call.args else {
        return Err(Error::execution("histogram_fraction expects three arguments"));
    };
    let before = evaluator.budget.current();
    let lower = evaluator.scalars(lower, scope)?;
    let upper = evaluator.scalars(upper, scope)?;
    let mut counts = StepCounts::new(scope.n_steps());
    counts.input_scalar();
    counts.input_scalar();
    let histograms = gather(evaluator, vector, scope, &mut counts)?;
    let mut merge = Merge::new(&evaluator.shared.memory);
    let mut buckets = Vec::new();
    for (labels, histogram) in &histograms {
        let mut column = Column::default();
        for step in 0..scope.n_steps() {
            let (lower, upper) = (lower[step], upper[step]);
            match at_step(evaluator, labels, histogram, step, vector, &mut buckets) {
                Found::Nothing => {}
                Found::Buckets => column.set(step, bucket_fraction(lower, upper, &buckets)),
                Found::Native(native) => {
                    let metric = shown_metric(evaluator, labels);
                    let notes = &mut evaluator.notes();
                    let position = vector.position;
                    column.set(
                        step,
                        histogram::fraction(lower, upper, native, metric, position, notes),
                    );
                }
            }
        }
        add(evaluator, labels.clone(), column, &mut merge)?;
    }
    emit(merge, &mut counts, sink)?;
    counts.settle(&evaluator.budget, before)
}

struct Quantiles<'a> {
    evaluator: &'a Evaluator<'a>,
    vector: &'a Node,
    scope: &'a Scope,
}

impl Quantiles<'_> {
    fn of(&self, labels: &Labels, histogram: &Histogram, phis: &[f64]) -> Column {
        let Quantiles { evaluator, vector, scope } = self;
        let mut column = Column::default();
        let mut buckets = Vec::new();
        for (step, phi) in phis.iter().enumerate() {
            match at_step(evaluator, labels, histogram, step, vector, &mut buckets) {
                Found::Nothing => {}
                Found::Buckets => {
                    let quantile = bucket_quantile(*phi, &mut buckets);
                    column.set(step, quantile.value);
                    if let Some(mut forced) = quantile.forced {
                        let time = scope.steps.time(step);
                        (forced.first_time, forced.last_time) = (time, time);
                        let metric = shown_metric(evaluator, labels);
                        let position = vector.position;
                        evaluator.notes().forced_monotonicity(metric, position, forced);
                    }
                }
                Found::Native(native) => {
                    let metric = shown_metric(evaluator, labels);
                    let notes = &mut evaluator.notes();
                    let value = histogram::quantile(*phi, native, metric, vector.position, notes);
                    column.set(step, value);
                }
            }
        }
        column
    }
}

/// Reads all series of `vector` and puts those of one histogram together.
fn gather(
    evaluator: &Evaluator<'_>,
    vector: &Node,
    scope: &Scope,
    counts: &mut StepCounts,
) -> Result<Histograms> {
    let mut histograms = Histograms::default();
    evaluator.stream(vector, scope, &mut |track| {
        counts.input(&track.column);
        let Track { labels, mut column, .. } = track;
        if column.has_histograms() {
            let known = histograms.entry(labels.clone()).or_default();
            known.native.push(column.clone());
            column.drop_histograms();
            if column.is_empty() {
                return Ok(());
            }
        }
        let le = labels.value("le");
        let Some(bound) = parse_bound(le) else {
            let metric = shown_metric(evaluator, &labels);
            evaluator.notes().bad_bucket_label(metric, le, vector.position);
            return Ok(());
        };
        let histogram = histograms.entry(labels.filter(|name| name != "le")).or_default();
        histogram.buckets.push((bound, column));
        Ok(())
    })?;
    for histogram in histograms.values_mut() {
        histogram.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    Ok(histograms)
}

/// As Go's `ParseFloat` reads it.
fn parse_bound(text: &str) -> Option<f64> {
    if text.is_empty() {
        return None;
    }
    text.parse().ok()
}

/// The name that notes show: without delayed removal, upstream has lost it by then.
fn shown_metric<'a>(evaluator: &Evaluator<'_>, labels: &'a Labels) -> &'a str {
    if evaluator.settings().delayed_name_removal { labels.metric_name() } else { "" }
}

enum Found<'a> {
    Nothing,
    /// In the buffer.
    Buckets,
    Native(&'a model::FloatHistogram),
}

fn at_step<'a>(
    evaluator: &Evaluator<'_>,
    labels: &Labels,
    histogram: &'a Histogram,
    step: usize,
    vector: &Node,
    buckets: &mut Vec<Bucket>,
) -> Found<'a> {
    buckets.clear();
    for (upper_bound, column) in &histogram.buckets {
        if let Some(count) = column.float(step) {
            buckets.push(Bucket { upper_bound: *upper_bound, count });
        }
    }
    let native = histogram.native.iter().find_map(|column| match column.get(step) {
        Some(Cell::Histogram(native)) => Some(&**native),
        _ => None,
    });
    match native {
        Some(_) if !buckets.is_empty() => {
            let metric = shown_metric(evaluator, labels);
            evaluator.notes().mixed_classic_and_native(metric, vector.position);
            Found::Nothing
        }
        Some(native) => Found::Native(native),
        None if buckets.is_empty() => Found::Nothing,
        None => Found::Buckets,
    }
}

fn add(evaluator: &Evaluator<'_>, labels: Labels, column: Column, merge: &mut Merge) -> Result<()> {
    let delayed = evaluator.settings().delayed_name_removal;
    let labels = if delayed { labels } else { without_identity(&labels) };
    let track = Track { labels, drop_name: delayed, column };
    merge.add(track)
}

fn emit(merge: Merge, counts: &mut StepCounts, sink: Sink<'_>) -> Result<()> {
    for track in merge.into_tracks().into_iter().filter(|track| !track.column.is_empty()) {
        counts.output(&track.column);
        sink(track)?;
    }
    Ok(())
}
