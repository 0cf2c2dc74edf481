//! How do others read our series, and we theirs? Thanos' StoreAPI, served and consumed.
//!
//! Knows neither where series live nor who belongs to a cluster: both are handed in. A [`Server`]
//! is a router of gRPC methods, for Thanos Query and for members of our own cluster. A [`Peer`] is
//! another server, perhaps a sidecar of Thanos; [`Merged`] reads from peers what may be lacking
//! here. Between our own members external labels stay off: see [`wire::RAW`].

pub mod matchers;
mod merged;
mod peer;
mod server;
mod targets;
#[cfg(test)]
mod tests;
pub mod wire;

pub use merged::{Ask, Choose, Merged};
pub use peer::{Metrics, Peer, Settings};
pub use server::{Limits, Metadata, Rules, Server, Sources, Targets};
pub use targets::targets;
