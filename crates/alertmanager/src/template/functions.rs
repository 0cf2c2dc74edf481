use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use gotemplate::{Func, Functions, List, Map, Shape, Time, Type, Value, humanize, value::SafeKind};
use runtime::Clock;

use super::json;

const STRINGS: Type = Type::Named("[]string");
const ANYTHINGS: Type = Type::Named("[]interface {}");

/// What templates can call besides Go's builtins; `routeLabels` knows no label yet.
pub(super) fn functions(clock: Arc<dyn Clock>) -> Functions {
    let mut functions = Functions::from([
        ("toUpper", text(|text| text.to_uppercase())),
        ("toLower", text(|text| text.to_lowercase())),
        ("title", text(title)),
        ("trimSpace", text(|text| text.trim().to_owned())),
        ("safeHtml", safe(SafeKind::Html)),
        ("safeUrl", safe(SafeKind::Url)),
        ("urlUnescape", fallible_text(url_unescape)),
        ("base64encode", text(|text| URL_SAFE.encode(text))),
        ("base64decode", fallible_text(base64_decode)),
        ("routeLabels", Func::new(&[Type::String], |_| Ok(Value::from("")))),
    ]);
    functions.extend(regexes());
    functions.extend(collections());
    functions.extend(times(clock));
    functions
}

fn regexes() -> Functions {
    let compile = |pattern: &Value| re2::Regex::new(str_of(pattern)).map_err(|e| e.to_string());
    Functions::from([
        (
            "match",
            Func::new(&[Type::String, Type::String], move |args| {
                let [pattern, text] = args else { return unexpected() };
                Ok(Value::Bool(compile(pattern)?.is_match(str_of(text))))
            }),
        ),
        (
            "reReplaceAll",
            Func::new(&[Type::String, Type::String, Type::String], move |args| {
                let [pattern, replacement, text] = args else { return unexpected() };
                let replaced = compile(pattern)?.replace_all(str_of(text), str_of(replacement));
                Ok(Value::from(replaced))
            }),
        ),
    ])
}

fn collections() -> Functions {
    Functions::from([
        (
            "join",
            Func::new(&[Type::String, STRINGS], |args| {
                let [separator, texts] = args else { return unexpected() };
                let items = items_of(texts);
                let texts: Vec<&str> = items.iter().map(str_of).collect();
                Ok(Value::from(texts.join(str_of(separator))))
            }),
        ),
        (
            "stringSlice",
            Func::variadic(&[Type::String], |args| {
                Ok(Value::List(List::new("[]string", args.iter().cloned())))
            }),
        ),
        ("list", Func::variadic(&[Type::Any], |args| Ok(Value::list(args.iter().cloned())))),
        (
            "append",
            Func::variadic(&[ANYTHINGS, Type::Any], |args| {
                let Some((list, more)) = args.split_first() else { return unexpected() };
                let items = items_of(list);
                Ok(Value::list(items.iter().chain(more).cloned()))
            }),
        ),
        ("dict", Func::variadic(&[Type::Any], dict)),
        (
            "toJson",
            Func::new(&[Type::Any], |args| match args {
                [value] => json::to_json(value).map(Value::from),
                _ => unexpected(),
            }),
        ),
    ])
}

fn times(clock: Arc<dyn Clock>) -> Functions {
    let now = move || {
        let instant = crate::time::Time::now(&*clock).instant();
        Time(instant.to_zoned(jiff::tz::TimeZone::system()))
    };
    let since_now = now.clone();
    Functions::from([
        ("now", Func::new(&[], move |_| Ok(Value::Time(now())))),
        (
            "since",
            Func::new(&[Type::Time], move |args| {
                let [Value::Time(Time(then))] = args else { return unexpected() };
                let Time(now) = since_now();
                let nanos = now.timestamp().as_nanosecond() - then.timestamp().as_nanosecond();
                let limits = (i128::from(i64::MIN), i128::from(i64::MAX));
                Ok(Value::Duration(nanos.clamp(limits.0, limits.1) as i64))
            }),
        ),
        (
            "date",
            Func::new(&[Type::String, Type::Time], |args| {
                let [layout, Value::Time(time)] = args else { return unexpected() };
                Ok(Value::from(time.format(str_of(layout))))
            }),
        ),
        (
            "tz",
            Func::new(&[Type::String, Type::Time], |args| {
                let [zone, Value::Time(Time(time))] = args else { return unexpected() };
                let zone = crate::interval::location(str_of(zone)).map_err(|e| e.to_string())?;
                Ok(Value::Time(Time(time.with_time_zone(zone))))
            }),
        ),
        ("toDate", to_date(|_| Ok(Time::zero()))),
        ("mustToDate", to_date(Err)),
        (
            "humanizeDuration",
            Func::new(&[Type::Any], |args| match args {
                [value] => humanize::number(value).map(|n| Value::from(humanize::duration(n))),
                _ => unexpected(),
            }),
        ),
    ])
}

