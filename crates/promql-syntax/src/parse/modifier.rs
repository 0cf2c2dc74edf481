//! What follows a selector or a subquery: `[5m]`, `offset 1h`, `@ 1609746000`, `anchored`.

use super::{Node, Parsed, Parser, duration::Duration, stump};
use crate::{
    ast::{At, Expr, MatrixSelector, Span, Subquery, TimeModifiers, ValueType},
    literal,
    token::{Keyword, Kind},
};

const DURATIONS: &str = "number, duration, step(), or range()";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extension {
    Anchored,
    Smoothed,
}

impl Parser<'_> {
    pub(super) fn with_modifiers(&mut self, node: Node) -> Parsed<Node> {
        let mut node = node;
        loop {
            match self.token.kind {
                Kind::LeftBracket => node = self.range_or_subquery(node)?,
                Kind::Keyword(Keyword::Offset) => self.offset(&mut node.expr)?,
                Kind::At => self.at(&mut node.expr)?,
                Kind::Keyword(Keyword::Anchored) => {
                    self.advance();
                    self.extend(&mut node.expr, Extension::Anchored);
                }
                Kind::Keyword(Keyword::Smoothed) => {
                    self.advance();
                    self.extend(&mut node.expr, Extension::Smoothed);
                }
                _ => return Ok(node),
            }
        }
    }

    fn range_or_subquery(&mut self, node: Node) -> Parsed<Node> {
        let open = self.token.span;
        self.advance();
        let Ok(range) = self.positive_duration() else {
            return Err(self.unexpected("subquery or range selector", DURATIONS));
        };
        if self.eat(Kind::Colon) {
            return self.subquery(node, range);
        }
        if !self.eat(Kind::RightBracket) {
            return Err(self.unexpected("subquery or range", "\":\" or \"]\""));
        }
        let brackets = Span { start: open.start, end: self.last_end };
        Ok(self.range(node, range, brackets))
    }

    fn range(&mut self, node: Node, range: Duration, brackets: Span) -> Node {
        let problem = match &node.expr {
            Expr::Vector(selector) if selector.modifiers.has_offset() => {
                Some("no offset modifiers allowed before range")
            }
            Expr::Vector(selector) if selector.modifiers.at.is_some() => {
                Some("no @ modifiers allowed before range")
            }
            Expr::Vector(_) => None,
            _ => Some("ranges only allowed for vector selectors"),
        };
        if let Some(problem) = problem {
            self.complain_first(brackets, problem);
        }
        let Expr::Vector(selector) = node.expr else {
            self.has_bad_range = true;
            let span = Span { start: node.expr.span().start, end: brackets.end };
            return Node { expr: stump(ValueType::Matrix, span), height: 1 };
        };
        let (range_ms, range_expr) = range.split();
        let matrix =
            MatrixSelector { selector: *selector, range_ms, range_expr, end: brackets.end };
        self.grown(Expr::Matrix(Box::new(matrix)), node.height)
    }

    fn subquery(&mut self, node: Node, range: Duration) -> Parsed<Node> {
        let mut step = Duration::Millis(0);
        if self.token.kind != Kind::RightBracket {
            step = match self.positive_duration() {
                Ok(step) => step,
                Err(_) => {
                    let expected = "number, duration, step(), range(), or \"]\"";
                    return Err(self.unexpected("subquery selector", expected));
                }
            };
        }
        if !self.eat(Kind::RightBracket) {
            return Err(self.unexpected("subquery selector", "\"]\""));
        }
        let (range_ms, range_expr) = range.split();
        let (step_ms, step_expr) = step.split();
        let subquery = Subquery {
            expr: node.expr,
            range_ms,
            range_expr,
            step_ms,
            step_expr,
            modifiers: TimeModifiers::default(),
            end: self.last_end,
        };
        Ok(self.grown(Expr::Subquery(Box::new(subquery)), node.height))
    }

    fn offset(&mut self, expr: &mut Expr) -> Parsed<()> {
        let span = expr.span();
        self.advance();
        let Ok(offset) = self.offset_duration() else {
            return Err(self.unexpected("offset", DURATIONS));
        };
        let Some((modifiers, end)) = self.modifiers_of(expr, "offset") else { return Ok(()) };
        let is_repeated = modifiers.has_offset();
        let (offset_ms, offset_expr) = offset.split();
        modifiers.offset_ms = offset_ms;
        modifiers.offset_expr = offset_expr.map(Box::new);
        *end = self.last_end;
        if is_repeated {
            self.complain_first(span, "offset may not be set multiple times");
        }
        Ok(())
    }

    fn at(&mut self, expr: &mut Expr) -> Parsed<()> {
        let span = expr.span();
        self.advance();
        let at = match self.token.kind {
            Kind::Keyword(Keyword::Start) => Some(At::Start),
            Kind::Keyword(Keyword::End) => Some(At::End),
            _ => None,
        };
        let at = match at {
            Some(at) => {
                self.advance();
                let is_call = self.eat(Kind::LeftParen) && self.eat(Kind::RightParen);
                is_call.then_some(at)
            }
            None => match self.signed_number() {
                Ok(seconds) if is_timestamp(seconds) => {
                    Some(At::Timestamp(timestamp_millis(seconds)))
                }
                Ok(seconds) => {
                    let seconds = fixed(seconds);
                    let problem = "timestamp out of bounds for @ modifier";
                    self.complain_first(span, format!("{problem}: {seconds}"));
                    return Ok(());
                }
                Err(_) => None,
            },
        };
        if at.is_none() {
            return Err(self.unexpected("@", "timestamp"));
        }
        let Some((modifiers, end)) = self.modifiers_of(expr, "@") else { return Ok(()) };
        let is_repeated = modifiers.at.is_some();
        modifiers.at = at;
        *end = self.last_end;
        if is_repeated {
            self.complain_first(span, "@ <timestamp> may not be set multiple times");
        }
        Ok(())
    }

    /// The modifiers of a selector or subquery, and where its text ends.
    fn modifiers_of<'e>(
        &mut self,
        expr: &'e mut Expr,
        what: &str,
    ) -> Option<(&'e mut TimeModifiers, &'e mut usize)> {
        let span = expr.span();
        match expr {
            Expr::Matrix(_) if self.has_bad_range => {
                self.complain_first(span, "ranges only allowed for vector selectors");
                None
            }
            Expr::Vector(vector) => Some((&mut vector.modifiers, &mut vector.span.end)),
            Expr::Matrix(matrix) => Some((&mut matrix.selector.modifiers, &mut matrix.end)),
            Expr::Subquery(subquery) => Some((&mut subquery.modifiers, &mut subquery.end)),
            _ => {
                let wanted = "an instant vector selector or range vector selector or a subquery";
                self.complain_first(span, format!("{what} modifier must be preceded by {wanted}"));
                None
            }
        }
    }

    fn extend(&mut self, expr: &mut Expr, extension: Extension) {
        let span = expr.span();
        let word = match extension {
            Extension::Anchored => "anchored",
            Extension::Smoothed => "smoothed",
        };
        if !self.options.extended_range_selectors {
            self.complain_first(span, format!("{word} modifier is experimental and not enabled"));
            return;
        }
        let selector = match expr {
            Expr::Vector(selector) => selector,
            Expr::Matrix(matrix) => &mut matrix.selector,
            Expr::Subquery(_) => {
                self.complain_first(
                    span,
                    format!("{word} modifier is not supported for subqueries"),
                );
                return;
            }
            _ => {
                self.complain_first(span, format!("{word} modifier not implemented"));
                return;
            }
        };
        match extension {
            Extension::Anchored => selector.anchored = true,
            Extension::Smoothed => selector.smoothed = true,
        }
        if selector.anchored && selector.smoothed {
            self.complain_first(span, "anchored and smoothed modifiers cannot be used together");
        }
    }
}

impl TimeModifiers {
    fn has_offset(&self) -> bool {
        self.offset_ms != 0 || self.offset_expr.is_some()
    }
}

/// Whether these seconds are within what an int64 can hold, as upstream asks.
fn is_timestamp(seconds: f64) -> bool {
    seconds.abs() < i64::MAX as f64
}

/// Upstream asks about the seconds only; milliseconds that do not fit wrap as they do in Go.
fn timestamp_millis(seconds: f64) -> i64 {
    match is_timestamp(seconds * 1000.0) {
        true => literal::millis(seconds),
        false => i64::MIN,
    }
}

/// A float as Go's `%f` prints it.
fn fixed(value: f64) -> String {
    match value.is_finite() {
        true => format!("{value:.6}"),
        false => {
            let mut out = String::new();
            model::float::write_plain(value, &mut out);
            out
        }
    }
}
