//! What is a running Vesta? Builds what a role needs, wires it, reloads, drains, stops.
//!
//! The only crate that knows all components. Embeddable: a test starts ten nodes in one process.
//! Start at [`server::run`] and [`alertmanager::run`].

pub mod server;

pub mod alertmanager;

pub mod build;
mod config_state;
mod error;
pub mod external_url;
mod gossip_tls;
mod inbox;
mod listen;
mod reload;
mod settings;
mod signals;
#[cfg(test)]
mod testing;
mod traces;

pub use error::{Error, Result};
pub use gossip::Options as GossipOptions;
pub use signals::Signals;
