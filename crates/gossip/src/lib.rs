//! Who is alive, and what they tell each other: memberlist's gossip.
//!
//! Speaks hashicorp/memberlist's protocol byte for byte, so that nodes of either kind form one
//! cluster. Knows nothing of alerts or HTTP: payloads are bytes under a key. [`Membership`] decides
//! and is pure; [`Gossip`] owns the sockets and timers. Start at these two.

mod error;
mod gossip;
mod health;
pub mod membership;
mod queue;
mod suspicion;
pub mod wire;

pub use error::{Error, Result};
pub use gossip::{Contact, Gossip, Notice, Observer, Options, Security, State, Traffic, advertise};
pub use health::Health;
pub use membership::{Event, Input, Member, Membership, Output};
