use std::{collections::BTreeMap, sync::Arc, time::Duration};

use gotemplate::{Func, List, Map, Value as Data_};
use runtime::clock::SimulatedClock;
use serde_json::Value;

use super::{
    Alerts, Data, DataAlert, Kv, Template, render_route_labels,
    value::{pairs_text, pairs_value},
};
use crate::{
    integration::{Notification, Reason, Store},
    testing::{base, expect, labels, run_table, text, text_map, texts},
    time::Time,
};

fn template(external_url: &str) -> Template {
    Template::new(external_url, Arc::new(SimulatedClock::starting_at(Duration::from_secs(10_000))))
}

fn time(value: &Value) -> Option<Time> {
    value.as_str().and_then(Time::parse).filter(|time| !time.is_zero())
}

fn kv(value: &Value) -> Kv {
    Kv(text_map(value))
}

/// Notification data with the names that `name` makes of the fields' Go names.
fn data(node: &Value, name: impl Fn(&str) -> String) -> Data {
    let status = |node: &Value| if node == "firing" { "firing" } else { "resolved" };
    let field = |node: &Value, key: &str| node[name(key)].clone();
    let alert = |node: &Value| DataAlert {
        status: status(&field(node, "Status")),
        labels: kv(&field(node, "Labels")),
        annotations: kv(&field(node, "Annotations")),
        starts_at: time(&field(node, "StartsAt")),
        ends_at: time(&field(node, "EndsAt")),
        generator_url: text(&field(node, "GeneratorURL")).to_owned(),
        fingerprint: text(&field(node, "Fingerprint")).to_owned(),
    };
    let alerts = field(node, "Alerts");
    Data {
        receiver: text(&field(node, "Receiver")).to_owned(),
        status: status(&field(node, "Status")),
        alerts: Alerts(alerts.as_array().into_iter().flatten().map(alert).collect()),
        notification_reason: text(&field(node, "NotificationReason")).to_owned(),
        group_labels: kv(&field(node, "GroupLabels")),
        common_labels: kv(&field(node, "CommonLabels")),
        common_annotations: kv(&field(node, "CommonAnnotations")),
        route_labels: kv(&field(node, "RouteLabels")),
        has_label_templates: false,
        external_url: text(&field(node, "ExternalURL")).to_owned(),
    }
}

fn lower_first(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_lowercase() + rest
}

#[test]
fn shipped_templates_print_as_upstreams() {
    let mail: Vec<String> = (0..384).map(|idx| format!("{idx} ")).collect();
    let known: Vec<(&str, &str)> =
        match conformance::cases("alertmanager/templates/shipped_output.json") {
            None => Vec::new(),
            Some(cases) => (0..)
                .zip(&cases.cases)
                .filter(|(_, case)| case["engine"] == "html")
                .map(|(idx, _): (usize, _)| {
                    (mail[idx].as_str(), "the mail has a layout of our own")
                })
                .collect(),
        };
    run_table("templates/shipped_output", &known, |cases, case| {
        let node = &cases.whole["data_sets"][text(&case["data_set"])];
        let data = data(node, lower_first);
        let template = template("http://am.example.com:9093");
        let printed = match text(&case["engine"]) {
            "html" => template.html(text(&case["template"]), &data),
            _ => template.text(text(&case["template"]), &data),
        };
        expect(printed.map_err(|error| error.to_string())?, text(&case["output"]))
    });
}

