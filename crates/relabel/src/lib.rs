//! A label set and rules in; a label set, or nothing, out.
//!
//! Knows neither targets nor samples: whoever has labels calls [`apply`]. What a rule may say is
//! checked once, by [`Rule::new`].

mod action;
mod apply;
mod error;
mod rule;
#[cfg(test)]
mod tests;

pub use action::Action;
pub use apply::apply;
pub use error::{Error, Result};
pub use rule::{RawRule, Rule};
