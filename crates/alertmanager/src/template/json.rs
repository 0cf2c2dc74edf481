use gotemplate::{Shape, Value};
use model::json::{Escape, write_text};

/// JSON as Go's `encoding/json` writes it: keys of maps sorted, `<`, `>` and `&` escaped.
pub fn to_json(value: &Value) -> Result<String, String> {
    let mut out = String::new();
    write(value, &mut out)?;
    Ok(out)
}

fn write(value: &Value, out: &mut String) -> Result<(), String> {
    match value {
        Value::Nil => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) | Value::Duration(value) => out.push_str(&value.to_string()),
        Value::Uint(value) => out.push_str(&value.to_string()),
        Value::Float(value) if value.is_finite() => write_float(*value, out),
        Value::Float(value) => return Err(format!("json: unsupported value: {value}")),
        Value::String(text) | Value::Safe(_, text) => write_text(text, Escape::Standard, out),
        Value::Time(time) => {
            write_text(&time.format("2006-01-02T15:04:05.999999999Z07:00"), Escape::Standard, out);
        }
        Value::List(list) => write_list(&list.items, out)?,
        Value::Map(map) => {
            let entries = map.entries.iter().map(|(key, value)| (key.as_ref(), value));
            write_object(entries, out)?;
        }
        Value::Object(object) => match object.shape() {
            Shape::Scalar(value) => write(&value, out)?,
            Shape::List(list) => write_list(&list.items, out)?,
            Shape::Map(map) => {
                let entries = map.entries.iter().map(|(key, value)| (key.as_ref(), value));
                write_object(entries, out)?;
            }
            Shape::Struct(fields) => {
                // Pairs are the one type whose fields upstream gives no names of their own.
                let has_go_names = object.type_name() == "template.Pair";
                let names: Vec<String> = fields
                    .iter()
                    .map(|(name, _)| match *name {
                        name if has_go_names => name.to_owned(),
                        "NotificationReason" => "notification_reason".to_owned(),
                        name => lower_first(name),
                    })
                    .collect();
                let values = fields.iter().map(|(_, value)| value);
                write_object(names.iter().map(String::as_str).zip(values), out)?;
            }
        },
        Value::Complex(..) | Value::Func(_) => {
            return Err(format!("json: unsupported type: {}", value.type_name()));
        }
    }
    Ok(())
}

fn write_list(items: &[Value], out: &mut String) -> Result<(), String> {
    out.push('[');
    for (idx, item) in items.iter().enumerate() {
        if idx > 0 {
            out.push(',');
        }
        write(item, out)?;
    }
    out.push(']');
    Ok(())
}

fn write_object<'a>(
    entries: impl Iterator<Item = (&'a str, &'a Value)>,
    out: &mut String,
) -> Result<(), String> {
    out.push('{');
    for (idx, (name, value)) in entries.enumerate() {
        if idx > 0 {
            out.push(',');
        }
        write_text(name, Escape::Standard, out);
        out.push(':');
        write(value, out)?;
    }
    out.push('}');
    Ok(())
}

fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().into_iter().flat_map(char::to_lowercase).chain(chars).collect()
}

/// As JavaScript prints numbers, with Go's two digits of negative exponents trimmed.
fn write_float(value: f64, out: &mut String) {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let text = format!("{value:e}");
        match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => {
                out.push_str(&format!("{digits}e+{exponent}"));
            }
            _ => out.push_str(&text),
        }
    } else {
        out.push_str(&value.to_string());
    }
}
