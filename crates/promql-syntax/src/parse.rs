//! Tokens to a tree.
//!
//! A Pratt parser with one token of look-ahead. The first syntax error ends it, with the words of
//! the innermost construct that has any; complaints that leave the syntax intact (an unknown
//! function, a second `offset`) are collected. Types are checked when there was no complaint.

mod aggregate;
mod binary;
mod call;
mod duration;
mod expr;
mod modifier;
mod selector;

use model::{Labels, METRIC_NAME, Matcher};

use crate::{
    ast::{Expr, Span, ValueType},
    check,
    error::{Complaint, Errors, locate},
    lex::Lexer,
    token::{Keyword, Kind, Token},
};

/// Which parts of the language are on, by default as upstream has them without feature flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Experimental functions, `limitk` and `limit_ratio`.
    pub experimental_functions: bool,
    /// Arithmetic within `[…]` and after `offset`.
    pub duration_expressions: bool,
    /// `anchored` and `smoothed`.
    pub extended_range_selectors: bool,
    /// `fill`, `fill_left` and `fill_right`.
    pub fill_modifiers: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            experimental_functions: false,
            duration_expressions: true,
            extended_range_selectors: false,
            fill_modifiers: false,
        }
    }
}

impl Options {
    /// Everything, as upstream's own test scripts want it.
    pub const ALL: Options = Options {
        experimental_functions: true,
        duration_expressions: true,
        extended_range_selectors: true,
        fill_modifiers: true,
    };
}

/// Parses a query and checks its types.
pub fn parse(text: &str, options: &Options) -> Result<Expr, Errors> {
    parse_bytes(text.as_bytes(), options)
}

/// [`parse`] for text that may not be UTF-8, which is an error with a position.
pub fn parse_bytes(text: &[u8], options: &Options) -> Result<Expr, Errors> {
    let mut parser = Parser::new(text, Lexer::new(text), *options);
    let parsed = parser.whole_expression();
    parser.finish(parsed)
}

/// Parses the value of a `match[]` parameter: a selector without range or modifiers. It may be
/// one that selects everything, `{}`; upstream leaves that to the caller, too.
pub fn parse_metric_selector(text: &str) -> Result<Vec<Matcher>, Errors> {
    let mut parser = Parser::new(text.as_bytes(), Lexer::new(text.as_bytes()), Options::default());
    let parsed = parser.whole_selector();
    parser.finish(parsed).map(|selector| selector.matchers)
}

/// Parses the text of one series, `name{label="value"}`.
pub fn parse_metric(text: &str) -> Result<Labels, Errors> {
    let mut parser = Parser::new(text.as_bytes(), Lexer::new(text.as_bytes()), Options::default());
    let parsed = parser.whole_metric();
    parser.finish(parsed)
}

/// How deep parentheses, calls, signs and the like may be nested. Without optimisation, that many
/// levels take less than 1 MiB of a thread's usual 2 MiB of stack.
const DEPTH_MAX: u32 = 200;

/// How tall a tree may grow by what needs no nesting, `a or b or …`. Whoever walks a tree by
/// recursion relies on it.
const HEIGHT_MAX: u32 = 500;

/// A syntax error was noted; nothing more can be read.
#[derive(Debug)]
pub(crate) struct Stop;

pub(crate) type Parsed<T> = Result<T, Stop>;

/// An expression and the height of its tree.
struct Node {
    expr: Expr,
    height: u32,
}

