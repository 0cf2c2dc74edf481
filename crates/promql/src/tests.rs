//! Upstream's tables, and what they do not cover.
