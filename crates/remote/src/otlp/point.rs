//! What a request tells, piece by piece, whatever it was written in.

use std::borrow::Cow;

/// So many attributes, exemplars or quantiles may one thing have.
pub(super) const ITEMS_MAX: usize = 1 << 16;

/// So many buckets may a histogram have.
pub(super) const BUCKETS_MAX: usize = 1 << 20;

pub(super) type Text<'a> = Cow<'a, str>;

/// Names and values, in any order.
pub(super) type Attributes<'a> = Vec<(Text<'a>, Text<'a>)>;

/// Which library says it.
#[derive(Debug, Default)]
pub(super) struct Scope<'a> {
    pub(super) name: Text<'a>,
    pub(super) version: Text<'a>,
    pub(super) schema_url: Text<'a>,
    pub(super) attributes: Attributes<'a>,
}

/// A metric without its points.
#[derive(Debug, Default)]
pub(super) struct Metric<'a> {
    pub(super) name: Text<'a>,
    pub(super) description: Text<'a>,
    pub(super) unit: Text<'a>,
    pub(super) kind: Kind,
    pub(super) temporality: Temporality,
    pub(super) is_monotonic: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    /// None that anybody knows.
    #[default]
    Empty,
    Gauge,
    Sum,
    Histogram,
    Exponential,
    Summary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Temporality {
    #[default]
    Unspecified,
    Delta,
    Cumulative,
}

impl Kind {
    pub(super) fn has_temporality(self) -> bool {
        matches!(self, Kind::Sum | Kind::Histogram | Kind::Exponential)
    }
}

impl Temporality {
    pub(super) fn of_number(number: u64) -> Temporality {
        match number {
            1 => Temporality::Delta,
            2 => Temporality::Cumulative,
            _ => Temporality::Unspecified,
        }
    }
}

/// A data point. Times are nanoseconds.
#[derive(Debug, Clone, Default)]
pub(super) struct Point<'a> {
    pub(super) attributes: Attributes<'a>,
    pub(super) start: u64,
    pub(super) time: u64,
    /// Nothing was observed: the series ends.
    pub(super) has_no_value: bool,
    pub(super) exemplars: Vec<Exemplar<'a>>,
    pub(super) data: Data,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    Number(f64),
    Histogram(Explicit),
    Exponential(Exponential),
    Summary { count: u64, sum: f64, quantiles: Vec<(f64, f64)> },
}

impl Default for Data {
    fn default() -> Data {
        Data::Number(0.0)
    }
}

/// A histogram with bounds of its own.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Explicit {
    pub(super) count: u64,
    pub(super) sum: Option<f64>,
    pub(super) bounds: Vec<f64>,
    pub(super) counts: Vec<u64>,
}

/// A histogram whose bounds grow by a factor.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Exponential {
    pub(super) count: u64,
    pub(super) sum: Option<f64>,
    pub(super) scale: i32,
    pub(super) zero_count: u64,
    pub(super) positive: Buckets,
    pub(super) negative: Buckets,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Buckets {
    pub(super) offset: i32,
    pub(super) counts: Vec<u64>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Exemplar<'a> {
    pub(super) attributes: Attributes<'a>,
    pub(super) time: u64,
    /// Nothing if it has no value.
    pub(super) value: Option<f64>,
    pub(super) trace_id: Cow<'a, [u8]>,
    pub(super) span_id: Cow<'a, [u8]>,
}

/// Milliseconds of nanoseconds.
pub(super) fn millis(nanos: u64) -> i64 {
    nanos as i64 / 1_000_000
}
