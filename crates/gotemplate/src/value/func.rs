use std::sync::Arc;

use super::{Kind, Value};

/// A function that templates can call.
#[derive(Clone)]
pub struct Func {
    pub params: &'static [Type],
    /// Whether the last parameter takes any number of arguments.
    pub variadic: bool,
    /// The error is the plain reason; the engine says where.
    pub call: Arc<Call>,
}

pub type Call = dyn Fn(&[Value]) -> Result<Value, String> + Send + Sync;

/// What a parameter accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Any,
    Bool,
    Int,
    Float,
    String,
    Time,
    Duration,
    /// Values of exactly the Go type of this name, such as `[]string`.
    Named(&'static str),
}

impl Func {
    /// A function of exactly `params`. The engine has checked number and types of the arguments.
    pub fn new(
        params: &'static [Type],
        call: impl Fn(&[Value]) -> Result<Value, String> + Send + Sync + 'static,
    ) -> Func {
        Func { params, variadic: false, call: Arc::new(call) }
    }

    /// A function whose last parameter may be given any number of times.
    pub fn variadic(
        params: &'static [Type],
        call: impl Fn(&[Value]) -> Result<Value, String> + Send + Sync + 'static,
    ) -> Func {
        Func { params, variadic: true, call: Arc::new(call) }
    }

    /// What argument `idx` must be.
    pub(crate) fn param(&self, idx: usize) -> Type {
        let last = self.params.len().saturating_sub(1);
        self.params.get(idx.min(last)).copied().unwrap_or(Type::Any)
    }

    /// How many arguments are required.
    pub(crate) fn n_fixed(&self) -> usize {
        if self.variadic { self.params.len().saturating_sub(1) } else { self.params.len() }
    }
}

impl Type {
    /// Go's name.
    pub fn name(self) -> &'static str {
        match self {
            Type::Any => "interface {}",
            Type::Bool => "bool",
            Type::Int => "int",
            Type::Float => "float64",
            Type::String => "string",
            Type::Time => "time.Time",
            Type::Duration => "time.Duration",
            Type::Named(name) => name,
        }
    }

    /// Whether nil is a value of it: lists, maps and anything.
    pub(crate) fn can_be_nil(self) -> bool {
        match self {
            Type::Any => true,
            Type::Named(name) => name.starts_with(['[', '*', 'm']) && !name.contains('.'),
            _ => false,
        }
    }

    /// Whether `value` may be passed without conversion.
    pub(crate) fn accepts(self, value: &Value) -> bool {
        match self {
            Type::Any => true,
            Type::Named(name) if value.type_name() != name => {
                // Go assigns a named list or map where its unnamed type is asked for.
                match (value, value.kind()) {
                    (Value::Object(_), Kind::List(list)) => list.type_name == name,
                    (Value::Object(_), Kind::Map(map)) => map.type_name == name,
                    _ => false,
                }
            }
            _ => value.type_name() == self.name(),
        }
    }
}
