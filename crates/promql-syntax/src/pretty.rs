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
        self.indent(level);
        self.print_indented(expr, level)
    }

    /// Prints `expr` where the indentation has been printed already.
    fn print_indented(&mut self, expr: &Expr, level: usize) -> fmt::Result {
        if self.fits(expr) {
            return write!(self.out, "{expr}");
        }
        match expr {
            Expr::Aggregate(aggregate) => {
                write!(self.out, "{}", Head(aggregate))?;
                let args = aggregate.param.iter().chain([&aggregate.expr]);
                self.parenthesized(args, level)
            }
            Expr::Call(call) => {
                self.out.push_str(call.function.name);
                self.parenthesized(call.args.iter(), level)
            }
            Expr::Paren(paren) => self.parenthesized([&paren.expr].into_iter(), level),
            Expr::Binary(binary) => {
                // The operator stands below the beginning of its line; its sides are indented.
                self.out.truncate(self.out.len() - 2 * level);
                self.print(&binary.lhs, level + 1)?;
                self.out.push('\n');
                self.indent(level);
                writeln!(self.out, "{}", Operator(binary))?;
                self.print(&binary.rhs, level + 1)
            }
            Expr::Subquery(subquery) => {
                self.print_indented(&subquery.expr, level)?;
                write!(self.out, "{}", SubqueryTail(subquery))
            }
            Expr::Unary(unary) => {
                self.out.push(if unary.negative { '-' } else { '+' });
                self.print_indented(&unary.expr, level)
            }
            Expr::Matrix(_)
            | Expr::Vector(_)
            | Expr::Number(_)
            | Expr::String(_)
            | Expr::Duration(_) => write!(self.out, "{expr}"),
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
        self.out.extend(std::iter::repeat_n("  ", level));
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
