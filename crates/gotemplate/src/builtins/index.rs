//! `index` and `slice`.

use crate::{List, Value, value::Kind};

/// `index x 1 2` is `x[1][2]`.
pub(super) fn index(args: &[Value]) -> Result<Value, String> {
    let Some((item, indexes)) = args.split_first() else { return Ok(Value::Nil) };
    if matches!(item, Value::Nil) {
        return Err("index of untyped nil".to_owned());
    }
    let mut item = item.clone();
    for index in indexes {
        item = match item.kind() {
            Kind::List(list) => {
                let position = position(index, list.items.len())?;
                let found = list.items.get(position).cloned();
                found.ok_or_else(|| "reflect: slice index out of range".to_owned())?
            }
            Kind::String(text) => {
                let position = position(index, text.len())?;
                let byte = text.as_bytes().get(position).copied();
                let byte = byte.ok_or_else(|| "reflect: string index out of range".to_owned())?;
                Value::Uint(byte.into())
            }
            Kind::Map(map) => match index {
                Value::String(key) => map.entries.get(key.as_ref()).unwrap_or(&map.zero).clone(),
                Value::Nil => return Err("value is nil; should be of type string".to_owned()),
                other => {
                    let type_name = other.type_name();
                    return Err(format!("value has type {type_name}; should be string"));
                }
            },
            Kind::Nil => return Err("index of nil pointer".to_owned()),
            _ => return Err(format!("can't index item of type {}", item.type_name())),
        };
    }
    Ok(item)
}

/// `slice x 1 2` is `x[1:2]`.
pub(super) fn slice(args: &[Value]) -> Result<Value, String> {
    let Some((item, indexes)) = args.split_first() else { return Ok(Value::Nil) };
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()));
    }
    let kind = item.kind();
    let length = match &kind {
        Kind::String(_) if indexes.len() == 3 => {
            return Err("cannot 3-index slice a string".to_owned());
        }
        Kind::String(text) => text.len(),
        Kind::List(list) => list.items.len(),
        Kind::Nil => return Err("slice of untyped nil".to_owned()),
        _ => return Err(format!("can't slice item of type {}", item.type_name())),
    };
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        *bound = position(index, length)?;
    }
    for (low, high) in [(bounds[0], bounds[1]), (bounds[1], bounds[2])] {
        if low > high {
            return Err(format!("invalid slice index: {low} > {high}"));
        }
    }
    let range = bounds[0]..bounds[1];
    Ok(match kind {
        Kind::List(list) => {
            let items = list.items[range].iter().cloned();
            Value::List(List::new(item.type_name(), items))
        }
        Kind::String(text) => {
            // A cut within a character leaves replacement characters; texts are UTF-8 here.
            Value::string(String::from_utf8_lossy(&text.as_bytes()[range]))
        }
        _ => Value::Nil,
    })
}

fn position(index: &Value, length: usize) -> Result<usize, String> {
    let number = match index.kind() {
        Kind::Int(number) => number,
        Kind::Uint(number) => number as i64,
        Kind::Nil => return Err("cannot index slice/array with nil".to_owned()),
        _ => return Err(format!("cannot index slice/array with type {}", index.type_name())),
    };
    usize::try_from(number)
        .ok()
        .filter(|position| *position <= length)
        .ok_or_else(|| format!("index out of range: {number}"))
}
