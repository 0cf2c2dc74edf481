//! How do samples reach and leave other systems? Remote write, remote read and OTLP metrics.
//!
//! Knows nothing of HTTP servers and of configuration files: `api` hands over headers and bodies,
//! `node` hands over settings. Messages are read in place, field by field, and written the same
//! way. Start at [`Receiver`], [`send::Senders`] and [`otlp::Receiver`].

mod histogram;
mod labels;
mod metric_type;
pub mod otlp;
mod protocol;
pub mod read;
mod receive;
pub mod send;
mod snappy;
mod wire;
mod write;

#[cfg(test)]
mod tests;

pub use protocol::{Message, UnknownMessage, Unsupported};
pub use receive::{BODY_BYTES_MAX, Options as ReceiverOptions, Outcome, Receiver, Written};
