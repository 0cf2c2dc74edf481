//! `sum by (job) (x)`, and lists of labels in parentheses.

use super::{Node, Parsed, Parser};
use crate::{
    ast::{Aggregate, AggregateOp, Expr, Span, ValueType},
    token::{Keyword, Kind},
};

impl Parser<'_> {
    /// Reads on after the operator, whose place is `operator`.
    pub(super) fn aggregation(&mut self, op: AggregateOp, operator: Span) -> Parsed<Node> {
        self.open_aggregations += 1;
        let before = self.grouping()?;
        if self.token.kind != Kind::LeftParen {
            return Err(self.unexpected_here());
        }
        let (args, height) = self.arguments()?;
        self.open_aggregations -= 1;
        let grouping = match before {
            Some(grouping) => Some(grouping),
            None => self.grouping()?,
        };
        let span = Span { start: operator.start, end: self.last_end };
        match (self.argument_problem(op, args.len()), &grouping) {
            // Upstream had to look at the next token to know that no grouping comes.
            (Some(problem), None) => self.complain(span, problem),
            (Some(problem), Some(_)) => self.complain_first(span, problem),
            (None, _) => {}
        }
        let mut args = args.into_iter();
        let param = op.param_type().and_then(|_| args.next());
        // Without an argument there was a complaint, and nobody will see the tree.
        let expr = args.next().unwrap_or_else(|| super::stump(ValueType::Vector, span));
        let Grouping { labels: grouping, without } = grouping.unwrap_or_default();
        let aggregate = Aggregate { op, expr, param, grouping, without, span };
        Ok(self.grown(Expr::Aggregate(Box::new(aggregate)), height))
    }

    fn argument_problem(&self, op: AggregateOp, n_args: usize) -> Option<String> {
        let n_expected = if op.param_type().is_some() { 2 } else { 1 };
        if n_args == 0 {
            return Some("no arguments for aggregate expression provided".to_owned());
        }
        if op.is_experimental() && !self.options.experimental_functions {
            let op = op.as_str();
            let flag = "--enable-feature=promql-experimental-functions";
            return Some(format!("{op}() is experimental and must be enabled with {flag}"));
        }
        let what = "wrong number of arguments for aggregate expression provided";
        (n_args != n_expected).then(|| format!("{what}, expected {n_expected}, got {n_args}"))
    }

    /// `by (…)` or `without (…)`.
    fn grouping(&mut self) -> Parsed<Option<Grouping>> {
        let without = match self.token.kind {
            Kind::Keyword(Keyword::By) => false,
            Kind::Keyword(Keyword::Without) => true,
            _ => return Ok(None),
        };
        self.advance();
        Ok(Some(Grouping { labels: self.grouping_labels()?, without }))
    }

    /// Labels in parentheses, with commas between.
    pub(super) fn grouping_labels(&mut self) -> Parsed<Vec<String>> {
        let mut labels = Vec::new();
        if !self.eat(Kind::LeftParen) {
            return Err(self.unexpected("grouping opts", "\"(\""));
        }
        if self.eat(Kind::RightParen) {
            return Ok(labels);
        }
        loop {
            labels.push(self.grouping_label()?);
            let got_comma = self.eat(Kind::Comma);
            if self.eat(Kind::RightParen) {
                return Ok(labels);
            }
            if !got_comma {
                return Err(self.unexpected("grouping opts", "\",\" or \")\""));
            }
        }
    }

    fn grouping_label(&mut self) -> Parsed<String> {
        match self.token.kind {
            Kind::String => {
                let span = self.token.span;
                let label = self.take_string();
                if label.is_empty() {
                    let quoted = model::labels::quote(&label);
                    self.complain_first(span, format!("invalid label name for grouping: {quoted}"));
                }
                Ok(label)
            }
            kind if kind.names_label() => {
                let label = self.text().to_owned();
                self.advance();
                Ok(label)
            }
            _ => Err(self.unexpected("grouping opts", "label")),
        }
    }
}

#[derive(Default)]
struct Grouping {
    labels: Vec<String>,
    without: bool,
}
