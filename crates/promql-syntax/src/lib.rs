//! Query text ⇄ typed tree: lexer, parser, printer, types, function signatures, series notation.
//!
//! Knows nothing of storage or evaluation. Start at [`ast::Expr`].

pub mod ast;
pub mod functions;
