//! Who writes? At most one member at a time.

pub mod gossip;
