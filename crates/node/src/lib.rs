//! What is a running Vesta? Builds what a role needs, wires it, reloads, drains, stops.
//!
//! The only crate that knows all components. Embeddable: a test starts ten nodes in one process.

pub mod external_url;
