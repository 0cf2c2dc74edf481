//! Which proxy a request takes, and how a connection goes through it.

mod choice;
#[cfg(test)]
mod tests;
mod tunnel;

pub(super) use choice::Proxies;
pub(super) use tunnel::{authorization, open};
