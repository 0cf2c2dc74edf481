//! From points to samples.

use std::collections::BTreeMap;

use model::{
    Metadata, MetricType,
    float::{self, STALE, STALE_BITS},
    histogram::{CounterResetHint, Histogram},
    labels::quote,
};
use storage::{Exemplar, HistogramValue};

use super::{
    Deltas, Options, Settings,
    accumulate::Accumulator,
    exemplars, histograms,
    labels::{self, Base, Context},
    names,
    point::{Attributes, Data, Explicit, Kind, Metric, Point, Scope, Temporality, Text, millis},
    sink::{Sample, Sink, Value},
    target_info::TargetInfo,
};

/// Who sends a million wrong points does not read a million complaints.
const COMPLAINTS_MAX: usize = 1000;

/// Is told a request, piece by piece, and gives its samples to a [`Sink`].
pub(super) struct Translator<'a> {
    settings: &'a Settings,
    options: &'a Options,
    accumulator: Option<&'a mut Accumulator>,
    sink: &'a mut dyn Sink,
    resource: Resource,
    /// What resource and scope at hand give to their series.
    context: Result<Context, String>,
    metric: Option<Current>,
    target_info: TargetInfo,
    warnings: Warnings,
    failures: Failures,
}

/// The resource at hand.
#[derive(Default)]
struct Resource {
    attributes: Attributes<'static>,
    context: Context,
    /// What is wrong with it.
    broken: Option<String>,
    /// The earliest and the latest time of a point, in nanoseconds.
    times: Option<(u64, u64)>,
}

/// The metric at hand.
struct Current {
    kind: Kind,
    temporality: Temporality,
    family: String,
    metadata: Metadata,
    context: Context,
    n_points: usize,
}

/// Why samples were not taken.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    /// Whether to send them again would not help.
    pub(super) is_refused: bool,
    pub(super) text: String,
}

/// What went wrong with a request.
#[derive(Default)]
pub(super) struct Failures {
    is_refused: bool,
    texts: Vec<String>,
}

