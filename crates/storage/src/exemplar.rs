use model::{Labels, Matcher, TimeRange, Timestamp};

use crate::Result;

/// A single event behind a sample, such as the trace of one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    pub labels: Labels,
    pub value: f64,
    pub time: Timestamp,
}

/// A series with exemplars, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesExemplars {
    pub labels: Labels,
    pub exemplars: Vec<Exemplar>,
}

/// Something that can be asked for exemplars.
pub trait ExemplarQueryable: Send + Sync {
    /// The exemplars in `range` of all series that satisfy all matchers of one of `selectors`,
    /// sorted by labels; series without any are left out.
    fn exemplars(
        &self,
        range: TimeRange,
        selectors: &[Vec<Matcher>],
    ) -> Result<Vec<SeriesExemplars>>;
}
