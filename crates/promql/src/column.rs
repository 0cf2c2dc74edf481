//! Values at a query's steps.

use std::sync::Arc;

use model::{
    FloatHistogram, Labels,
    float::{STALE, is_stale},
};

/// One series between two operators: labels and a value at some of the steps.
#[derive(Debug, Clone)]
pub(crate) struct Track {
    pub(crate) labels: Labels,
    /// The metric's name has lost its meaning and goes when the query is done.
    pub(crate) drop_name: bool,
    pub(crate) column: Column,
}

impl Track {
    /// About what it takes in memory.
    pub(crate) fn bytes(&self) -> u64 {
        size_of::<Track>() as u64 + self.labels.as_packed().len() as u64 + self.column.bytes()
    }
}

/// The value at one step.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell<'a> {
    Float(f64),
    Histogram(&'a Arc<FloatHistogram>),
}

/// A value by itself.
#[derive(Debug, Clone)]
pub(crate) enum Owned {
    Float(f64),
    Histogram(Arc<FloatHistogram>),
}

impl Owned {
    pub(crate) fn cell(&self) -> Cell<'_> {
        match self {
            Owned::Float(value) => Cell::Float(*value),
            Owned::Histogram(value) => Cell::Histogram(value),
        }
    }
}

/// A dense run of values from the first step that has one to the last.
///
/// A float that is missing is the stale marker: selectors never let it through, and no
/// calculation makes it, because its quiet bit is off.
#[derive(Debug, Clone, Default)]
pub(crate) struct Column {
    first: usize,
    floats: Vec<f64>,
    /// Beside `floats`, or empty while there is none.
    histograms: Vec<Option<Arc<FloatHistogram>>>,
}

impl Column {
    /// The same value at all of `count` steps.
    pub(crate) fn constant(value: f64, count: usize) -> Column {
        Column { first: 0, floats: vec![value; count], histograms: Vec::new() }
    }

    pub(crate) fn constant_histogram(value: &Arc<FloatHistogram>, count: usize) -> Column {
        let histograms = vec![Some(value.clone()); count];
        Column { first: 0, floats: vec![STALE; count], histograms }
    }

    /// A float at each step.
    pub(crate) fn dense(values: Vec<f64>) -> Column {
        Column { first: 0, floats: values, histograms: Vec::new() }
    }

    /// The first step that has room, and a float for it and each that follows; missing ones are
    /// stale markers.
    pub(crate) fn run(&self) -> (usize, &[f64]) {
        (self.first, &self.floats)
    }

    /// Makes room for so many floats at once.
    pub(crate) fn reserve(&mut self, n_steps: usize) {
        self.floats.reserve(n_steps);
    }

    pub(crate) fn has_histograms(&self) -> bool {
        !self.histograms.is_empty()
    }

    pub(crate) fn set(&mut self, step: usize, value: f64) {
        debug_assert!(!is_stale(value), "a missing value is not set");
        let idx = self.reach(step);
        self.floats[idx] = value;
    }

    /// Sets the float of a step that is later than all that have one: the fast way.
    #[inline]
    pub(crate) fn append(&mut self, step: usize, value: f64) {
        debug_assert!(!is_stale(value), "a missing value is not set");
        if self.floats.is_empty() {
            self.first = step;
        }
        if self.first + self.floats.len() == step && self.histograms.is_empty() {
            self.floats.push(value);
        } else {
            self.set(step, value);
        }
    }

    pub(crate) fn set_histogram(&mut self, step: usize, value: Arc<FloatHistogram>) {
        let idx = self.reach(step);
        self.histograms.resize(self.floats.len(), None);
        self.histograms[idx] = Some(value);
    }

    pub(crate) fn set_cell(&mut self, step: usize, cell: Cell<'_>) {
        match cell {
            Cell::Float(value) => self.set(step, value),
            Cell::Histogram(value) => self.set_histogram(step, value.clone()),
        }
    }

