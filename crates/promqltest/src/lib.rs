//! Does this engine answer as upstream does?
//!
//! Reads upstream's test scripts, loads their series into whatever is to be tested and compares
//! its answers with what the script expects. Knows no engine: anything that answers queries is a
//! [`Subject`]. Start at [`run`]; [`MemoryLoader`] helps subjects that keep series in memory.

mod subject;

mod script;

mod run;

mod check;

mod lazy;
mod memory;
mod migrate;
mod nhcb;
mod pinned;

#[cfg(test)]
mod tests;

pub use check::{almost_equal, check_sorted};
pub use lazy::LazyLoader;
pub use memory::MemoryLoader;
pub use migrate::{Mode, migrate};
pub use run::{Failure, Report, run, run_to_first_failure};
pub use script::{Command, Eval, Load, Script, ScriptError};
pub use subject::{Answer, LoadedSeries, Sample, Series, Subject, Value};
