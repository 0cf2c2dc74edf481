//! Upstream's own cases.