pub(crate) struct Parser<'a> {
    input: &'a [u8],
    lexer: Lexer<'a>,
    /// The next one.
    pub(crate) token: Token,
    /// Where the token before ends.
    last_end: usize,
    options: Options,
    complaints: Vec<Complaint>,
    /// Where among the complaints the lexer's is, if the next token is broken.
    lexer_complaint: Option<usize>,
    /// Of parts of trees that grew too tall and were given up.
    type_complaints: Vec<Complaint>,
    too_deep: bool,
    depth: u32,
    /// How many aggregations stand open; they have words of their own for syntax errors.
    open_aggregations: u32,
    /// A range was put on something that is no selector.
    has_bad_range: bool,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(input: &'a [u8], lexer: Lexer<'a>, options: Options) -> Parser<'a> {
        let token = Token { kind: Kind::End, span: Span::default() };
        let mut parser = Parser {
            input,
            lexer,
            token,
            last_end: 0,
            options,
            complaints: Vec::new(),
            lexer_complaint: None,
            type_complaints: Vec::new(),
            too_deep: false,
            depth: 0,
            open_aggregations: 0,
            has_bad_range: false,
        };
        parser.advance();
        parser
    }

    pub(crate) fn finish<T>(self, parsed: Parsed<T>) -> Result<T, Errors> {
        match parsed {
            Ok(value) if self.complaints.is_empty() => Ok(value),
            _ => Err(locate(self.input, self.complaints)),
        }
    }

    fn whole_expression(&mut self) -> Parsed<Expr> {
        if self.token.kind == Kind::End {
            self.complain(Span::default(), "no expression found in input");
            return Err(Stop);
        }
        let mut node = self.expression()?;
        self.expect_end()?;
        if self.complaints.is_empty() {
            let mut complaints = std::mem::take(&mut self.type_complaints);
            check::check(&mut node.expr, self.input, &mut complaints);
            self.complaints = complaints;
        }
        if self.complaints.is_empty() && self.too_deep {
            self.complain_too_deep(node.expr.span());
        }
        Ok(node.expr)
    }

    fn whole_selector(&mut self) -> Parsed<crate::ast::VectorSelector> {
        let is_selector = self.token.kind == Kind::LeftBrace || self.token.kind.names_metric();
        if !is_selector {
            return Err(self.unexpected_here());
        }
        let selector = self.selector()?;
        self.expect_end()?;
        Ok(selector)
    }

    fn whole_metric(&mut self) -> Parsed<Labels> {
        let labels = self.metric()?;
        self.expect_end()?;
        Ok(labels)
    }

    /// `name`, `{label="value"}`, both or, as upstream has it, neither.
    pub(crate) fn metric(&mut self) -> Parsed<Labels> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        let name = self.token.kind.names_metric().then(|| self.text().to_owned());
        if name.is_some() {
            self.advance();
        }
        if self.token.kind == Kind::LeftBrace {
            pairs = self.label_set()?;
        }
        pairs.extend(name.map(|name| (METRIC_NAME.to_owned(), name)));
        Ok(Labels::from_pairs(pairs))
    }

    fn expect_end(&mut self) -> Parsed<()> {
        match self.token.kind {
            Kind::End => Ok(()),
            _ => Err(self.unexpected_here()),
        }
    }

    /// Goes on to the next token that is no comment.
    pub(crate) fn advance(&mut self) {
        self.last_end = self.token.span.end;
        self.token = self.lexer.next();
        while self.token.kind == Kind::Comment {
            self.token = self.lexer.next();
        }
        if self.token.kind == Kind::Error {
            let message = self.lexer.take_error();
            self.lexer_complaint = Some(self.complaints.len());
            self.complain(self.token.span, message);
        }
    }

    /// Takes a token of this kind, if it is the next.
    pub(crate) fn eat(&mut self, kind: Kind) -> bool {
        let found = self.token.kind == kind;
        if found {
            self.advance();
        }
        found
    }

    fn at_keyword(&self, keyword: Keyword) -> bool {
        self.token.kind == Kind::Keyword(keyword)
    }

    /// The text of the next token.
    pub(crate) fn text(&self) -> &'a str {
        self.text_of(self.token.span)
    }

    fn text_of(&self, span: Span) -> &'a str {
        let bytes = self.input.get(span.start..span.end).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// Takes a string literal; bytes that are no UTF-8 become U+FFFD.
    fn take_string(&mut self) -> String {
        self.string_literal().value
    }

    fn complain_too_deep(&mut self, span: Span) {
        self.complain(span, "expression is nested too deeply");
    }

    pub(crate) fn complain(&mut self, span: Span, message: impl Into<String>) {
        self.complaints.push(Complaint::new(span, message));
    }

    /// A complaint about what was complete before the next token: upstream has not looked at that
    /// yet, so it comes before the lexer's complaint about it.
    fn complain_first(&mut self, span: Span, message: impl Into<String>) {
        let Some(at) = &mut self.lexer_complaint else { return self.complain(span, message) };
        self.complaints.insert(*at, Complaint::new(span, message));
        *at += 1;
    }

    /// A syntax error at the next token, in the words of the construct around it.
    pub(crate) fn unexpected(&mut self, context: &str, expected: &str) -> Stop {
        // The lexer's own errors have been noted already.
        if self.token.kind != Kind::Error {
            let mut message = format!("unexpected {}", self.token.kind.describe(self.text()));
            if !context.is_empty() {
                message.push_str(" in ");
                message.push_str(context);
            }
            if !expected.is_empty() {
                message.push_str(", expected ");
                message.push_str(expected);
            }
            self.complain(self.token.span, message);
        }
        Stop
    }

    /// A syntax error where only aggregations have words of their own.
    fn unexpected_here(&mut self) -> Stop {
        if self.open_aggregations == 0 {
            return self.unexpected("", "");
        }
        let stop = self.unexpected("aggregation", "");
        // Upstream goes on as if the aggregation had come without arguments.
        self.complain(Span::default(), "no arguments for aggregate expression provided");
        stop
    }

    /// Runs `parse` one level further down.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEPTH_MAX {
            self.complain_too_deep(self.token.span);
            return Err(Stop);
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// Puts a level on top of trees of `height`. A tree that is too tall is checked, noted, and
    /// replaced by a stump of the same type and place, so that no tree is ever too tall to drop.
    fn grown(&mut self, mut expr: Expr, height: u32) -> Node {
        if height < HEIGHT_MAX {
            return Node { expr, height: height + 1 };
        }
        self.too_deep = true;
        let value_type = check::check(&mut expr, self.input, &mut self.type_complaints);
        Node { expr: stump(value_type, expr.span()), height: 1 }
    }
}

fn stump(value_type: ValueType, span: Span) -> Expr {
    use crate::ast::{MatrixSelector, NumberLiteral, StringLiteral, VectorSelector};
    // A name, so that the stump has no complaint of its own.
    let selector = VectorSelector { name: "_".to_owned(), span, ..VectorSelector::default() };
    match value_type {
        ValueType::Scalar => Expr::Number(NumberLiteral { value: 0.0, is_duration: false, span }),
        ValueType::String => {
            Expr::String(StringLiteral { value: String::new(), bytes: None, span })
        }
        ValueType::Vector => Expr::Vector(Box::new(selector)),
        ValueType::Matrix => Expr::Matrix(Box::new(MatrixSelector {
            selector,
            range_ms: 0,
            range_expr: None,
            end: span.end,
        })),
    }
}
