//! What is the answer to this query?
//!
//! A query is parsed, planned (times resolved, parts that do not depend on the step marked) and
//! executed series by series over all steps at once. Knows neither where series live nor HTTP.
//! Start at [`Engine`]; an expression's way through the crate is `plan` → `eval` → one of
//! `binary`, `aggregate`, `functions`.

mod engine;
mod error;
mod notes;
mod result;

mod plan;

mod eval;

mod aggregate;
mod binary;
mod functions;

mod budget;
mod column;
mod explain;
mod float;
mod merge;
mod steps;

#[cfg(test)]
mod tests;

pub use budget::Cancel;
pub use engine::{ActiveQueries, Engine, Options, QueryOptions};
pub use error::{Error, ErrorKind, Result};
pub use result::{
    PlanNode, Point, QueryResult, Sample, SampleValue, Series, Stats, Timings, Value,
};
