//! What do the bytes between nodes look like? memberlist's format, both ways.
//!
//! From the inside out: [`msgpack`] writes fields, [`message`] whole messages, [`packet`] wraps
//! them for UDP, [`stream`] for TCP, and [`frame`] both for TLS. Drawn in `docs/design/gossip.md`.

pub(crate) mod compression;
pub mod frame;
pub mod message;
pub(crate) mod msgpack;
pub mod packet;
pub mod stream;
#[cfg(test)]
mod tests;

/// What stands in the first byte.
pub(crate) mod kind {
    pub(crate) const PING: u8 = 0;
    pub(crate) const INDIRECT_PING: u8 = 1;
    pub(crate) const ACK: u8 = 2;
    pub(crate) const SUSPECT: u8 = 3;
    pub(crate) const ALIVE: u8 = 4;
    pub(crate) const DEAD: u8 = 5;
    pub(crate) const PUSH_PULL: u8 = 6;
    pub(crate) const COMPOUND: u8 = 7;
    pub(crate) const USER: u8 = 8;
    pub(crate) const COMPRESSED: u8 = 9;
    pub(crate) const ENCRYPTED: u8 = 10;
    pub(crate) const NACK: u8 = 11;
    pub(crate) const CHECKSUM: u8 = 12;
    pub(crate) const ERROR: u8 = 13;
    pub(crate) const LABEL: u8 = 244;
}
