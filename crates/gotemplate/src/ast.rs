//! The syntax tree of a template. Each node knows its byte in the text; `Display` prints it as Go
//! prints it in errors.

mod print;

use std::sync::Arc;

/// Nodes in a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    pub pos: usize,
    pub nodes: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Text { pos: usize, text: Arc<str> },
    Action { pos: usize, pipe: Pipe },
    If(Branch),
    Range(Branch),
    With(Branch),
    Template { pos: usize, name: String, pipe: Option<Pipe> },
    Break { pos: usize },
    Continue { pos: usize },
}

/// A control structure: `if`, `range` or `with`.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    pub pos: usize,
    pub pipe: Pipe,
    pub body: Block,
    pub otherwise: Option<Block>,
}

/// `$x := a | b c`.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipe {
    pub pos: usize,
    /// Variables on the left; their names begin with `$`.
    pub variables: Vec<String>,
    /// `=` if true, `:=` if false.
    pub assigns: bool,
    pub commands: Vec<Command>,
}

/// A function or value with its arguments; never empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    pub pos: usize,
    pub args: Vec<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    pub pos: usize,
    pub kind: ExprKind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    Bool(bool),
    Dot,
    Nil,
    Number(Number),
    String {
        quoted: String,
        text: Arc<str>,
    },
    /// `.a.b`
    Field(Vec<String>),
    /// `(…).a.b`
    Chain(Box<Expr>, Vec<String>),
    Identifier(String),
    /// `$x.a.b`; the first name begins with `$`.
    Variable(Vec<String>),
    Pipe(Pipe),
}

/// A constant, with every type that it can have.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    pub text: String,
    pub int: Option<i64>,
    pub uint: Option<u64>,
    pub float: Option<f64>,
    /// Real and imaginary part, of constants written with `i`.
    pub complex: Option<(f64, f64)>,
}
