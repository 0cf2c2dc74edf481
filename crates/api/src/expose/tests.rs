use axum::http::{HeaderMap, HeaderValue, header::ACCEPT};
use telemetry::Registry;

use super::{Format, Syntax, respond};

fn accept(text: &str) -> HeaderMap {
    HeaderMap::from_iter([(ACCEPT, HeaderValue::from_str(text).expect("it is printable"))])
}

fn check(registry: &Registry, accepted: &str, expected: &str) {
    use http_body_util::BodyExt as _;
    let response = respond(registry, &accept(accepted));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("no I/O needed");
    let body = runtime.block_on(response.into_body().collect()).expect("it is text").to_bytes();
    assert_eq!(String::from_utf8_lossy(&body), expected.trim_start());
}

fn registry() -> Registry {
    let registry = Registry::default();
    registry.counters("a_total", "Says \"a\"\\\n.", ["p"]).with(["x\"\\\n"]).add(1_234_567.0);
    registry.gauge("b", "").set(3.0);
    registry.histogram("h", "H.", &[0.5, 1.0]).observe(0.7);
    registry
}

#[test]
fn classic_text() {
    check(
        &registry(),
        "*/*",
        r#"
# HELP a_total Says "a"\\\n.
# TYPE a_total counter
a_total{p="x\"\\\n"} 1.234567e+06
# TYPE b gauge
b 3
# HELP h H.
# TYPE h histogram
h_bucket{le="0.5"} 0
h_bucket{le="1"} 1
h_bucket{le="+Inf"} 1
h_sum 0.7
h_count 1
"#,
    );
}

#[test]
fn open_metrics() {
    check(
        &registry(),
        "application/openmetrics-text;version=1.0.0",
        r#"
# HELP a Says \"a\"\\\n.
# TYPE a counter
a_total{p="x\"\\\n"} 1.234567e+06
# TYPE b gauge
b 3.0
# HELP h H.
# TYPE h histogram
h_bucket{le="0.5"} 0
h_bucket{le="1.0"} 1
h_bucket{le="+Inf"} 1
h_sum 0.7
h_count 1
# EOF
"#,
    );
}

#[test]
fn content_negotiation() {
    let Some(table) = conformance::cases("prometheus/common/content_negotiation.json") else {
        return;
    };
    let mut score = conformance::Score::new("common/content_negotiation");
    let mut known = Vec::new();
    for (idx, case) in table.cases.iter().enumerate() {
        let accepted = case["accept"].as_str().expect("a text");
        // The library can be told another default; the servers leave it alone.
        let accepted = match case["default_escaping"].as_str() {
            Some(escaping) if !accepted.contains("escaping=") => {
                format!("{accepted};escaping={escaping}")
            }
            _ => accepted.to_owned(),
        };
        let offered = match case["openmetrics_offered"].as_bool() {
            Some(true) => Syntax::ALL,
            _ => Syntax::WITHOUT_OPEN_METRICS,
        };
        let got = Format::negotiate(&accept(&accepted), offered).content_type();
        let name = format!("{idx} {accepted}");
        if accepted.contains("encoding=text") || accepted.contains("encoding=compact-text") {
            known.push(name.clone());
        }
        let is_same = case["content_type"].as_str().map(str::as_bytes) == Some(got.as_bytes());
        score.add(name, if is_same { Ok(()) } else { Err(format!("{got:?}")) });
    }
    let reason = "protobuf's text forms are for people, who get the text format";
    let known: Vec<(&str, &str)> = known.iter().map(|name| (name.as_str(), reason)).collect();
    score.finish(&known);
}

#[test]
fn protobuf() {
    use http_body_util::BodyExt as _;
    use prost::Message as _;
    use proto::metrics::{MetricFamily, MetricType};
    let accepted = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
    let response = respond(&registry(), &accept(accepted));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("no I/O needed");
    let body = runtime.block_on(response.into_body().collect()).expect("it is whole").to_bytes();
    let (mut bytes, mut families) = (body.as_ref(), Vec::new());
    while !bytes.is_empty() {
        families.push(MetricFamily::decode_length_delimited(&mut bytes).expect("it decodes"));
    }
    let kinds: Vec<MetricType> = families.iter().map(MetricFamily::r#type).collect();
    assert_eq!(kinds, [MetricType::Counter, MetricType::Gauge, MetricType::Histogram]);
    let counter = families[0].metric[0].counter.as_ref().expect("it is a counter");
    assert_eq!(counter.value, 1_234_567.0);
    let histogram = families[2].metric[0].histogram.as_ref().expect("it is a histogram");
    let buckets: Vec<(f64, u64)> =
        histogram.bucket.iter().map(|it| (it.upper_bound, it.cumulative_count)).collect();
    assert_eq!((buckets, histogram.sample_count), (vec![(0.5, 0), (1.0, 1)], 1));
}
