//! How samples are appended, selected and merged.
//!
//! The contract between those who hold samples (`tsdb`, `remote`, peers) and those who want them
//! (`promql`, `api`, `rules`, `scrape`). Knows neither PromQL nor files. Start at [`Appender`] and
//! [`Querier`].

mod append;
mod columns;
mod error;
mod exemplar;
mod histogram;
pub mod label_index;
mod memory;
mod merge;
mod pack;
pub mod postings;
mod replicas;
mod select;

pub use append::{Appendable, Appender, SeriesRef};
pub use columns::{Columns, Mark};
pub use error::{AppendError, Error, ExemplarError, Result};
pub use exemplar::{Exemplar, ExemplarQueryable, SeriesExemplars};
pub use histogram::HistogramValue;
pub use memory::MemoryStorage;
pub use merge::merge;
pub use pack::{PackedChunk, pack};
pub use replicas::{Sample, mix};
pub use select::{LabelHints, LabelValues, Querier, Queryable, SelectHints, Series, SeriesSet};
