use std::sync::Arc;

use gotemplate::{Func, List, Map, Member, Object, Shape, Struct, Type, Value};

use super::data::{Alerts, Data, DataAlert, Kv};
use crate::time::Time;

impl Data {
    pub fn to_value(&self) -> Value {
        Value::object(Struct {
            type_name: "*template.Data",
            fields: vec![
                ("Receiver", Value::from(self.receiver.as_str())),
                ("Status", Value::from(self.status)),
                ("Alerts", self.alerts.to_value()),
                ("NotificationReason", Value::from(self.notification_reason.as_str())),
                ("GroupLabels", self.group_labels.to_value()),
                ("CommonLabels", self.common_labels.to_value()),
                ("CommonAnnotations", self.common_annotations.to_value()),
                ("RouteLabels", self.route_labels.to_value()),
                ("ExternalURL", Value::from(self.external_url.as_str())),
            ],
        })
    }
}

impl DataAlert {
    pub fn to_value(&self) -> Value {
        Value::object(Struct {
            type_name: "template.Alert",
            fields: vec![
                ("Status", Value::from(self.status)),
                ("Labels", self.labels.to_value()),
                ("Annotations", self.annotations.to_value()),
                ("StartsAt", time_value(self.starts_at)),
                ("EndsAt", time_value(self.ends_at)),
                ("GeneratorURL", Value::from(self.generator_url.as_str())),
                ("Fingerprint", Value::from(self.fingerprint.as_str())),
            ],
        })
    }
}

impl Alerts {
    pub fn to_value(&self) -> Value {
        let alerts = List::new("template.Alerts", self.0.iter().map(DataAlert::to_value));
        let select = |status: &str| {
            let chosen = self.0.iter().zip(alerts.items.iter());
            let chosen = chosen.filter(|(alert, _)| alert.status == status);
            let list = List::new("[]template.Alert", chosen.map(|(_, value)| value.clone()));
            Value::List(list)
        };
        let (firing, resolved) = (select("firing"), select("resolved"));
        Value::object(AlertsValue { alerts, firing, resolved })
    }
}

impl Kv {
    pub fn to_value(&self) -> Value {
        let pairs = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Value::object(KvValue(Arc::new(self.clone()), Map::of_strings("template.KV", pairs)))
    }
}

/// Pairs of a name and a value, in order.
pub(super) fn pairs_value(pairs: &[(&str, &str)]) -> Value {
    let to_value = |(name, value): &(&str, &str)| {
        let fields = vec![("Name", Value::from(*name)), ("Value", Value::from(*value))];
        Value::object(Struct { type_name: "template.Pair", fields })
    };
    let list = List::new("template.Pairs", pairs.iter().map(to_value));
    let own = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Value::object(PairsValue { list, pairs: own.collect() })
}

/// Go's zero time where there is none.
fn time_value(time: Option<Time>) -> Value {
    Value::Time(time.map_or_else(gotemplate::Time::zero, |time| gotemplate::Time(time.to_zoned())))
}

struct AlertsValue {
    alerts: List,
    firing: Value,
    resolved: Value,
}

impl Object for AlertsValue {
    fn type_name(&self) -> &'static str {
        "template.Alerts"
    }

    fn member(&self, name: &str) -> Option<Member> {
        match name {
            "Firing" => Some(method(self.firing.clone())),
            "Resolved" => Some(method(self.resolved.clone())),
            _ => None,
        }
    }

    fn shape(&self) -> Shape {
        Shape::List(self.alerts.clone())
    }
}

struct KvValue(Arc<Kv>, Map);

impl Object for KvValue {
    fn type_name(&self) -> &'static str {
        "template.KV"
    }

    fn member(&self, name: &str) -> Option<Member> {
        match name {
            "Names" => Some(method(strings_value(&self.0.names()))),
            "Values" => Some(method(strings_value(&self.0.values()))),
            "SortedPairs" => Some(method(pairs_value(&self.0.sorted_pairs()))),
            "Remove" => {
                let kv = self.0.clone();
                let remove = Func::new(&[Type::Named("[]string")], move |args| {
                    let names: Vec<&str> = match args {
                        [Value::List(names)] => {
                            names.items.iter().filter_map(Value::as_str).collect()
                        }
                        [Value::Object(names)] => match names.shape() {
                            Shape::List(names) => {
                                let own: Vec<String> = names
                                    .items
                                    .iter()
                                    .filter_map(|name| name.as_str().map(str::to_owned))
                                    .collect();
                                let names: Vec<&str> = own.iter().map(String::as_str).collect();
                                return Ok(kv.remove(&names).to_value());
                            }
                            _ => Vec::new(),
                        },
                        _ => Vec::new(),
                    };
                    Ok(kv.remove(&names).to_value())
                });
                Some(Member::Method(remove))
            }
            _ => None,
        }
    }

    fn shape(&self) -> Shape {
        Shape::Map(self.1.clone())
    }

    fn text(&self) -> Option<String> {
        Some(pairs_text(self.0.sorted_pairs()))
    }
}

struct PairsValue {
    list: List,
    pairs: Vec<(String, String)>,
}

impl Object for PairsValue {
    fn type_name(&self) -> &'static str {
        "template.Pairs"
    }

    fn member(&self, name: &str) -> Option<Member> {
        let texts: Vec<&str> = match name {
            "Names" => self.pairs.iter().map(|(name, _)| name.as_str()).collect(),
            "Values" => self.pairs.iter().map(|(_, value)| value.as_str()).collect(),
            _ => return None,
        };
        Some(method(strings_value(&texts)))
    }

    fn shape(&self) -> Shape {
        Shape::List(self.list.clone())
    }

    fn text(&self) -> Option<String> {
        Some(pairs_text(self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
    }
}

/// A list of texts that can join itself.
struct StringsValue(List);

fn strings_value(texts: &[&str]) -> Value {
    let list = List::new("[]string", texts.iter().map(|text| Value::from(*text)));
    Value::object(StringsValue(list))
}

impl Object for StringsValue {
    fn type_name(&self) -> &'static str {
        "template.Strings"
    }

    fn member(&self, name: &str) -> Option<Member> {
        if name != "Join" {
            return None;
        }
        let items = self.0.items.clone();
        Some(Member::Method(Func::new(&[Type::String], move |args| {
            let separator = args.first().and_then(Value::as_str).unwrap_or_default();
            let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            Ok(Value::from(texts.join(separator)))
        })))
    }

    fn shape(&self) -> Shape {
        Shape::List(self.0.clone())
    }
}

/// A method without arguments whose answer is known.
fn method(answer: Value) -> Member {
    Member::Method(Func::new(&[], move |_| Ok(answer.clone())))
}

/// `a=1, b=2`
pub(super) fn pairs_text<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let parts: Vec<String> =
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    parts.join(", ")
}
