//! `rate(x[5m])`: functions and arguments.

use model::labels::quote;

use super::{Node, Parsed, Parser};
use crate::{
    ast::{Call, Expr, Span, ValueType},
    functions,
    token::Kind,
};

impl Parser<'_> {
    /// Reads on after the function's name, whose place is `name`.
    pub(super) fn call(&mut self, name: Span) -> Parsed<Node> {
        let (args, height) = self.arguments()?;
        let span = Span { start: name.start, end: self.last_end };
        let text = self.text_of(name);
        let Some(function) = functions::find(text) else {
            self.complain_first(name, format!("unknown function with name {}", quote(text)));
            return Ok(Node { expr: super::stump(ValueType::Vector, span), height: 1 });
        };
        if function.experimental && !self.options.experimental_functions {
            self.complain_first(name, format!("function {} is not enabled", quote(text)));
        }
        let call = Call { function, args, span };
        Ok(self.grown(Expr::Call(Box::new(call)), height))
    }

    /// Arguments in parentheses, and the height of the tallest.
    pub(super) fn arguments(&mut self) -> Parsed<(Vec<Expr>, u32)> {
        let mut args = Vec::new();
        let mut height = 0;
        self.advance();
        if self.eat(Kind::RightParen) {
            return Ok((args, height));
        }
        loop {
            let arg = self.expression()?;
            height = height.max(arg.height);
            args.push(arg.expr);
            let comma = self.token.span;
            if !self.eat(Kind::Comma) {
                self.close_paren()?;
                return Ok((args, height));
            }
            if !self.begins_expression() {
                self.complain(comma, "trailing commas not allowed in function call args");
                self.close_paren()?;
                return Ok((args, height));
            }
        }
    }

    pub(super) fn begins_expression(&self) -> bool {
        use crate::ast::BinaryOp::{Add, Sub};
        match self.token.kind {
            Kind::Number | Kind::Duration | Kind::String => true,
            Kind::LeftParen | Kind::LeftBrace | Kind::Op(Add | Sub) => true,
            kind => kind.names_metric(),
        }
    }
}
