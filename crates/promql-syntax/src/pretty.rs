//! A tree to text over several lines: what `/api/v1/format_query` and `promtool promql format`
//! answer.
//!
//! What fits on a line stays on it. What does not is broken at its outermost parentheses or
//! operator, and its parts are indented by two spaces more.

use std::fmt::{self, Write};

use crate::{
    ast::Expr,
    print::{Head, Operator, SubqueryTail},
};

/// Upstream's limit for a line.
const LINE_LENGTH_MAX: usize = 100;

const INDENT: &str = "  ";

/// Formats `expr` as upstream does.
pub fn format_query(expr: &Expr) -> String {
    pretty(expr, LINE_LENGTH_MAX)
}

/// Formats `expr` with lines of at most `line_length_max` bytes, indentation aside, where that is
/// possible.
pub fn pretty(expr: &Expr, line_length_max: usize) -> String {
    let mut printer = Printer { out: String::new(), line_length_max };
    printer.print(expr, 0).expect("writing to a string cannot fail");
    printer.out
}

struct Printer {
    out: String,
    line_length_max: usize,
}

impl Printer {
    fn print(&mut self, expr: &Expr, level: usize) -> fmt::Result {
        if self.fits(expr) {
            self.indent(level);
            return write!(self.out, "{expr}");
        }
        match expr {
            Expr::Binary(binary) => {
                // The operator stands where the expression begins; its sides are indented.
                self.print(&binary.lhs, level + 1)?;
                self.out.push('\n');
                self.indent(level);
                writeln!(self.out, "{}", Operator(binary))?;
                self.print(&binary.rhs, level + 1)
            }
            Expr::Subquery(subquery) => {
                self.print(&subquery.expr, level)?;
                write!(self.out, "{}", SubqueryTail(subquery))
            }
            Expr::Unary(unary) => {
                let behind_indent = self.out.len() + INDENT.len() * level;
                self.print(&unary.expr, level)?;
                self.out.insert(behind_indent, if unary.negative { '-' } else { '+' });
                Ok(())
            }
            Expr::Aggregate(aggregate) => {
                self.indent(level);
                write!(self.out, "{}", Head(aggregate))?;
                let args = aggregate.param.iter().chain([&aggregate.expr]);
                self.parenthesized(args, level)
            }
            Expr::Call(call) => {
                self.indent(level);
                self.out.push_str(call.function.name);
                self.parenthesized(call.args.iter(), level)
            }
            Expr::Paren(paren) => {
                self.indent(level);
                self.parenthesized([&paren.expr].into_iter(), level)
            }
            Expr::Matrix(_)
            | Expr::Vector(_)
            | Expr::Number(_)
            | Expr::String(_)
            | Expr::Duration(_) => {
                self.indent(level);
                write!(self.out, "{expr}")
            }
        }
    }

    fn parenthesized<'e>(
        &mut self,
        args: impl Iterator<Item = &'e Expr>,
        level: usize,
    ) -> fmt::Result {
        self.out.push_str("(\n");
        for (at, arg) in args.enumerate() {
            if at > 0 {
                self.out.push_str(",\n");
            }
            self.print(arg, level + 1)?;
        }
        self.out.push('\n');
        self.indent(level);
        self.out.push(')');
        Ok(())
    }

    fn indent(&mut self, level: usize) {
        self.out.extend(std::iter::repeat_n(INDENT, level));
    }

    fn fits(&self, expr: &Expr) -> bool {
        write!(Room { bytes: self.line_length_max }, "{expr}").is_ok()
    }
}

/// Takes text until there is no room any more, so that asking costs no more than a line.
struct Room {
    bytes: usize,
}

impl Write for Room {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes = self.bytes.checked_sub(text.len()).ok_or(fmt::Error)?;
        Ok(())
    }
}
