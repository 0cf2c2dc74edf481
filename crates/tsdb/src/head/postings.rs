use smallvec::SmallVec;

use super::SeriesId;

/// The series that have a label, in order. Most labels of most installations belong to few
/// series: those need no allocation.
pub(crate) type Postings = SmallVec<[SeriesId; 4]>;
