//! Upstream's own cases.

mod encoding;
mod federation;
mod parameters;
mod status;
