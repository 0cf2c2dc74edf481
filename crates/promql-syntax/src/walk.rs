//! Going through a tree.

use model::Matcher;

use crate::ast::Expr;

impl Expr {
    /// Calls `visit` for this expression and all below it, from the outside in and from left to
    /// right.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Expr)) {
        visit(self);
        match self {
            Expr::Aggregate(aggregate) => {
                // Upstream visits the vector before the parameter.
                aggregate.expr.walk(visit);
                if let Some(param) = &aggregate.param {
                    param.walk(visit);
                }
            }
            Expr::Binary(binary) => {
                binary.lhs.walk(visit);
                binary.rhs.walk(visit);
            }
            Expr::Call(call) => call.args.iter().for_each(|arg| arg.walk(visit)),
            Expr::Paren(paren) => paren.expr.walk(visit),
            Expr::Subquery(subquery) => subquery.expr.walk(visit),
            Expr::Unary(unary) => unary.expr.walk(visit),
            Expr::Matrix(_)
            | Expr::Vector(_)
            | Expr::Number(_)
            | Expr::String(_)
            | Expr::Duration(_) => {}
        }
    }
}

/// The conditions of every selector in `expr`, from left to right.
pub fn extract_selectors(expr: &Expr) -> Vec<&[Matcher]> {
    let mut selectors = Vec::new();
    expr.walk(&mut |node| match node {
        Expr::Vector(vector) => selectors.push(vector.matchers.as_slice()),
        Expr::Matrix(matrix) => selectors.push(matrix.selector.matchers.as_slice()),
        _ => {}
    });
    selectors
}
