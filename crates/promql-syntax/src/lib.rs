//! Query text ⇄ typed tree: lexer, parser, printer, types, function signatures, series notation.
//!
//! Knows nothing of storage or evaluation. Start at [`parse`] and [`ast::Expr`]:
//!
//! ```text
//! parse(text: &str, options: &Options) -> Result<Expr, Errors>
//! parse_bytes(text: &[u8], options: &Options) -> Result<Expr, Errors>    text that may not be UTF-8
//! parse_metric_selector(text: &str) -> Result<Vec<Matcher>, Errors>      `match[]` of the API
//! parse_metric(text: &str) -> Result<Labels, Errors>                     `name{label="value"}`
//! expr.to_string(), format_query(&expr), to_json(&expr)                  printer, prettier, tree
//! expr.value_type(), expr.span(), expr.walk(..), expr.change_selectors(..)
//! extract_selectors(expr: &Expr) -> Vec<&[Matcher]>
//! parse_series(line: &str) -> Result<(Labels, Vec<SequenceValue>), Errors>
//! parse_start_timestamps(line: &str) -> Result<Option<StartTimestamps>, Errors>
//! functions::find(name: &str) -> Option<&'static Function>
//! ```
//!
//! A tree is at most 500 levels tall, so walking it by recursion is safe.
//! [`Errors`] prints as upstream does: `1:7: parse error: unexpected …`; each one has its span.

pub mod ast;
mod check;
mod error;
pub mod functions;
mod json;
mod lex;
mod literal;
mod parse;
mod pretty;
mod print;
mod series;
mod token;
mod walk;

pub use ast::Expr;
pub use error::{Error, Errors};
pub use json::to_json;
pub use parse::{Options, parse, parse_bytes, parse_metric, parse_metric_selector};
pub use pretty::{format_query, pretty};
pub use series::{
    SequenceValue, StartTimestamps, histogram_notation, parse_series,
    parse_start_timestamp_sequence, parse_start_timestamps,
};
pub use walk::extract_selectors;

#[cfg(test)]
mod tests;
