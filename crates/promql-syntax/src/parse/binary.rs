//! What stands between an operator and its right side: `bool`, `on`, `group_left`, `fill`.

use super::{Node, Parsed, Parser};
use crate::{
    ast::{Binary, BinaryOp, Cardinality, Expr, Span, VectorMatching},
    token::{Keyword, Kind},
};

pub(super) struct Modifiers {
    return_bool: bool,
    matching: VectorMatching,
}

impl Parser<'_> {
    pub(super) fn binary_modifiers(&mut self) -> Parsed<Modifiers> {
        let return_bool = self.eat(Kind::Keyword(Keyword::Bool));
        let mut matching = VectorMatching {
            cardinality: Cardinality::OneToOne,
            labels: Vec::new(),
            on: false,
            include: Vec::new(),
            fill_left: None,
            fill_right: None,
        };
        if self.at_keyword(Keyword::On) || self.at_keyword(Keyword::Ignoring) {
            matching.on = self.at_keyword(Keyword::On);
            self.advance();
            matching.labels = self.grouping_labels()?;
            self.group_modifier(&mut matching)?;
        }
        self.fill_modifiers(&mut matching)?;
        Ok(Modifiers { return_bool, matching })
    }

    fn group_modifier(&mut self, matching: &mut VectorMatching) -> Parsed<()> {
        matching.cardinality = match self.token.kind {
            Kind::Keyword(Keyword::GroupLeft) => Cardinality::ManyToOne,
            Kind::Keyword(Keyword::GroupRight) => Cardinality::OneToMany,
            _ => return Ok(()),
        };
        self.advance();
        if self.token.kind == Kind::LeftParen || !self.begins_expression() {
            matching.include = self.grouping_labels()?;
        }
        Ok(())
    }

    fn fill_modifiers(&mut self, matching: &mut VectorMatching) -> Parsed<()> {
        // A metric may be called `fill`; only a parenthesis tells.
        while let Kind::Keyword(
            keyword @ (Keyword::Fill | Keyword::FillLeft | Keyword::FillRight),
        ) = self.token.kind
        {
            let both = keyword == Keyword::Fill;
            let taken = (matching.fill_left.is_some() && keyword != Keyword::FillRight)
                || (matching.fill_right.is_some() && keyword != Keyword::FillLeft);
            if taken || !self.lexer.is_before_paren() {
                return Ok(());
            }
            self.advance();
            let value = self.fill_value()?;
            if both || keyword == Keyword::FillLeft {
                matching.fill_left = Some(value);
            }
            if both || keyword == Keyword::FillRight {
                matching.fill_right = Some(value);
            }
        }
        Ok(())
    }

    fn fill_value(&mut self) -> Parsed<f64> {
        self.advance();
        match self.signed_number() {
            Ok(value) => {
                self.close_paren()?;
                Ok(value)
            }
            Err(_) => Err(self.unexpected_here()),
        }
    }

    pub(super) fn binary(
        &mut self,
        op: BinaryOp,
        lhs: Node,
        modifiers: Modifiers,
        rhs: Node,
    ) -> Node {
        let Modifiers { return_bool, mut matching } = modifiers;
        let height = lhs.height.max(rhs.height);
        let (lhs, rhs) = (lhs.expr, rhs.expr);
        let fills = matching.fill_left.is_some() || matching.fill_right.is_some();
        if fills && !self.options.fill_modifiers {
            let span = Span { start: lhs.span().start, end: rhs.span().end };
            self.complain(span, "binop fill modifiers are experimental and not enabled");
        }
        if op.is_set() && matching.cardinality == Cardinality::OneToOne {
            matching.cardinality = Cardinality::ManyToMany;
        }
        // The type check takes it away where a side is no vector.
        let binary = Binary { op, lhs, rhs, matching: Some(matching), return_bool };
        self.grown(Expr::Binary(Box::new(binary)), height)
    }
}
