//! XML-RPC, for values that JSON knows, too.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use quick_xml::escape::escape;
use serde_json::{Map, Value, json};

use crate::{
    found::{get, text},
    service::{Service, body},
    xml,
};

/// What the method says; its own words if it refuses.
pub(super) async fn call(
    service: &Service,
    url: &str,
    method: &str,
    parameters: &[Value],
) -> Result<Value, String> {
    let kind = HeaderValue::from_static("text/xml");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]);
    let question = Bytes::from(write_call(method, parameters));
    let response = service.send(Method::POST, url, headers, question).await?;
    let answer = xml::read(&body(&response)?)?;
    if let Some(fault) = answer.get("fault") {
        let fault = read_value(&fault["value"]);
        return Err(format!("{}: {}", text(&fault["faultCode"]), get(&fault, "faultString")));
    }
    Ok(read_value(&answer["params"]["param"]["value"]))
}

fn write_call(method: &str, parameters: &[Value]) -> String {
    let parameters: String = parameters
        .iter()
        .map(|parameter| format!("<param><value>{}</value></param>", write_value(parameter)))
        .collect();
    format!(
        "<?xml version=\"1.0\"?><methodCall><methodName>{method}</methodName>\
         <params>{parameters}</params></methodCall>"
    )
}

fn write_value(value: &Value) -> String {
    match value {
        Value::Number(number) => format!("<int>{number}</int>"),
        Value::Array(list) => {
            let list = list.iter().map(|it| format!("<value>{}</value>", write_value(it)));
            format!("<array><data>{}</data></array>", list.collect::<String>())
        }
        other => format!("<string>{}</string>", escape(&*text(other))),
    }
}

/// A value says what it is by the element in it; one without is a text.
fn read_value(value: &Value) -> Value {
    let Some((kind, inner)) = value.as_object().and_then(|map| map.iter().next()) else {
        return value.clone();
    };
    match kind.as_str() {
        "array" => Value::Array(several(&inner["data"]["value"]).map(read_value).collect()),
        "struct" => {
            let members = several(&inner["member"]);
            let members = members.map(|it| (get(it, "name").to_owned(), read_value(&it["value"])));
            Value::Object(members.collect::<Map<_, _>>())
        }
        "int" | "i4" | "i8" => match text(inner).trim().parse::<i64>() {
            Ok(number) => json!(number),
            Err(_) => inner.clone(),
        },
        "boolean" => json!(text(inner).trim() == "1"),
        _ => inner.clone(),
    }
}

/// Elements of one name: none, one that stands alone, or a list.
fn several(value: &Value) -> impl Iterator<Item = &Value> {
    let elements = match value {
        Value::Null => &[],
        Value::Array(list) => list.as_slice(),
        alone => std::slice::from_ref(alone),
    };
    elements.iter()
}
