//! Upstream's own cases.

mod encoding;
pub(super) mod endpoints;
mod federation;
mod http;
mod language;
mod parameters;
mod series;
pub(in crate::prometheus) mod status;
