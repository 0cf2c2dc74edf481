//! Pipelines, commands, fields and constants.

use super::{Result, State};
use crate::{
    MissingKey, Value,
    ast::{Command, Expr, ExprKind, Number, Pipe},
    quote::quote,
    value::{Kind, Member},
};

impl<'t> State<'t> {
    /// Evaluates a pipeline and sets its variables.
    pub(super) fn pipeline(&mut self, dot: &Value, pipe: &'t Pipe) -> Result<Value> {
        self.enter()?;
        self.at(pipe.pos, pipe);
        let mut value = None;
        for command in &pipe.commands {
            // The value so far is the last argument of the next command.
            value = Some(self.command(dot, command, value)?);
        }
        let value = value.unwrap_or_default();
        for name in &pipe.variables {
            if pipe.assigns {
                self.assign(name, value.clone())?;
            } else {
                self.variables.push((name, value.clone()));
            }
        }
        self.leave();
        Ok(value)
    }

    fn command(&mut self, dot: &Value, command: &'t Command, last: Option<Value>) -> Result<Value> {
        self.step()?;
        let Some((first, args)) = command.args.split_first() else { return Ok(Value::Nil) };
        match &first.kind {
            ExprKind::Field(names) => {
                self.at(first.pos, first);
                return self.field_chain(dot, dot.clone(), first, names, args, last);
            }
            ExprKind::Chain(base, names) => return self.chain(dot, first, base, names, args, last),
            ExprKind::Identifier(name) => {
                self.at(first.pos, first);
                return self.function(dot, name, (command.pos, command), args, last);
            }
            ExprKind::Pipe(pipe) => {
                self.not_a_function(first, args, last.as_ref())?;
                return self.pipeline(dot, pipe);
            }
            ExprKind::Variable(names) => return self.variable(dot, first, names, args, last),
            _ => {}
        }
        self.at(first.pos, first);
        self.not_a_function(first, args, last.as_ref())?;
        match &first.kind {
            ExprKind::Nil => self.error("nil is not a command"),
            _ => self.constant(dot, first),
        }
    }

    fn not_a_function(&self, first: &Expr, args: &[Expr], last: Option<&Value>) -> Result<()> {
        if args.is_empty() && last.is_none() {
            return Ok(());
        }
        self.error(format_args!("can't give argument to non-function {}", first.kind_text()))
    }

    /// Dot and literals.
    pub(super) fn constant(&mut self, dot: &Value, expr: &'t Expr) -> Result<Value> {
        match &expr.kind {
            ExprKind::Dot => Ok(dot.clone()),
            ExprKind::Bool(value) => Ok(Value::Bool(*value)),
            ExprKind::String { text, .. } => Ok(Value::String(text.clone())),
            ExprKind::Number(number) => self.ideal_constant(number),
            _ => self.error(format_args!("can't evaluate command {}", quote(&expr.to_string()))),
        }
    }

    /// The type of a number that nothing else decides, by how it is written.
    fn ideal_constant(&self, number: &Number) -> Result<Value> {
        let Number { text, int, float, complex, .. } = number;
        if let Some((real, imaginary)) = complex {
            return Ok(Value::Complex(*real, *imaginary));
        }
        let lower = text.to_ascii_lowercase();
        let hex_int =
            lower.trim_start_matches(['+', '-']).starts_with("0x") && !lower.contains('p');
        let looks_float = !hex_int && !text.starts_with('\'') && lower.contains(['.', 'e', 'p']);
        match (float, int) {
            (Some(float), _) if looks_float => Ok(Value::Float(*float)),
            (_, Some(int)) => Ok(Value::Int(*int)),
            _ => self.error(format_args!("{text} overflows int")),
        }
    }

    pub(super) fn chain(
        &mut self,
        dot: &Value,
        expr: &'t Expr,
        base: &'t Expr,
        names: &'t [String],
        args: &'t [Expr],
        last: Option<Value>,
    ) -> Result<Value> {
        self.at(expr.pos, expr);
        let receiver = self.untyped_argument(dot, base)?;
        self.field_chain(dot, receiver, expr, names, args, last)
    }

    pub(super) fn variable(
        &mut self,
        dot: &Value,
        expr: &'t Expr,
        names: &'t [String],
        args: &'t [Expr],
        last: Option<Value>,
    ) -> Result<Value> {
        self.at(expr.pos, expr);
        let Some((name, fields)) = names.split_first() else { return Ok(Value::Nil) };
        let known = self.variables.iter().rev().find(|(known, _)| known == name);
        let Some(value) = known.map(|(_, value)| value.clone()) else {
            return self.error(format_args!("undefined variable: {name}"));
        };
        if fields.is_empty() {
            self.not_a_function(expr, args, last.as_ref())?;
            return Ok(value);
        }
        self.field_chain(dot, value, expr, fields, args, last)
    }

    /// `.a.b.c arg`: only the last one may be given arguments.
    pub(super) fn field_chain(
        &mut self,
        dot: &Value,
        mut receiver: Value,
        expr: &'t Expr,
        names: &'t [String],
        args: &'t [Expr],
        last: Option<Value>,
    ) -> Result<Value> {
        let Some((final_name, names)) = names.split_last() else { return Ok(receiver) };
        for name in names {
            receiver = self.field(dot, &receiver, expr, name, &[], None)?;
        }
        self.field(dot, &receiver, expr, final_name, args, last)
    }

    fn field(
        &mut self,
        dot: &Value,
        receiver: &Value,
        expr: &'t Expr,
        name: &'t str,
        args: &'t [Expr],
        last: Option<Value>,
    ) -> Result<Value> {
        if matches!(receiver, Value::Nil) {
            return match self.templates.missing_key {
                MissingKey::Error => {
                    self.error(format_args!("nil data; no entry for key {}", quote(name)))
                }
                _ => Ok(Value::Nil),
            };
        }
        let has_args = !args.is_empty() || last.is_some();
        match receiver.member(name) {
            Some(Member::Method(method)) => {
                return self.call(dot, &method, (expr.pos, expr), name, args, last);
            }
            Some(Member::Field(_)) if has_args => {
                return self
                    .error(format_args!("{name} has arguments but cannot be invoked as function"));
            }
            Some(Member::Field(value)) => return Ok(value),
            None => {}
        }
        let Kind::Map(map) = receiver.kind() else {
            let type_name = receiver.type_name();
            return self.error(format_args!("can't evaluate field {name} in type {type_name}"));
        };
        if has_args {
            return self.error(format_args!("{name} is not a method but has arguments"));
        }
        match (map.entries.get(name), self.templates.missing_key) {
            (Some(value), _) => Ok(value.clone()),
            (None, MissingKey::Zero) => Ok(map.zero.as_ref().clone()),
            (None, MissingKey::Invalid) => Ok(Value::Nil),
            (None, MissingKey::Error) => {
                self.error(format_args!("map has no entry for key {}", quote(name)))
            }
        }
    }
}

impl Expr {
    /// Itself as an argument is printed: pipelines in parentheses.
    fn kind_text(&self) -> String {
        match &self.kind {
            ExprKind::Pipe(pipe) => pipe.to_string(),
            _ => self.to_string(),
        }
    }
}
