//! What does this Go `text/template` or `html/template` print?
//!
//! A template engine with Go's syntax, Go's formatting verbs and Go's error texts, because alerts
//! and notifications of existing installations are written in it. Knows nothing of alerts or
//! queries: data come in as a [`Value`], functions as [`Func`]s. Start at [`Templates`] and
//! [`Value`]; things with fields and methods implement [`Object`].

pub mod ast;
mod builtins;
mod error;
mod exec;
pub mod format;
mod html;
pub mod humanize;
mod lex;
mod parse;
pub mod quote;
mod templates;
pub mod value;

pub use error::{Error, Result};
pub use templates::{Functions, Limits, MissingKey, Templates};
pub use value::{Func, List, Map, Member, Object, Shape, Struct, Time, Type, Value};

#[cfg(test)]
mod tests;