/// What is odd about a request that is taken all the same.
#[derive(Default)]
pub(super) struct Warnings(BTreeMap<String, Category>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Category {
    EmptyDataPoints,
    LabelNameCollision,
    HistogramZeroCountNonZeroSum,
    Other,
}

/// What came of a request.
pub(super) struct Report {
    pub(super) warnings: Vec<(Category, String)>,
    pub(super) failure: Option<Failure>,
}

impl<'a> Translator<'a> {
    pub(super) fn new(
        settings: &'a Settings,
        options: &'a Options,
        accumulator: Option<&'a mut Accumulator>,
        sink: &'a mut dyn Sink,
    ) -> Translator<'a> {
        Translator {
            settings,
            options,
            accumulator,
            sink,
            resource: Resource::default(),
            context: Ok(Context::default()),
            metric: None,
            target_info: TargetInfo::default(),
            warnings: Warnings::default(),
            failures: Failures::default(),
        }
    }

    pub(super) fn begin_resource(&mut self, attributes: Attributes<'_>) {
        let context = labels::of_resource(&attributes, self.settings);
        let owned = |text: Text<'_>| Text::Owned(text.into_owned());
        let attributes = attributes.into_iter().map(|(name, value)| (owned(name), owned(value)));
        let (context, broken) = match context {
            Ok(context) => (context, None),
            Err(reason) => (Context::default(), Some(reason)),
        };
        self.resource = Resource { attributes: attributes.collect(), context, broken, times: None };
    }

    pub(super) fn begin_scope(&mut self, scope: &Scope<'_>) {
        let is_promoted = self.settings.promote_scope_metadata && !scope.name.is_empty();
        self.context = match (&self.resource.broken, is_promoted) {
            (Some(reason), _) => Err(reason.clone()),
            (None, true) => labels::with_scope(&self.resource.context, scope, self.settings),
            (None, false) => Ok(self.resource.context.clone()),
        };
    }

    pub(super) fn begin_metric(&mut self, metric: &Metric<'_>) {
        self.metric = match self.current(metric) {
            Ok(current) => Some(current),
            Err(text) => {
                self.failures.add(text.into());
                None
            }
        };
    }

    /// What its points have in common; the errors are upstream's.
    fn current(&self, metric: &Metric<'_>) -> Result<Current, String> {
        let Metric { name, kind, temporality, .. } = metric;
        if *kind == Kind::Empty {
            return Err(format!(
                "could not get aggregation temporality for {name} as it has unsupported metric \
                 type Empty"
            ));
        }
        let is_allowed = match temporality {
            Temporality::Cumulative => true,
            Temporality::Delta => self.options.deltas != Deltas::Refuse,
            Temporality::Unspecified => false,
        };
        if kind.has_temporality() && !is_allowed {
            let name = quote(name);
            return Err(format!("invalid temporality and type combination for metric {name}"));
        }
        let metadata = Metadata {
            kind: self.metric_type(metric),
            unit: names::unit(&metric.unit, self.settings),
            help: metric.description.to_string(),
        };
        let family = names::metric(metric, self.settings)?;
        let mut context = self.context.clone()?;
        if self.options.type_and_unit_labels {
            let kind = match metadata.kind {
                MetricType::Unknown => "",
                kind => kind.as_str(),
            };
            let pairs = [("__type__", kind), ("__unit__", metadata.unit.as_str())];
            let said = pairs.into_iter().filter(|(_, value)| !value.is_empty());
            context = labels::with_pairs(&context, said.map(|(n, v)| (n.to_owned(), v)));
        }
        Ok(Current {
            kind: *kind,
            temporality: *temporality,
            family,
            metadata,
            context,
            n_points: 0,
        })
    }

    fn metric_type(&self, metric: &Metric<'_>) -> MetricType {
        let is_delta =
            metric.temporality == Temporality::Delta && self.options.deltas == Deltas::Store;
        match metric.kind {
            // Nothing that Prometheus has is a delta.
            Kind::Sum | Kind::Histogram | Kind::Exponential if is_delta => MetricType::Unknown,
            Kind::Sum if metric.is_monotonic => MetricType::Counter,
            Kind::Gauge | Kind::Sum => MetricType::Gauge,
            Kind::Histogram | Kind::Exponential => MetricType::Histogram,
            Kind::Summary => MetricType::Summary,
            Kind::Empty => MetricType::Unknown,
        }
    }

    pub(super) fn point(&mut self, point: Point<'_>) {
        let (earliest, latest) = self.resource.times.unwrap_or((point.time, point.time));
        self.resource.times = Some((earliest.min(point.time), latest.max(point.time)));
        let Some(mut current) = self.metric.take() else { return };
        current.n_points += 1;
        match self.translate(&current, point) {
            Ok(()) => self.metric = Some(current),
            // The metric has ended with it, others go on.
            Err(failure) => self.failures.add(failure),
        }
    }

    pub(super) fn end_metric(&mut self) {
        let Some(current) = self.metric.take() else { return };
        if current.n_points == 0 {
            let text = format!("empty data points. {} is dropped", current.family);
            self.warnings.add(Category::EmptyDataPoints, text);
        }
    }

    pub(super) fn end_resource(&mut self) {
        let Some(times) = self.resource.times else { return };
        let (lookback, attributes) = (self.options.lookback, &self.resource.attributes);
        let noted =
            self.target_info.note(attributes, times, lookback, self.settings, &mut self.warnings);
        if let Err(text) = noted {
            self.failures.add(text.into());
        }
    }

    pub(super) fn finish(mut self) -> Report {
        self.target_info.write(self.sink, &mut self.failures);
        let warnings = self.warnings.0.into_iter().map(|(text, category)| (category, text));
        Report { warnings: warnings.collect(), failure: self.failures.join() }
    }

    fn translate(&mut self, current: &Current, mut point: Point<'_>) -> Result<(), Failure> {
        let attributes = std::mem::take(&mut point.attributes);
        let attributes =
            labels::of_attributes(&attributes, |_| false, self.settings, &mut self.warnings)?;
        let base = Base::new(&attributes, &current.context)?;
        if current.temporality == Temporality::Delta
            && !point.has_no_value
            && let Some(accumulator) = &mut self.accumulator
            && !accumulator.add(&base.series(&current.family), &mut point)
        {
            return Ok(());
        }
        let exemplars = match current.kind {
            Kind::Gauge | Kind::Summary => Vec::new(),
            _ => exemplars::translate(&point.exemplars)?,
        };
        let times = (millis(point.start), millis(point.time));
        let mut out = Out { current, base: &base, times, sink: self.sink };
        let stale_or = |value: f64| if point.has_no_value { STALE } else { value };
        match &point.data {
            Data::Number(value) => out.whole(Value::Float(stale_or(*value)), &exemplars),
            Data::Histogram(data) if self.settings.convert_histograms_to_nhcb => {
                let histogram = histograms::custom(data)?;
                self.warnings.note_sum("histogram", &histogram, point.has_no_value);
                out.whole(native(histogram, current, point.has_no_value), &exemplars)
            }
            Data::Histogram(data) => out.classic(data, stale_or, exemplars),
            Data::Exponential(data) => {
                let histogram = histograms::exponential(data)?;
                self.warnings.note_sum("exponential histogram", &histogram, point.has_no_value);
                out.whole(native(histogram, current, point.has_no_value), &exemplars)
            }
            Data::Summary { count, sum, quantiles } => {
                out.suffixed("_sum", stale_or(*sum))?;
                out.suffixed("_count", stale_or(*count as f64))?;
                for (quantile, value) in quantiles {
                    let labels = base.part(&current.family, ("quantile", &bound_text(*quantile)));
                    out.append(labels, Value::Float(stale_or(*value)), &[])?;
                }
                Ok(())
            }
        }
    }
}

