//! What goes over a link between two members, as bytes.

pub(crate) mod outbox;
#[cfg(test)]
mod tests;
pub(crate) mod wire;
