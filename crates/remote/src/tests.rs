//! What remote write and read do, seen from outside.

mod any_bytes;
pub(crate) mod messages;
mod receive;
mod tables;
pub(crate) mod world;
