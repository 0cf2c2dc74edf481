use std::sync::Arc;

use super::{List, Map, Shape, Value};

/// A value without the name of its type: what comparison, `range` and formatting look at.
pub(crate) enum Kind {
    Nil,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Complex(f64, f64),
    String(Arc<str>),
    List(List),
    Map(Map),
    Struct,
    Func,
}

impl Value {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Value::Nil => Kind::Nil,
            Value::Bool(value) => Kind::Bool(*value),
            Value::Int(value) | Value::Duration(value) => Kind::Int(*value),
            Value::Uint(value) => Kind::Uint(*value),
            Value::Float(value) => Kind::Float(*value),
            Value::Complex(real, imaginary) => Kind::Complex(*real, *imaginary),
            Value::String(text) | Value::Safe(_, text) => Kind::String(text.clone()),
            Value::List(list) => Kind::List(list.clone()),
            Value::Map(map) => Kind::Map(map.clone()),
            Value::Time(_) => Kind::Struct,
            Value::Func(_) => Kind::Func,
            Value::Object(object) => match object.shape() {
                Shape::Struct(_) => Kind::Struct,
                Shape::List(list) => Kind::List(list),
                Shape::Map(map) => Kind::Map(map),
                Shape::Scalar(value) => value.kind(),
            },
        }
    }
}