/// A document with values of all kinds in all of its places.
#[test]
fn mails_hold_what_they_are_given_as_text() {
    let Some(cases) = conformance::cases("alertmanager/templates/shipped_output.json") else {
        return;
    };
    let data = data(&cases.whole["data_sets"]["special_characters"], lower_first);
    let template = template("http://am.example.com:9093");
    let mail = template.html(r#"{{ template "email.default.html" . }}"#, &data);
    let mail = mail.expect("the shipped templates run");
    for part in [
        "Weiß &lt;b&gt;&#34;q&#34;&lt;/b&gt; &amp; &#39;x&#39;",
        r#"<a href="http://am.example.com:9093/#/alerts?receiver=web%5C.hook&#43;team">"#,
        "<dd>summary = 5 &gt; 3 &amp;&amp; 2 &lt; 4</dd>",
        r#"<a href="http://prom.example.com/graph?a=%22&amp;b=%271%27">Source</a>"#,
    ] {
        assert!(mail.contains(part), "{part} in {mail}");
    }
    assert!(!mail.contains("<b>"));
}

#[test]
fn data_are_upstreams() {
    run_table("templates/data", &[], |_, case| {
        let alerts = case["alerts"].as_array().expect("a list").iter();
        let notification = Notification {
            group_key: String::new(),
            group_labels: labels(&case["group_labels"]),
            receiver: text(&case["receiver"]).to_owned(),
            alerts: alerts.map(|node| Arc::new(crate::testing::alert(node))).collect(),
            now: base(),
            repeat_interval: Duration::ZERO,
            reason: Reason::FirstNotification,
            route_labels: text_map(&case["route_labels"]),
            store: Store::default(),
        };
        let found = Data::new(&notification, text(&case["external_url"]));
        expect(found, data(&case["data"], str::to_owned))
    });
}

#[test]
fn helpers_answer_as_upstreams() {
    run_table("templates/values", &[], |_, case| {
        let pairs: Vec<(String, String)> = case["pairs"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|pair| (text(&pair[0]).to_owned(), text(&pair[1]).to_owned()))
            .collect();
        let pairs: Vec<(&str, &str)> =
            pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let map = kv(&case["map"]);
        let run = |text: &str, value: &gotemplate::Value| {
            template("").templates.execute_text("", text, value).map_err(|e| e.to_string())
        };
        let to_json = |text: &str, value: &gotemplate::Value| {
            let printed = run(&format!("{{{{ {text} | toJson }}}}"), value)?;
            serde_json::from_str::<Value>(&printed).map_err(|e| e.to_string())
        };
        let value = if case["pairs"].is_array() { pairs_value(&pairs) } else { map.to_value() };
        if case["string"].is_string() {
            expect(pairs_text(pairs.iter().copied()), text(&case["string"]))?;
            return expect(run("{{ . }}", &value)?, text(&case["string"]));
        }
        if case["remove"].is_array() {
            let removed = texts(&case["remove"]);
            let removed: Vec<&str> = removed.iter().map(String::as_str).collect();
            return expect(map.remove(&removed).names(), texts(&case["names"]));
        }
        for (method, key) in [("Names", "names"), ("Values", "values")] {
            if case[key].is_array() {
                expect(to_json(&format!(".{method}"), &value)?, case[key].clone())?;
            }
        }
        if let Some(wanted) = case["sorted_pairs"].as_array() {
            let wanted: Vec<Value> = wanted
                .iter()
                .map(|pair| serde_json::json!({"Name": pair[0], "Value": pair[1]}))
                .collect();
            expect(to_json(".SortedPairs", &value)?, Value::Array(wanted))?;
        }
        let alerts = texts(&case["statuses"]).into_iter().enumerate().map(|(idx, status)| {
            let status = if status == "firing" { "firing" } else { "resolved" };
            DataAlert { status, fingerprint: idx.to_string(), ..DataAlert::default() }
        });
        let alerts = Alerts(alerts.collect());
        for (chosen, key) in [(alerts.firing(), "firing"), (alerts.resolved(), "resolved")] {
            if let Some(wanted) = case[key].as_array() {
                let indexes = chosen.0.into_iter().map(|alert| alert.fingerprint);
                let wanted = wanted.iter().map(Value::to_string);
                expect(indexes.collect::<Vec<_>>(), wanted.collect::<Vec<_>>())?;
            }
        }
        Ok(())
    });
}

#[test]
fn functions_print_as_upstreams() {
    let nil_maps = "upstream's test leaves maps nil, which its server never does";
    let known = [
        ("24 Template using toJson with Alerts", nil_maps),
        ("25 Template using toJson with Alerts.Firing()", nil_maps),
        ("37 Compose json array using list and append", nil_maps),
        ("63 Template using toJson with Alerts.Firing()", nil_maps),
    ];
    run_table("templates/expansion", &known, |_, case| {
        let template = template("");
        let source = text(&case["template"]);
        let outcome = if case["data"]["type"] == "Data" {
            let mut data = data(&case["data"]["value"], str::to_owned);
            data.has_label_templates = case["route_labels_already_rendered"] != true;
            match text(&case["engine"]) {
                "html" => template.html(source, &data),
                _ => template.text(source, &data),
            }
        } else {
            let mut templates = template.templates.clone();
            templates.is_html = case["engine"] == "html";
            templates.execute_text("", source, &value(&case["data"]))
        };
        let outcome = outcome.map_err(|error| error.to_string());
        if case["rejected"] == true {
            return expect(outcome.is_err(), true);
        }
        if let Some(error) = case["error"].as_str() {
            return expect(outcome, Err(error.to_owned()));
        }
        if case["output"].is_null() {
            // What `now` prints is the clock of this test.
            return expect(outcome?.starts_with("1970-01-01T02:46:40"), true);
        }
        expect(outcome, Ok(text(&case["output"]).to_owned()))
    });
}

/// A value of the type that the table names.
fn value(node: &Value) -> Data_ {
    let (kind, node) = (text(&node["type"]), &node["value"]);
    let items = || node.as_array().into_iter().flatten();
    match kind {
        "list of string" => Data_::strings(texts(node)),
        "list of float" => {
            let items = items().map(|it| Data_::Float(it.as_f64().expect("a float")));
            Data_::List(List::new("[]float64", items))
        }
        "list of int" => {
            let items = items().map(|it| Data_::Int(it.as_i64().expect("an int")));
            Data_::List(List::new("[]int", items))
        }
        "list of uint" => {
            let items = items().map(|it| Data_::Uint(it.as_u64().expect("an uint")));
            Data_::List(List::new("[]uint", items))
        }
        "map of string" => Data_::Map(Map::of_strings("map[string]string", text_map(node))),
        "map" => {
            let entries = node.as_object().expect("a map").iter();
            Data_::Map(Map::of_any(entries.map(|(key, it)| match it.as_i64() {
                Some(number) => (key.as_str(), Data_::Int(number)),
                None => (key.as_str(), Data_::from(text(it))),
            })))
        }
        "time" => Data_::Time(gotemplate::Time(time(node).expect("a time").to_zoned())),
        "time relative to now, seconds" => {
            let millis = (10_000 + node.as_i64().expect("seconds")) * 1000;
            Data_::Time(gotemplate::Time::from_millis(millis))
        }
        _ => Data_::Nil,
    }
}

#[test]
fn functions_can_be_added_as_upstream() {
    run_table("templates/added_functions", &[], |_, case| {
        let mut templates = template("").templates;
        let mut added = BTreeMap::new();
        for functions in case["added_functions"].as_array().expect("a list") {
            for (name, result) in functions.as_object().expect("a map") {
                added.insert(name.clone(), text(result).to_owned());
            }
        }
        for (name, result) in added {
            let name: &'static str = Box::leak(name.into_boxed_str());
            let function = Func::new(&[], move |_| Ok(Data_::from(result.as_str())));
            templates.add_functions(BTreeMap::from([(name, function)]));
        }
        let printed = templates.execute_text("", text(&case["template"]), &Data_::Nil);
        expect(printed.map_err(|error| error.to_string())?, text(&case["output"]))
    });
}

#[test]
fn labels_of_a_route_are_rendered_once() {
    use std::sync::atomic::{AtomicU64, Ordering};
    run_table("templates/route_label_rendering", &[], |_, case| {
        let calls = Arc::new(AtomicU64::new(0));
        let counter = calls.clone();
        let mut template = template("");
        template.templates.set_function(
            "countLeaf",
            Func::new(&[], move |_| {
                counter.fetch_add(1, Ordering::Relaxed);
                Ok(Data_::from("leaf"))
            }),
        );
        let rendered =
            render_route_labels(&template, &text_map(&case["route_labels"]), &Data::default());
        expect(rendered, text_map(&case["rendered"]))?;
        expect(Some(calls.load(Ordering::Relaxed)), case["function_calls"].as_u64())
    });
}
