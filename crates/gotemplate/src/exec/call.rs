//! Functions, methods and their arguments.

use std::fmt::Display;

use super::{Result, State};
use crate::{
    Value,
    ast::{Expr, ExprKind, Number},
    quote::quote,
    value::{Func, SafeKind, Type},
};

/// What an error of a call points at.
type Place<'t, N> = (usize, &'t N);

impl<'t> State<'t> {
    pub(super) fn function<N: Display>(
        &mut self,
        dot: &Value,
        name: &'t str,
        place: Place<'t, N>,
        args: &'t [Expr],
        last: Option<Value>,
    ) -> Result<Value> {
        let templates = self.templates;
        let value = match templates.function(name) {
            Some((_, true)) if name == "and" || name == "or" => {
                self.check_count(
                    templates.function(name).map(|f| f.0),
                    name,
                    args,
                    last.is_some(),
                )?;
                self.short_circuit(dot, name == "or", args, last)
            }
            Some((function, true)) if name == "call" => {
                self.check_count(Some(function), name, args, last.is_some())?;
                self.call_value(dot, place, args, last)
            }
            Some((function, _)) => self.call(dot, function, place, name, args, last),
            None => self.error(format_args!("{} is not a defined function", quote(name))),
        }?;
        // In HTML these two say what the text is; it is not escaped once more for the same place.
        Ok(match (name, value) {
            ("html", Value::String(text)) if templates.is_html => Value::Safe(SafeKind::Html, text),
            ("urlquery", Value::String(text)) if templates.is_html => {
                Value::Safe(SafeKind::Url, text)
            }
            (_, value) => value,
        })
    }

    /// Calls `function` with `args` and, behind them, `last`, each checked against its type.
    pub(super) fn call<N: Display>(
        &mut self,
        dot: &Value,
        function: &Func,
        place: Place<'t, N>,
        name: &str,
        args: &'t [Expr],
        last: Option<Value>,
    ) -> Result<Value> {
        self.check_count(Some(function), name, args, last.is_some())?;
        self.enter()?;
        let mut values = Vec::with_capacity(args.len() + 1);
        for (idx, arg) in args.iter().enumerate() {
            values.push(self.argument(dot, function.param(idx), arg)?);
        }
        if let Some(last) = last {
            values.push(self.validate(last, function.param(args.len()))?);
        }
        let value = self.invoke(function, &values, place, name)?;
        self.leave();
        Ok(value)
    }

    fn invoke<N: Display>(
        &mut self,
        function: &Func,
        values: &[Value],
        place: Place<'t, N>,
        name: &str,
    ) -> Result<Value> {
        match (function.call)(values) {
            Ok(value) => {
                self.spend(&value)?;
                Ok(value)
            }
            Err(message) => {
                self.at(place.0, place.1);
                self.error(format_args!("error calling {name}: {message}"))
            }
        }
    }

    fn check_count(
        &self,
        function: Option<&Func>,
        name: &str,
        args: &[Expr],
        has_last: bool,
    ) -> Result<()> {
        let Some(function) = function else { return Ok(()) };
        let n_given = args.len() + usize::from(has_last);
        let n_fixed = function.n_fixed();
        if function.variadic && n_given < n_fixed {
            // Upstream does not count the piped argument here.
            let n_args = args.len();
            return self.error(format_args!(
                "wrong number of args for {name}: want at least {n_fixed} got {n_args}"
            ));
        }
        if !function.variadic && n_given != n_fixed {
            return self.error(format_args!(
                "wrong number of args for {name}: want {n_fixed} got {n_given}"
            ));
        }
        Ok(())
    }

    /// `and` and `or`: the first argument that decides, or the last.
    fn short_circuit(
        &mut self,
        dot: &Value,
        stops_at: bool,
        args: &'t [Expr],
        last: Option<Value>,
    ) -> Result<Value> {
        self.enter()?;
        let mut value = Value::Nil;
        for arg in args {
            value = self.argument(dot, Type::Any, arg)?;
            if value.is_true() == stops_at {
                self.leave();
                return Ok(value);
            }
        }
        self.leave();
        Ok(last.unwrap_or(value))
    }

