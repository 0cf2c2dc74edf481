//! A notification as an Alertmanager hands it to templates, small enough for tests.

use serde_json::Value as Json;

use crate::{Func, List, Map, Member, Object, Shape, Struct, Time, Type, Value};

pub(super) fn notification(data: &Json) -> Value {
    Value::object(Struct {
        type_name: "template.Data",
        fields: vec![
            ("Receiver", text(&data["receiver"])),
            ("Status", text(&data["status"])),
            ("Alerts", alerts(data["alerts"].as_array().into_iter().flatten().map(alert))),
            ("GroupLabels", labels(&data["groupLabels"])),
            ("CommonLabels", labels(&data["commonLabels"])),
            ("CommonAnnotations", labels(&data["commonAnnotations"])),
            ("ExternalURL", text(&data["externalURL"])),
        ],
    })
}

fn text(json: &Json) -> Value {
    Value::from(json.as_str().unwrap_or_default())
}

fn time(json: &Json) -> Value {
    let time: jiff::Timestamp = json.as_str().unwrap_or_default().parse().expect("a time");
    Value::Time(Time::from(time))
}

fn alert(json: &Json) -> Value {
    Value::object(Struct {
        type_name: "template.Alert",
        fields: vec![
            ("Status", text(&json["status"])),
            ("Labels", labels(&json["labels"])),
            ("Annotations", labels(&json["annotations"])),
            ("StartsAt", time(&json["startsAt"])),
            ("EndsAt", time(&json["endsAt"])),
            ("GeneratorURL", text(&json["generatorURL"])),
            ("Fingerprint", text(&json["fingerprint"])),
        ],
    })
}

fn alerts(alerts: impl Iterator<Item = Value>) -> Value {
    Value::object(Alerts(List::new("template.Alerts", alerts)))
}

struct Alerts(List);

impl Object for Alerts {
    fn type_name(&self) -> &'static str {
        "template.Alerts"
    }

    fn member(&self, name: &str) -> Option<Member> {
        let status = match name {
            "Firing" => "firing",
            "Resolved" => "resolved",
            _ => return None,
        };
        let has_status = |alert: &&Value| match alert {
            Value::Object(alert) => match alert.member("Status") {
                Some(Member::Field(value)) => value.as_str() == Some(status),
                _ => false,
            },
            _ => false,
        };
        let chosen = alerts(self.0.items.iter().filter(has_status).cloned());
        Some(Member::Method(Func::new(&[], move |_| Ok(chosen.clone()))))
    }

    fn shape(&self) -> Shape {
        Shape::List(self.0.clone())
    }
}

fn labels(json: &Json) -> Value {
    let pairs = json.as_object().into_iter().flatten();
    let pairs = pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
    Value::object(Labels(Map::of_strings("template.KV", pairs)))
}

struct Labels(Map);

impl Labels {
    fn values(&self) -> Vec<(&str, &str)> {
        let pairs = self.0.entries.iter();
        pairs.map(|(name, value)| (name.as_ref(), value.as_str().unwrap_or_default())).collect()
    }
}

impl Object for Labels {
    fn type_name(&self) -> &'static str {
        "template.KV"
    }

    fn member(&self, name: &str) -> Option<Member> {
        let pairs = self.values();
        let value = match name {
            "Names" => Value::strings(pairs.iter().map(|(name, _)| *name)),
            "Values" => Value::strings(pairs.iter().map(|(_, value)| *value)),
            "SortedPairs" => Value::object(Pairs(pairs.iter().map(|(n, v)| pair(n, v)).collect())),
            "Remove" => {
                let map = self.0.clone();
                return Some(Member::Method(Func::new(&[Type::Named("[]string")], move |args| {
                    let Value::List(names) = &args[0] else { return Err("no list".into()) };
                    let names: Vec<_> = names.items.iter().filter_map(Value::as_str).collect();
                    let kept = map.entries.iter().filter(|(n, _)| !names.contains(&n.as_ref()));
                    let kept = kept.map(|(n, v)| (n.clone(), v.as_str().unwrap_or_default()));
                    Ok(Value::object(Labels(Map::of_strings("template.KV", kept))))
                })));
            }
            _ => return None,
        };
        Some(Member::Method(Func::new(&[], move |_| Ok(value.clone()))))
    }

    fn shape(&self) -> Shape {
        Shape::Map(self.0.clone())
    }
}

fn pair(name: &str, value: &str) -> Value {
    let fields = vec![("Name", Value::from(name)), ("Value", Value::from(value))];
    Value::object(Struct { type_name: "template.Pair", fields })
}

struct Pairs(Vec<Value>);

impl Object for Pairs {
    fn type_name(&self) -> &'static str {
        "template.Pairs"
    }

    fn member(&self, name: &str) -> Option<Member> {
        let field = match name {
            "Names" => "Name",
            "Values" => "Value",
            _ => return None,
        };
        let texts = self.0.iter().filter_map(|pair| match pair {
            Value::Object(pair) => match pair.member(field) {
                Some(Member::Field(Value::String(text))) => Some(text),
                _ => None,
            },
            _ => None,
        });
        let texts = Value::strings(texts);
        Some(Member::Method(Func::new(&[], move |_| Ok(texts.clone()))))
    }

    fn shape(&self) -> Shape {
        Shape::List(List::new("template.Pairs", self.0.iter().cloned()))
    }
}
