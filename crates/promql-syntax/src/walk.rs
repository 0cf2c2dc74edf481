//! Going through a tree.

use model::Matcher;

use crate::ast::{Expr, VectorSelector};

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

impl Expr {
    /// Calls `change` for every selector, those of ranges included.
    pub fn change_selectors(&mut self, change: &mut impl FnMut(&mut VectorSelector)) {
        match self {
            Expr::Vector(vector) => change(vector),
            Expr::Matrix(matrix) => change(&mut matrix.selector),
            Expr::Aggregate(aggregate) => {
                aggregate.expr.change_selectors(change);
                if let Some(param) = &mut aggregate.param {
                    param.change_selectors(change);
                }
            }
            Expr::Binary(binary) => {
                binary.lhs.change_selectors(change);
                binary.rhs.change_selectors(change);
            }
            Expr::Call(call) => call.args.iter_mut().for_each(|arg| arg.change_selectors(change)),
            Expr::Paren(paren) => paren.expr.change_selectors(change),
            Expr::Subquery(subquery) => subquery.expr.change_selectors(change),
            Expr::Unary(unary) => unary.expr.change_selectors(change),
            Expr::Number(_) | Expr::String(_) | Expr::Duration(_) => {}
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
