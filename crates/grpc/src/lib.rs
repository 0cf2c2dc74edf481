//! How do we speak gRPC? Methods on a router that any HTTP/2 server of ours can serve, and a
//! channel to a peer.
//!
//! Knows no service: messages and paths are handed in. Over `runtime`'s network, so that it runs in
//! simulation; tonic does the framing. Start at [`Methods`] and [`Channel`].

mod channel;
mod connect;
mod health;
mod made;
mod methods;
mod tasks;
#[cfg(test)]
mod tests;

pub use channel::{Channel, Settings};
pub use connect::{Connect, Plain, Secure};
pub use made::{Gate, Make, Place, guarded, made};
pub use methods::{Methods, finish};
pub use tonic::{
    Code, Request, Response, Status, Streaming, metadata::MetadataKey, metadata::MetadataMap,
    metadata::MetadataValue,
};