    /// `call f a b`: the first argument is the function.
    fn call_value<N: Display>(
        &mut self,
        dot: &Value,
        place: Place<'t, N>,
        args: &'t [Expr],
        last: Option<Value>,
    ) -> Result<Value> {
        self.enter()?;
        let mut values = Vec::new();
        for arg in args {
            values.push(self.argument(dot, Type::Any, arg)?);
        }
        let callee_name = match (args.first(), &last) {
            (Some(arg), _) => arg.to_string(),
            (None, Some(value)) => value.to_string(),
            (None, None) => String::new(),
        };
        values.extend(last);
        let mut values = values.into_iter();
        let callee = values.next().unwrap_or_default();
        let values: Vec<Value> = values.collect();
        let fails = |state: &mut State<'t>, message: String| {
            state.at(place.0, place.1);
            state.error(format_args!("error calling call: {message}"))
        };
        let function = match &callee {
            Value::Func(function) => function,
            Value::Nil => return fails(self, "call of nil".to_owned()),
            other => {
                let type_name = other.type_name();
                return fails(self, format!("non-function {callee_name} of type {type_name}"));
            }
        };
        let (n_given, n_fixed) = (values.len(), function.n_fixed());
        if (function.variadic && n_given < n_fixed) || (!function.variadic && n_given != n_fixed) {
            let at_least = if function.variadic { "at least " } else { "" };
            return fails(
                self,
                format!(
                    "wrong number of args for {callee_name}: got {n_given} want {at_least}{n_fixed}"
                ),
            );
        }
        for (idx, value) in values.iter().enumerate() {
            let wanted = function.param(idx);
            let is_nil = matches!(value, Value::Nil);
            if is_nil && !wanted.can_be_nil() {
                let wanted = wanted.name();
                return fails(self, format!("arg {idx}: value is nil; should be of type {wanted}"));
            }
            if !is_nil && !wanted.accepts(value) {
                let (found, wanted) = (value.type_name(), wanted.name());
                return fails(
                    self,
                    format!("arg {idx}: value has type {found}; should be {wanted}"),
                );
            }
        }
        let value = self.invoke(function, &values, place, "call")?;
        self.leave();
        Ok(value)
    }

    /// Evaluates an argument for a parameter of type `wanted`.
    fn argument(&mut self, dot: &Value, wanted: Type, expr: &'t Expr) -> Result<Value> {
        self.step()?;
        self.at(expr.pos, expr);
        if expr.kind == ExprKind::Nil {
            return match wanted.can_be_nil() {
                true => Ok(Value::Nil),
                false => self.error(format_args!("cannot assign nil to {}", wanted.name())),
            };
        }
        if let Some(value) = self.evaluated(dot, expr)? {
            return self.validate(value, wanted);
        }
        // A constant takes the type that is asked for.
        let number = match &expr.kind {
            ExprKind::Number(number) => Some(number),
            _ => None,
        };
        let int = number.and_then(|number: &Number| number.int);
        let (found, what) = match wanted {
            Type::Any => return self.constant(dot, expr),
            Type::Bool | Type::String => {
                let value = self.constant(dot, expr)?;
                (wanted.accepts(&value).then_some(value), wanted.name())
            }
            Type::Int => (int.map(Value::Int), "integer"),
            Type::Duration => (int.map(Value::Duration), "integer"),
            Type::Float => (number.and_then(|number| number.float).map(Value::Float), "float"),
            Type::Time | Type::Named(_) => {
                let wanted = wanted.name();
                return self.error(format_args!("can't handle {expr} for arg of type {wanted}"));
            }
        };
        match found {
            Some(value) => Ok(value),
            None => self.error(format_args!("expected {what}; found {expr}")),
        }
    }

    /// An argument whose type doesn't matter, such as what a chain of fields begins with.
    pub(super) fn untyped_argument(&mut self, dot: &Value, expr: &'t Expr) -> Result<Value> {
        self.argument(dot, Type::Any, expr)
    }

    /// The value of an expression that is no constant.
    fn evaluated(&mut self, dot: &Value, expr: &'t Expr) -> Result<Option<Value>> {
        let value = match &expr.kind {
            ExprKind::Dot => dot.clone(),
            ExprKind::Field(names) => self.field_chain(dot, dot.clone(), expr, names, &[], None)?,
            ExprKind::Variable(names) => self.variable(dot, expr, names, &[], None)?,
            ExprKind::Pipe(pipe) => self.pipeline(dot, pipe)?,
            ExprKind::Identifier(name) => self.function(dot, name, (expr.pos, expr), &[], None)?,
            ExprKind::Chain(base, names) => self.chain(dot, expr, base, names, &[], None)?,
            _ => return Ok(None),
        };
        Ok(Some(value))
    }

    fn validate(&self, value: Value, wanted: Type) -> Result<Value> {
        if matches!(value, Value::Nil) {
            return match wanted.can_be_nil() {
                true => Ok(value),
                false => self.error(format_args!("invalid value; expected {}", wanted.name())),
            };
        }
        if wanted.accepts(&value) {
            return Ok(value);
        }
        let (found, wanted) = (value.type_name(), wanted.name());
        self.error(format_args!("wrong type for value; expected {wanted}; got {found}"))
    }
}
