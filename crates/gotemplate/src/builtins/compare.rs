//! `eq`, `lt` and their kin.

use std::cmp::Ordering;

use crate::{Value, value::Kind};

/// Whether the first argument equals any of the others.
pub(super) fn eq(args: &[Value]) -> Result<bool, String> {
    let Some((first, others)) = args.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Err("missing argument for comparison".to_owned());
    };
    for other in others {
        if equal(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn lt(args: &[Value]) -> Result<bool, String> {
    Ok(compare(args)? == Some(Ordering::Less))
}

pub(super) fn le(args: &[Value]) -> Result<bool, String> {
    Ok(matches!(compare(args)?, Some(Ordering::Less | Ordering::Equal)))
}

pub(super) fn gt(args: &[Value]) -> Result<bool, String> {
    // Not less and not equal, as Go has it: true for NaN.
    Ok(!le(args)?)
}

pub(super) fn ge(args: &[Value]) -> Result<bool, String> {
    Ok(!lt(args)?)
}

fn equal(a: &Value, b: &Value) -> Result<bool, String> {
    Ok(match (a.kind(), b.kind()) {
        (Kind::Bool(a), Kind::Bool(b)) => a == b,
        (Kind::Int(a), Kind::Int(b)) => a == b,
        (Kind::Uint(a), Kind::Uint(b)) => a == b,
        (Kind::Int(a), Kind::Uint(b)) | (Kind::Uint(b), Kind::Int(a)) => {
            i128::from(a) == i128::from(b)
        }
        (Kind::Float(a), Kind::Float(b)) => a == b,
        (Kind::Complex(a, b), Kind::Complex(c, d)) => (a, b) == (c, d),
        (Kind::String(a), Kind::String(b)) => a == b,
        (Kind::Nil, Kind::Nil) => true,
        (Kind::Nil, _) | (_, Kind::Nil) => false,
        (Kind::Struct, Kind::Struct) => match (a, b) {
            (Value::Time(a), Value::Time(b)) => a == b,
            (Value::Object(a), Value::Object(b)) => std::sync::Arc::ptr_eq(a, b),
            _ => false,
        },
        (Kind::List(_), Kind::List(_))
        | (Kind::Map(_), Kind::Map(_))
        | (Kind::Func, Kind::Func) => {
            return Err(format!("non-comparable type {}: {}", shown(b), b.type_name()));
        }
        (a_kind, b_kind) => {
            let basic = |kind: &Kind| {
                !matches!(kind, Kind::List(_) | Kind::Map(_) | Kind::Func | Kind::Struct)
            };
            let (a_type, b_type) = (a.type_name(), b.type_name());
            if basic(&a_kind) || basic(&b_kind) {
                return Err(format!("incompatible types for comparison: {a_type} and {b_type}"));
            }
            return Err(format!("non-comparable types {}: {a_type}, {b_type}: {b}", shown(a)));
        }
    })
}

/// How two arguments are ordered; `None` where one is NaN.
fn compare(args: &[Value]) -> Result<Option<Ordering>, String> {
    let bad_type = || Err("invalid type for comparison".to_owned());
    let [a, b] = args else { return Err("missing argument for comparison".to_owned()) };
    let not_basic = |kind: &Kind| {
        matches!(kind, Kind::Nil | Kind::List(_) | Kind::Map(_) | Kind::Struct | Kind::Func)
    };
    let (a_kind, b_kind) = (a.kind(), b.kind());
    if not_basic(&a_kind) || not_basic(&b_kind) {
        return bad_type();
    }
    Ok(match (a_kind, b_kind) {
        (Kind::Int(a), Kind::Int(b)) => Some(a.cmp(&b)),
        (Kind::Uint(a), Kind::Uint(b)) => Some(a.cmp(&b)),
        (Kind::Int(a), Kind::Uint(b)) => Some(i128::from(a).cmp(&i128::from(b))),
        (Kind::Uint(a), Kind::Int(b)) => Some(i128::from(a).cmp(&i128::from(b))),
        (Kind::Float(a), Kind::Float(b)) => a.partial_cmp(&b),
        (Kind::String(a), Kind::String(b)) => Some(a.cmp(&b)),
        (Kind::Bool(_), Kind::Bool(_)) | (Kind::Complex(..), Kind::Complex(..)) => {
            return bad_type();
        }
        _ => {
            let (a, b) = (a.type_name(), b.type_name());
            return Err(format!("incompatible types for comparison: {a} and {b}"));
        }
    })
}

/// As Go puts a value into these errors: under `%s`, whatever it is.
fn shown(value: &Value) -> String {
    crate::format::sprintf("%s", std::slice::from_ref(value))
}
