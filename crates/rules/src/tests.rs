//! Upstream's tables of alerting and recording rules, run through whole groups.

mod tables;
pub(crate) mod world;