    /// Makes room for `step` and says where it is.
    fn reach(&mut self, step: usize) -> usize {
        if self.floats.is_empty() {
            self.first = step;
        }
        if step < self.first {
            let missing = self.first - step;
            self.floats.splice(0..0, std::iter::repeat_n(STALE, missing));
            if !self.histograms.is_empty() {
                self.histograms.splice(0..0, std::iter::repeat_n(None, missing));
            }
            self.first = step;
        }
        let idx = step - self.first;
        if idx >= self.floats.len() {
            self.floats.resize(idx + 1, STALE);
            if !self.histograms.is_empty() {
                self.histograms.resize(idx + 1, None);
            }
        }
        idx
    }

    pub(crate) fn get(&self, step: usize) -> Option<Cell<'_>> {
        let idx = step.checked_sub(self.first)?;
        let float = *self.floats.get(idx)?;
        if !is_stale(float) {
            return Some(Cell::Float(float));
        }
        self.histograms.get(idx)?.as_ref().map(Cell::Histogram)
    }

    pub(crate) fn float(&self, step: usize) -> Option<f64> {
        let value = *self.floats.get(step.checked_sub(self.first)?)?;
        (!is_stale(value)).then_some(value)
    }

    pub(crate) fn has(&self, step: usize) -> bool {
        self.get(step).is_some()
    }

    /// Steps and values, histograms included.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (usize, Cell<'_>)> {
        (self.first..self.first + self.floats.len())
            .filter_map(|step| self.get(step).map(|cell| (step, cell)))
    }

    /// Steps and floats.
    pub(crate) fn floats(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let steps = self.first..;
        steps.zip(self.floats.iter().copied()).filter(|(_, value)| !is_stale(*value))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cells().next().is_none()
    }

    /// Changes each float; histograms stay.
    pub(crate) fn map_floats(&mut self, change: impl Fn(f64) -> f64) {
        for value in &mut self.floats {
            if !is_stale(*value) {
                *value = change(*value);
            }
        }
    }

    /// Changes each float, given its step; histograms stay.
    pub(crate) fn map_floats_by_step(&mut self, change: impl Fn(usize, f64) -> f64) {
        for (step, value) in (self.first..).zip(&mut self.floats) {
            if !is_stale(*value) {
                *value = change(step, *value);
            }
        }
    }

    /// Changes each histogram; floats stay.
    pub(crate) fn map_histograms(&mut self, change: impl Fn(&FloatHistogram) -> FloatHistogram) {
        for value in self.histograms.iter_mut().flatten() {
            *value = Arc::new(change(value));
        }
    }

    pub(crate) fn drop_histograms(&mut self) {
        self.histograms.clear();
    }

    /// About what the values take in memory.
    pub(crate) fn bytes(&self) -> u64 {
        const SAMPLE_BYTES: u64 = 16;
        let histograms = self.histograms.iter().flatten();
        let in_samples: u64 = histograms.map(|histogram| histogram_weight(histogram)).sum();
        (size_of_val(&self.floats[..]) + size_of_val(&self.histograms[..])) as u64
            + in_samples * SAMPLE_BYTES
    }

    /// What the values cost in samples.
    pub(crate) fn weight(&self) -> u64 {
        if self.histograms.is_empty() {
            return self.floats.iter().filter(|value| !is_stale(**value)).count() as u64;
        }
        self.cells().map(|(_, cell)| cell.weight()).sum()
    }
}

impl Cell<'_> {
    pub(crate) fn owned(&self) -> Owned {
        match self {
            Cell::Float(value) => Owned::Float(*value),
            Cell::Histogram(value) => Owned::Histogram(Arc::clone(value)),
        }
    }

    /// As notes call it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Cell::Float(_) => "float",
            Cell::Histogram(_) => "histogram",
        }
    }

    pub(crate) fn weight(&self) -> u64 {
        match self {
            Cell::Float(_) => 1,
            Cell::Histogram(histogram) => histogram_weight(histogram),
        }
    }
}

/// What a histogram costs in samples: upstream counts its bytes, with a sample at 16.
pub(crate) fn histogram_weight(histogram: &FloatHistogram) -> u64 {
    const FIXED_BYTES: usize = 168;
    let spans = histogram.positive_spans.len() + histogram.negative_spans.len();
    let buckets = histogram.positive_buckets.len() + histogram.negative_buckets.len();
    let bytes = FIXED_BYTES + 8 * (spans + buckets + histogram.custom_values.len());
    ((bytes + 8) / 16) as u64
}
