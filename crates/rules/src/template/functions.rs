//! The functions that upstream adds to Go's, in one table.

use std::{collections::BTreeMap, sync::Arc};

use gotemplate::{
    Func, Functions, List, Map, Member, Object, Shape, Struct, Type, Value, humanize,
    value::SafeKind,
};
use model::FloatHistogram;

use super::{Context, hosts, labels_value, link, sample_value};
use crate::Sample;

const RESULT: &str = "template.queryResult";
const SAMPLE: &str = "*template.sample";

use Type::{Any, String as Text};

/// All functions, answering in `context`.
pub fn functions(context: Context) -> Functions {
    let Context { query, now, external_url } = context;
    let path_prefix = link::path(&external_url).to_owned();
    let now_seconds = now.as_millis() as f64 / 1000.0;
    BTreeMap::from([
        ("args", Func::variadic(&[Any], |args| Ok(numbered(args)))),
        ("externalURL", Func::new(&[], move |_| Ok(Value::from(external_url.as_str())))),
        ("first", Func::new(&[Type::Named(RESULT)], first)),
        ("graphLink", of_text(link::graph_link)),
        ("humanize", of_number(|value| Ok(Value::from(humanize::humanize(value))))),
        ("humanize1024", of_number(|value| Ok(Value::from(humanize::humanize_1024(value))))),
        ("humanizeDuration", of_number(|value| Ok(Value::from(humanize::duration(value))))),
        ("humanizePercentage", of_number(|value| Ok(Value::from(humanize::percentage(value))))),
        ("humanizeTimestamp", of_number(|value| humanize::timestamp(value).map(Value::from))),
        (
            "label",
            Func::new(&[Text, Type::Named(SAMPLE)], |args| Ok(label(&args[1], text(&args[0])))),
        ),
        ("match", Func::new(&[Text, Text], matches)),
        ("now", Func::new(&[], move |_| Ok(Value::Float(now_seconds)))),
        (
            "parseDuration",
            Func::new(&[Text], |args| parse_duration(text(&args[0])).map(Value::Float)),
        ),
        ("pathPrefix", Func::new(&[], move |_| Ok(Value::from(path_prefix.as_str())))),
        (
            "query",
            Func::new(&[Text], move |args| {
                let samples = query.instant(text(&args[0]), now)?;
                Ok(result(samples.iter().map(sample)))
            }),
        ),
        ("reReplaceAll", Func::new(&[Text, Text, Text], replace_all)),
        (
            "safeHtml",
            Func::new(&[Text], |args| Ok(Value::Safe(SafeKind::Html, text(&args[0]).into()))),
        ),
        ("sortByLabel", Func::new(&[Text, Type::Named(RESULT)], sort_by_label)),
        ("stripDomain", of_text(hosts::strip_domain)),
        ("stripPort", of_text(|host| hosts::strip_port(host).to_owned())),
        ("strvalue", Func::new(&[Type::Named(SAMPLE)], |args| Ok(label(&args[0], "__value__")))),
        ("tableLink", of_text(link::table_link)),
        ("title", of_text(title)),
        ("toDuration", of_number(|seconds| Ok(Value::Duration((seconds * 1e9) as i64)))),
        ("toLower", of_text(str::to_lowercase)),
        ("toTime", of_number(|seconds| humanize::float_to_time(seconds).map(Value::Time))),
        ("toUpper", of_text(str::to_uppercase)),
        ("urlQueryEscape", of_text(link::escape)),
        ("value", Func::new(&[Type::Named(SAMPLE)], |args| Ok(field(&args[0], "Value")))),
    ])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn of_text(change: impl Fn(&str) -> String + Send + Sync + 'static) -> Func {
    Func::new(&[Text], move |args| Ok(Value::from(change(text(&args[0])))))
}

/// A function of something that can be read as a number.
fn of_number(answer: impl Fn(f64) -> Result<Value, String> + Send + Sync + 'static) -> Func {
    Func::new(&[Any], move |args| answer(humanize::number(&args[0])?))
}

fn numbered(args: &[Value]) -> Value {
    let entries = args.iter().enumerate().map(|(idx, arg)| (format!("arg{idx}"), arg.clone()));
    Value::Map(Map::of_any(entries))
}

pub(super) fn sample(sample: &Sample) -> Value {
    Value::object(Struct {
        type_name: SAMPLE,
        fields: vec![
            ("Labels", labels_value(&sample.labels)),
            ("Value", sample_value(&sample.value)),
        ],
    })
}

fn result(samples: impl IntoIterator<Item = Value>) -> Value {
    Value::List(List::new(RESULT, samples))
}

fn samples(result: &Value) -> &[Value] {
    match result {
        Value::List(list) => &list.items,
        _ => &[],
    }
}

fn field(sample: &Value, name: &str) -> Value {
    let Value::Object(sample) = sample else { return Value::Nil };
    match sample.member(name) {
        Some(Member::Field(value)) => value,
        _ => Value::Nil,
    }
}

fn label(sample: &Value, name: &str) -> Value {
    match field(sample, "Labels") {
        Value::Map(labels) => labels.entries.get(name).cloned().unwrap_or_else(|| Value::from("")),
        _ => Value::from(""),
    }
}

fn first(args: &[Value]) -> Result<Value, String> {
    let first = samples(&args[0]).first().cloned();
    first.ok_or_else(|| "first() called on vector with no elements".to_owned())
}

fn sort_by_label(args: &[Value]) -> Result<Value, String> {
    let mut sorted = samples(&args[1]).to_vec();
    let by = text(&args[0]);
    sorted.sort_by_cached_key(|sample| text(&label(sample, by)).to_owned());
    Ok(result(sorted))
}

fn matches(args: &[Value]) -> Result<Value, String> {
    let regex = re2::Regex::new(text(&args[0])).map_err(|error| error.to_string())?;
    Ok(Value::Bool(regex.is_match(text(&args[1]))))
}

fn replace_all(args: &[Value]) -> Result<Value, String> {
    let pattern = text(&args[0]);
    // Upstream compiles with `MustCompile`, whose panic becomes the error.
    let regex = re2::Regex::new(pattern).map_err(|error| {
        format!("regexp: Compile({}): {error}", gotemplate::quote::quote(pattern))
    })?;
    Ok(Value::from(regex.replace_all(text(&args[2]), text(&args[1]))))
}

/// Seconds of a duration such as `-1h30m`.
fn parse_duration(text: &str) -> Result<f64, String> {
    let (sign, magnitude) = match text.strip_prefix('-') {
        Some(magnitude) => (-1.0, magnitude),
        None => (1.0, text),
    };
    let duration = model::duration::parse(magnitude).map_err(|error| error.to_string())?;
    Ok(sign * duration.as_secs_f64())
}

/// First letters of words in upper case; words end at everything but letters, digits and `_`.
fn title(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    let mut in_word = false;
    for c in words.chars() {
        if in_word {
            out.push(c);
        } else {
            out.extend(c.to_uppercase());
        }
        in_word = match c {
            c if c.is_ascii() => c.is_ascii_alphanumeric() || c == '_',
            c => !c.is_whitespace(),
        };
    }
    out
}

/// A native histogram: printed, and otherwise opaque.
pub(super) struct HistogramValue {
    pub(super) text: Arc<str>,
}

impl Object for HistogramValue {
    fn type_name(&self) -> &'static str {
        "*histogram.FloatHistogram"
    }

    fn member(&self, _: &str) -> Option<Member> {
        None
    }

    fn shape(&self) -> Shape {
        Shape::Struct(Vec::new())
    }

    fn text(&self) -> Option<String> {
        Some(self.text.as_ref().to_owned())
    }
}

/// Count and sum, as upstream begins the text of a histogram.
pub(super) fn histogram_text(histogram: &FloatHistogram) -> Arc<str> {
    let mut text = "{count:".to_owned();
    gotemplate::format::write_float(histogram.count, 'g', None, &mut text);
    text.push_str(", sum:");
    gotemplate::format::write_float(histogram.sum, 'g', None, &mut text);
    text.push('}');
    text.into()
}
