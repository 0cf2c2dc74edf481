//! Types of metrics as both versions of remote write number them.

use model::MetricType;

/// Where a type stands in this table is its number.
const TYPES: [MetricType; 8] = [
    MetricType::Unknown,
    MetricType::Counter,
    MetricType::Gauge,
    MetricType::Histogram,
    MetricType::GaugeHistogram,
    MetricType::Summary,
    MetricType::Info,
    MetricType::StateSet,
];

pub(crate) fn number(kind: MetricType) -> u64 {
    TYPES.iter().position(|known| *known == kind).unwrap_or_default() as u64
}

pub(crate) fn of_number(number: u64) -> MetricType {
    usize::try_from(number).ok().and_then(|idx| TYPES.get(idx)).copied().unwrap_or_default()
}

/// The type of that name; what nobody knows is unknown.
pub(crate) fn parse(name: &str) -> MetricType {
    TYPES.into_iter().find(|kind| kind.as_str() == name).unwrap_or_default()
}