/// Reads a time by a layout; `otherwise` says what comes of one that can't be read.
fn to_date(otherwise: fn(String) -> Result<Time, String>) -> Func {
    Func::new(&[Type::String, Type::String], move |args| {
        let [layout, text] = args else { return unexpected() };
        Time::parse(str_of(layout), str_of(text)).or_else(otherwise).map(Value::Time)
    })
}

fn dict(args: &[Value]) -> Result<Value, String> {
    let (pairs, rest) = args.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("dict requires an even number of arguments".to_owned());
    }
    let mut entries: Vec<(String, Value)> = Vec::with_capacity(pairs.len());
    for [key, value] in pairs {
        let Value::String(key) = key else { return Err("dict keys must be strings".to_owned()) };
        entries.push((key.to_string(), value.clone()));
    }
    Ok(Value::Map(Map::of_any(entries)))
}

/// The elements of a list, of whatever named type.
fn items_of(value: &Value) -> Arc<[Value]> {
    match value {
        Value::List(list) => list.items.clone(),
        Value::Object(object) => match object.shape() {
            Shape::List(list) => list.items,
            _ => Arc::from([]),
        },
        _ => Arc::from([]),
    }
}

fn text(change: impl Fn(&str) -> String + Send + Sync + 'static) -> Func {
    fallible_text(move |text| Ok(change(text)))
}

fn fallible_text(change: impl Fn(&str) -> Result<String, String> + Send + Sync + 'static) -> Func {
    Func::new(&[Type::String], move |args| match args {
        [value] => change(str_of(value)).map(Value::from),
        _ => unexpected(),
    })
}

fn safe(kind: SafeKind) -> Func {
    Func::new(&[Type::String], move |args| match args {
        [value] => Ok(Value::Safe(kind, Arc::from(str_of(value)))),
        _ => unexpected(),
    })
}

fn str_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The engine checks arguments before it calls.
fn unexpected() -> Result<Value, String> {
    Err("unexpected arguments".to_owned())
}

/// The first letter of each word in upper case and the others in lower case.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_word = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_alphanumeric() || c == '_' {
            if in_word {
                out.extend(c.to_lowercase())
            } else {
                out.extend(c.to_uppercase())
            }
            in_word = true;
        } else {
            out.push(c);
            // An apostrophe or a dot between letters doesn't end a word.
            let joins = in_word && matches!(c, '\'' | '’' | '.' | ':' | '·');
            in_word = joins && chars.peek().is_some_and(|next| next.is_alphabetic());
        }
    }
    out
}

/// As Go's `url.QueryUnescape`.
fn url_unescape(text: &str) -> Result<String, String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut idx = 0;
    while let Some(&byte) = bytes.get(idx) {
        match byte {
            b'%' => {
                let digits = bytes.get(idx + 1..idx + 3);
                let value = digits
                    .and_then(|digits| str::from_utf8(digits).ok())
                    .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok());
                let Some(value) = value else {
                    let escape = &bytes[idx..bytes.len().min(idx + 3)];
                    let quoted = model::labels::quote_bytes(escape);
                    return Err(format!("invalid URL escape {quoted}"));
                };
                out.push(value);
                idx += 3;
            }
            b'+' => {
                out.push(b' ');
                idx += 1;
            }
            byte => {
                out.push(byte);
                idx += 1;
            }
        }
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn base64_decode(text: &str) -> Result<String, String> {
    let bytes = URL_SAFE.decode(text).map_err(|error| {
        let at = match error {
            base64::DecodeError::InvalidByte(at, _) => at,
            base64::DecodeError::InvalidLastSymbol { offset, .. } => offset,
            _ => text.len(),
        };
        format!("illegal base64 data at input byte {at}")
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