/// A point on its way out.
struct Out<'a> {
    current: &'a Current,
    base: &'a Base<'a>,
    /// Since when it counts, and its time.
    times: (i64, i64),
    sink: &'a mut dyn Sink,
}

impl Out<'_> {
    fn append(
        &mut self,
        labels: model::Labels,
        value: Value,
        exemplars: &[Exemplar],
    ) -> Result<(), Failure> {
        let Current { family, metadata, .. } = self.current;
        let (start, time) = self.times;
        self.sink.append(Sample { labels, family, metadata, start, time, value, exemplars })
    }

    /// The one sample of a point.
    fn whole(&mut self, value: Value, exemplars: &[Exemplar]) -> Result<(), Failure> {
        self.append(self.base.series(&self.current.family), value, exemplars)
    }

    fn suffixed(&mut self, suffix: &str, value: f64) -> Result<(), Failure> {
        let name = format!("{}{suffix}", self.current.family);
        self.append(self.base.series(&name), Value::Float(value), &[])
    }

    /// A histogram as a series for each bucket; each exemplar goes to the first that it is in.
    fn classic(
        &mut self,
        data: &Explicit,
        stale_or: impl Fn(f64) -> f64,
        mut exemplars: Vec<Exemplar>,
    ) -> Result<(), Failure> {
        if let Some(sum) = data.sum {
            self.suffixed("_sum", stale_or(sum))?;
        }
        self.suffixed("_count", stale_or(data.count as f64))?;
        let name = format!("{}_bucket", self.current.family);
        let mut total = 0u64;
        for (bound, count) in data.bounds.iter().zip(&data.counts) {
            total = total.wrapping_add(*count);
            let within = exemplars.extract_if(.., |exemplar| exemplar.value <= *bound);
            let within: Vec<Exemplar> = within.collect();
            let labels = self.base.part(&name, ("le", &bound_text(*bound)));
            self.append(labels, Value::Float(stale_or(total as f64)), &within)?;
        }
        let labels = self.base.part(&name, ("le", "+Inf"));
        self.append(labels, Value::Float(stale_or(data.count as f64)), &exemplars)
    }
}

fn native(mut histogram: Histogram, current: &Current, is_stale: bool) -> Value {
    if current.metadata.kind == MetricType::Unknown {
        // A delta; as a counter each would look like a reset.
        histogram.counter_reset_hint = CounterResetHint::Gauge;
    }
    if is_stale {
        (histogram.sum, histogram.count) = (STALE, STALE_BITS);
    }
    Value::Histogram(HistogramValue::Integer(Box::new(histogram)))
}

fn bound_text(bound: f64) -> String {
    let mut text = String::new();
    float::write_plain(bound, &mut text);
    text
}

impl Category {
    pub(super) const ALL: [Category; 4] = [
        Category::EmptyDataPoints,
        Category::LabelNameCollision,
        Category::HistogramZeroCountNonZeroSum,
        Category::Other,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Category::EmptyDataPoints => "empty_data_points",
            Category::LabelNameCollision => "label_name_collision",
            Category::HistogramZeroCountNonZeroSum => "histogram_zero_count_non_zero_sum",
            Category::Other => "other",
        }
    }
}

impl Warnings {
    /// The same text counts once.
    pub(super) fn add(&mut self, category: Category, text: String) {
        if self.0.len() < COMPLAINTS_MAX {
            self.0.insert(text, category);
        }
    }

    fn note_sum(&mut self, what: &str, histogram: &Histogram, is_stale: bool) {
        if !is_stale && histogram.count == 0 && histogram.sum != 0.0 {
            let sum = histogram.sum;
            self.add(
                Category::HistogramZeroCountNonZeroSum,
                format!("{what} data point has zero count, but non-zero sum: {sum:.6}"),
            );
        }
    }
}

impl Failures {
    pub(super) fn add(&mut self, failure: Failure) {
        self.is_refused |= failure.is_refused;
        if self.texts.len() < COMPLAINTS_MAX {
            self.texts.push(failure.text);
        }
    }

    fn join(self) -> Option<Failure> {
        let Failures { is_refused, texts } = self;
        (!texts.is_empty()).then(|| Failure { is_refused, text: texts.join("; ") })
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Failure {
        Failure { is_refused: false, text }
    }
}
