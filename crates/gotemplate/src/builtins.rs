//! The functions that every template has.

mod compare;
mod escape;
mod index;

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use crate::{
    Functions, Value, format,
    value::{Func, Kind, Type},
};

use Type::{Any, String as Text};

static BUILTINS: LazyLock<Functions> = LazyLock::new(|| {
    BTreeMap::from([
        // The engine itself evaluates `and`, `or` and `call`: not all arguments, or one more.
        ("and", Func::variadic(&[Any, Any], |_| Ok(Value::Nil))),
        ("or", Func::variadic(&[Any, Any], |_| Ok(Value::Nil))),
        ("call", Func::variadic(&[Any, Any], |_| Ok(Value::Nil))),
        ("eq", Func::variadic(&[Any, Any], |args| compare::eq(args).map(Value::Bool))),
        ("ge", Func::new(&[Any, Any], |args| compare::ge(args).map(Value::Bool))),
        ("gt", Func::new(&[Any, Any], |args| compare::gt(args).map(Value::Bool))),
        ("html", Func::variadic(&[Any], |args| Ok(text(escape::html(&joined(args)))))),
        ("index", Func::variadic(&[Any, Any], index::index)),
        ("js", Func::variadic(&[Any], |args| Ok(text(escape::js(&joined(args)))))),
        ("le", Func::new(&[Any, Any], |args| compare::le(args).map(Value::Bool))),
        ("len", Func::new(&[Any], |args| length(&args[0]))),
        ("lt", Func::new(&[Any, Any], |args| compare::lt(args).map(Value::Bool))),
        ("ne", Func::new(&[Any, Any], |args| compare::eq(args).map(|eq| Value::Bool(!eq)))),
        ("not", Func::new(&[Any], |args| Ok(Value::Bool(!args[0].is_true())))),
        ("print", Func::variadic(&[Any], |args| Ok(text(format::sprint(args))))),
        ("printf", Func::variadic(&[Text, Any], printf)),
        ("println", Func::variadic(&[Any], |args| Ok(text(format::sprintln(args))))),
        ("slice", Func::variadic(&[Any, Any], index::slice)),
        ("urlquery", Func::variadic(&[Any], |args| Ok(text(escape::url_query(&joined(args)))))),
    ])
});

pub(crate) fn find(name: &str) -> Option<&'static Func> {
    BUILTINS.get(name)
}

/// Go's words, which come from deep within.
const LENGTH_OF_NIL: &str = "reflect: call of reflect.Value.Type on zero Value";

fn text(text: String) -> Value {
    Value::String(Arc::from(text))
}

fn printf(args: &[Value]) -> Result<Value, String> {
    match args.split_first() {
        Some((layout, args)) => {
            Ok(text(format::sprintf(layout.as_str().unwrap_or_default(), args)))
        }
        None => Ok(text(String::new())),
    }
}

fn length(item: &Value) -> Result<Value, String> {
    let length = match item.kind() {
        Kind::String(text) => text.len(),
        Kind::List(list) => list.items.len(),
        Kind::Map(map) => map.entries.len(),
        Kind::Nil => return Err(LENGTH_OF_NIL.to_owned()),
        _ => return Err(format!("len of type {}", item.type_name())),
    };
    Ok(Value::Int(length as i64))
}

/// The text that an escaping function works on: its argument, or all of them as `print` has them.
fn joined(args: &[Value]) -> String {
    match args {
        [Value::String(text)] => text.as_ref().to_owned(),
        // Unlike `print`, they show a missing value as an action does.
        _ => {
            let no_value = Value::from("<no value>");
            let shown = |arg: &Value| match arg {
                Value::Nil => no_value.clone(),
                other => other.clone(),
            };
            format::sprint(&args.iter().map(shown).collect::<Vec<_>>())
        }
    }
}
