use std::sync::Arc;

use conformance::{Score, float};
use gotemplate::{List, MissingKey, Value, humanize::float_to_time};
use model::{FloatHistogram, Labels, Timestamp};
use serde_json::Value as Json;

use super::{Context, Expander, graph_link, table_link};
use crate::{Query, Sample, SampleValue};

const EXPANSION: &str = "prometheus/template/expansion.json";
const LINKS: &str = "prometheus/strutil/links.json";
const FLOAT_TO_TIME: &str = "prometheus/template/float_to_time.json";

struct Answers(Vec<Sample>);

impl Query for Answers {
    fn instant(&self, _: &str, _: Timestamp) -> Result<Vec<Sample>, String> {
        Ok(self.0.clone())
    }
}

#[test]
fn functions_answer_as_upstream_does() {
    let Some(table) = conformance::cases(EXPANSION) else { return };
    let name = table.whole["template_name"].as_str().expect("a name");
    let now = table.whole["now_ms"].as_i64().expect("a time");
    let external_url = table.whole["external_url"].as_str().expect("a URL");
    let mut score = Score::new(EXPANSION);
    for case in &table.cases {
        let samples = case["query_result"].as_array().into_iter().flatten().map(sample).collect();
        let mut expander = Expander::new(Context {
            query: Arc::new(Answers(samples)),
            now: Timestamp::from_millis(now),
            external_url: external_url.to_owned(),
        });
        expander.templates.is_html = case["html"] == true;
        if case["options"].get(0).and_then(Json::as_str) == Some("missingkey=error") {
            expander = expander.with_missing_key(MissingKey::Error);
        }
        let text = case["text"].as_str().expect("a template");
        let found = expander.expand(name, text, &input(&case["input"]));
        let outcome = match (case["output"].as_str(), case["error"].as_str(), found) {
            (Some(wanted), _, Ok(found)) if wanted == found => Ok(()),
            (_, Some(wanted), Err(found)) if wanted == found.to_string() => Ok(()),
            (wanted, error, found) => Err(format!("want {:?}, got {found:?}", wanted.or(error))),
        };
        score.add(format!("{text} {}", case["input"]), outcome);
    }
    let tmpl = r#"{{ define "a" }}x{{ end }}{{ $name := "a"}}{{ tmpl $name . }} null"#;
    score.finish(&[(tmpl, "only consoles have `tmpl`: crates/api adds it")]);
}

#[test]
fn links_lead_to_queries() {
    let Some(table) = conformance::cases(LINKS) else { return };
    let mut score = Score::new(LINKS);
    for case in &table.cases {
        let expr = case["expression"].as_str().expect("a query");
        let (graph, table) = (graph_link(expr), table_link(expr));
        let is_right = case["graph_link"] == graph && case["table_link"] == table;
        let outcome = if is_right { Ok(()) } else { Err(format!("{graph} {table}")) };
        score.add(expr, outcome);
    }
    score.finish(&[]);
}

fn sample(json: &Json) -> Sample {
    let labels = json["labels"].as_object().into_iter().flatten();
    let labels = labels.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
    let value = match json.get("histogram") {
        Some(histogram) => SampleValue::Histogram(self::histogram(histogram)),
        None => SampleValue::Float(float(&json["value"])),
    };
    Sample { labels: Labels::from_pairs(labels), value }
}

fn histogram(json: &Json) -> Arc<FloatHistogram> {
    let (count, sum) = (float(&json["count"]), float(&json["sum"]));
    Arc::new(FloatHistogram { count, sum, ..FloatHistogram::default() })
}

fn input(json: &Json) -> Value {
    let Some(type_name) = json["type"].as_str() else { return Value::Nil };
    if type_name == "sample" {
        return super::functions::sample(&sample(json));
    }
    match type_name.strip_prefix("list of ") {
        Some(type_name) => {
            let items = json["values"].as_array().into_iter().flatten();
            Value::List(List::new("[]interface {}", items.map(|item| scalar(type_name, item))))
        }
        None => scalar(type_name, &json["value"]),
    }
}

fn scalar(type_name: &str, json: &Json) -> Value {
    match type_name {
        "float64" => Value::Float(float(json)),
        "int" | "int64" => Value::Int(json.as_i64().expect("an integer")),
        "uint" | "uint64" => Value::Uint(json.as_u64().expect("an unsigned integer")),
        "string" => Value::from(json.as_str().expect("a text")),
        other => panic!("unknown type {other}"),
    }
}

#[test]
fn seconds_become_times() {
    let Some(table) = conformance::cases(FLOAT_TO_TIME) else { return };
    let mut score = Score::new(FLOAT_TO_TIME);
    for case in &table.cases {
        let found = float_to_time(float(&case["value"]));
        let outcome = match (case["unix_ms"].as_i64(), found) {
            (Some(wanted), Ok(found)) if found.0.timestamp().as_millisecond() == wanted => Ok(()),
            (None, Err(_)) => Ok(()),
            (wanted, found) => {
                Err(format!("want {wanted:?}, got {:?}", found.map(|t| t.to_string())))
            }
        };
        score.add(case["name"].as_str().unwrap_or_default(), outcome);
    }
    score.finish(&[]);
}
