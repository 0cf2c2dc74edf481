//! The functions of the language: names and signatures.

use crate::ast::ValueType;

/// A function's name and what it takes and gives.
#[derive(Debug, PartialEq)]
pub struct Function {
    pub name: &'static str,
    /// The types of the arguments; the last one repeats if `variadic` is not zero.
    pub args: &'static [ValueType],
    /// 0: exactly `args`; n > 0: the last n may be missing; -1: any number of the last.
    pub variadic: i32,
    pub returns: ValueType,
    /// Needs `promql-experimental-functions`.
    pub experimental: bool,
}
