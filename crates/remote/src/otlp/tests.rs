//! What becomes of OTLP requests, seen from outside; upstream's tables in [`tables`].

mod tables;
mod world;

use self::world::{World, gauge, metric, request, resource, sum};
use super::{Deltas, Promoted, Settings, Strategy};

/// Asserts what is stored of a request in JSON: a line a sample.
#[track_caller]
fn check(world: &World, request: &str, want: &str) {
    let outcome = world.json(request);
    assert_eq!((outcome.status, &*outcome.text), (200, ""), "{request}");
    assert_eq!(world.dump(), unindented(want));
}

#[track_caller]
fn check_refused(world: &World, request: &str, status: u16, want: &str) {
    let outcome = world.json(request);
    assert_eq!((outcome.status, &*outcome.text), (status, want), "{request}");
    assert_eq!(world.dump(), "");
}

fn unindented(text: &str) -> String {
    text.trim().lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_gauge_becomes_a_series_of_its_resource() {
    let world = World::new();
    let request = resource(&[("service.name", "shop"), ("host", "a")], &gauge("queue.size", "1"));
    check(
        &world,
        &request,
        r#"
        {__name__="queue_size_ratio", job="shop"} 3 @1000
        {__name__="target_info", host="a", job="shop"} 1 @1000
        "#,
    );
}

#[test]
fn names_follow_the_strategy() {
    let name = |strategy, name, unit, kind: &dyn Fn(&str, &str) -> String| {
        let world = World::with(Settings { strategy, ..Settings::default() });
        let outcome = world.json(&request(&kind(name, unit)));
        let dump = world.dump();
        let name = dump.split('"').nth(1).unwrap_or(&outcome.text);
        name.to_owned()
    };
    let counter = |name: &str, unit: &str| sum(name, unit, 2, true, 1000, "1");
    let full = Strategy::UnderscoreEscapingWithSuffixes;
    assert_eq!(name(full, "a.b", "s", &gauge), "a_b_seconds");
    assert_eq!(name(full, "a.b", "ms", &counter), "a_b_milliseconds_total");
    assert_eq!(name(full, "a__b..total", "By/s", &counter), "a_b_bytes_per_second_total");
    assert_eq!(name(full, "a_seconds", "s", &gauge), "a_seconds");
    assert_eq!(name(full, "9a", "{things}", &gauge), "_9a");
    assert_eq!(name(full, "a", "%", &gauge), "a_percent");
    assert_eq!(name(full, "a", "m/{x}", &gauge), "a_meters");
    assert_eq!(name(full, "a:ß", "1", &gauge), "a:_ratio");
    assert_eq!(
        name(full, "…", "", &gauge),
        r#"normalization for metric "…" resulted in empty name"#
    );
    let plain = Strategy::UnderscoreEscapingWithoutSuffixes;
    assert_eq!(name(plain, "a..b__c.total", "s", &counter), "a_b__c_total");
    assert_eq!(name(plain, "1a", "", &gauge), "_1a");
    let utf8 = Strategy::NoUtf8EscapingWithSuffixes;
    assert_eq!(name(utf8, "a.total", "s", &counter), "a_seconds_total");
    assert_eq!(name(utf8, "ä", "By/s", &gauge), "ä_bytes_per_second");
    assert_eq!(name(Strategy::NoTranslation, "a.ß", "s", &counter), "a.ß");
}

#[test]
fn what_is_promoted_does_not_hide_what_a_point_says() {
    let settings =
        Settings { promoted: Promoted::AllBut(vec!["secret".to_owned()]), ..Settings::default() };
    let world = World::with(settings);
    let attributes = [("service.name", "x"), ("service.namespace", "n"), ("zone", "r")];
    let attributes = [&attributes[..], &[("secret", "s"), ("job", "wrong")]].concat();
    let point = r#"{"timeUnixNano":"1000000000","asInt":"3","attributes":[
        {"key":"zone","value":{"stringValue":"p"}}]}"#;
    let metric = metric("up", "", &format!(r#""gauge":{{"dataPoints":[{point}]}}"#));
    check(
        &world,
        &resource(&attributes, &metric),
        r#"
        {__name__="up", job="n/x", service_name="x", service_namespace="n", zone="p"} 3 @1000
        {__name__="target_info", job="n/x", secret="s", zone="r"} 1 @1000
        "#,
    );
}

#[test]
fn values_of_all_types_become_texts() {
    let world = World::new();
    let values = [
        r#"{"boolValue":true}"#,
        r#"{"intValue":"-7"}"#,
        r#"{"doubleValue":1e21}"#,
        r#"{"doubleValue":0.5}"#,
        r#"{"bytesValue":"AQI="}"#,
        r#"{"arrayValue":{"values":[{"intValue":1},{"stringValue":"<"},{}]}}"#,
        r#"{"kvlistValue":{"values":[{"key":"b","value":{"intValue":2}},{"key":"a"}]}}"#,
        r#"{}"#,
    ];
    let attributes = values.iter().enumerate();
    let attributes = attributes.map(|(n, value)| format!(r#"{{"key":"a{n}","value":{value}}}"#));
    let attributes = attributes.collect::<Vec<_>>().join(",");
    let point = format!(r#"{{"timeUnixNano":1000000000,"attributes":[{attributes}]}}"#);
    let request = request(&metric("m", "", &format!(r#""gauge":{{"dataPoints":[{point}]}}"#)));
    check(
        &world,
        &request,
        r#"{__name__="m", a0="true", a1="-7", a2="1e+21", a3="0.5", a4="AQI=", a5="[1,\"\\u003c\",null]", a6="{\"a\":null,\"b\":2}"} 0 @1000"#,
    );
}

#[test]
fn a_missing_value_ends_the_series() {
    let world = World::new();
    let points = r#"{"timeUnixNano":"1000000000","asDouble":1,"flags":1}"#;
    check(
        &world,
        &request(&metric("m", "", &format!(r#""gauge":{{"dataPoints":[{points}]}}"#))),
        r#"{__name__="m"} stale @1000"#,
    );
}

#[test]
fn a_summary_becomes_its_quantiles() {
    let world = World::new();
    let point = r#"{"timeUnixNano":"1000000000","count":"4","sum":8.5,"quantileValues":[
        {"quantile":0.5,"value":2},{"quantile":1,"value":"NaN"}]}"#;
    check(
        &world,
        &request(&metric("m", "", &format!(r#""summary":{{"dataPoints":[{point}]}}"#))),
        r#"
        {__name__="m_sum"} 8.5 @1000
        {__name__="m_count"} 4 @1000
        {__name__="m", quantile="0.5"} 2 @1000
        {__name__="m", quantile="1"} NaN @1000
        "#,
    );
}

#[test]
fn exemplars_go_to_the_first_bucket_that_holds_them() {
    let world = World::new();
    let point = r#"{"timeUnixNano":"1000000000","count":"3","explicitBounds":[1,2],
        "bucketCounts":[1,1,1],"exemplars":[
        {"timeUnixNano":"900000000","asDouble":1.5,"traceId":"0a0b","spanId":"00"},
        {"timeUnixNano":"900000000","asInt":"9","filteredAttributes":[
          {"key":"k","value":{"stringValue":"v"}}]}]}"#;
    let data = format!(r#""histogram":{{"aggregationTemporality":2,"dataPoints":[{point}]}}"#);
    check(
        &world,
        &request(&metric("m", "", &data)),
        r#"
        {__name__="m_count"} 3 @1000
        {__name__="m_bucket", le="1"} 1 @1000
        {__name__="m_bucket", le="2"} 2 @1000
        {__name__="m_bucket", le="+Inf"} 3 @1000
        "#,
    );
    assert_eq!(world.exemplars(), [r#"{trace_id="0a0b"} 1.5 @900"#, r#"{k="v"} 9 @900"#]);
}

#[test]
fn target_info_is_there_wherever_one_looks_back() {
    let world = World::new();
    let points = [1, 400].map(|seconds: u64| format!(r#"{{"timeUnixNano":"{seconds}000000000"}}"#));
    let gauge = metric("m", "", &format!(r#""gauge":{{"dataPoints":[{}]}}"#, points.join(",")));
    let attributes = [("service.instance.id", "i"), ("k", "v")];
    // The same resource twice: what comes out is in order.
    let scope = format!(r#""scopeMetrics":[{{"metrics":[{gauge}]}}]"#);
    let once = resource(&attributes, &gauge);
    assert!(once.contains(&scope));
    let outcome = world.json(&once);
    assert_eq!(outcome.status, 200);
    let times: Vec<String> = world
        .dump()
        .lines()
        .filter(|l| l.contains("info"))
        .map(|line| line.rsplit('@').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(times, ["1000", "151000", "301000", "400000"]);
}

#[test]
fn a_request_across_all_time_does_not_become_all_samples() {
    let world = World::new();
    let points = r#"{"timeUnixNano":"0"},{"timeUnixNano":"9000000000000000000"}"#;
    let gauge = metric("m", "", &format!(r#""gauge":{{"dataPoints":[{points}]}}"#));
    let outcome = world.json(&resource(&[("service.name", "x"), ("k", "v")], &gauge));
    assert_eq!(outcome.status, 400);
    let one = "out of bounds: timestamp is too far in the future";
    assert!(outcome.text.starts_with(one), "{}", outcome.text);
}

#[test]
fn what_is_unknown_is_refused() {
    let world = World::new();
    check_refused(
        &world,
        &request(&metric("m", "", "\"unknown\":{}")),
        500,
        "could not get aggregation temporality for m as it has unsupported metric type Empty",
    );
    let refused = "invalid temporality and type combination for metric \"m\"";
    check_refused(&world, &request(&sum("m", "", 1, true, 1000, "1")), 500, refused);
    check_refused(&world, &request(&sum("m", "", 0, true, 1000, "1")), 500, refused);
    let both = [sum("m", "", 0, true, 1000, "1"), sum("n", "", 1, true, 1000, "1")];
    let want = format!("{refused}; {}", refused.replace("\"m\"", "\"n\""));
    check_refused(&world, &request(&both.join(",")), 500, &want);
}

#[test]
fn headers_decide_whether_a_request_is_read() {
    let world = World::new();
    let write = |content_type: &str, encoding: &str, body: &[u8]| {
        let outcome = world.receiver.write(content_type, encoding, body);
        (outcome.status, outcome.text)
    };
    let supported = "supported: [application/json, application/x-protobuf]";
    assert_eq!(
        write("text/plain", "", b""),
        (400, format!("unsupported content type: text/plain, {supported}"))
    );
    assert_eq!(
        write("application/json", "snappy", b"{}"),
        (
            400,
            "unsupported compression: snappy. Only \"gzip\" or no compression supported".to_owned()
        )
    );
    assert_eq!(write("application/json", "gzip", b"no gzip").0, 400);
    assert_eq!(write("application/json", "", b"{").0, 400);
    assert_eq!(
        write("application/x-protobuf", "", b"\x0a\x09"),
        (400, "unexpected EOF".to_owned())
    );
    assert_eq!(write("application/x-protobuf", "", b""), (200, String::new()));
    assert_eq!(write("application/json", "", b"{}"), (200, String::new()));
}

#[test]
fn deltas_are_stored_as_they_are_where_that_is_wished() {
    let world = World::with_deltas(Deltas::Store);
    check(&world, &request(&sum("m", "", 1, true, 1000, "5")), r#"{__name__="m_total"} 5 @1000"#);
    assert_eq!(world.kinds(), ["unknown"]);
}

#[test]
fn deltas_are_added_up_where_that_is_wished() {
    let world = World::with_deltas(Deltas::Accumulate);
    for (time, value) in [(1000, "5"), (2000, "2"), (1500, "9"), (3000, "1")] {
        assert_eq!(world.json(&request(&sum("m", "", 1, true, time, value))).status, 200);
    }
    // The third came too late.
    let want = r#"
        {__name__="m_total"} 5 @1000
        {__name__="m_total"} 7 @2000
        {__name__="m_total"} 8 @3000
    "#;
    assert_eq!(world.dump(), unindented(want));
    assert_eq!(world.kinds(), ["counter"; 3]);
}

#[test]
fn exponential_deltas_are_added_at_the_coarser_scale() {
    let world = World::with_deltas(Deltas::Accumulate);
    let histogram = |time: u64, scale: i32, offset: i32, counts: &str, count: u64| {
        let point = format!(
            r#"{{"timeUnixNano":"{time}000000","count":"{count}","sum":1,"scale":{scale},
            "positive":{{"offset":{offset},"bucketCounts":[{counts}]}}}}"#
        );
        let data =
            r#""exponentialHistogram":{"aggregationTemporality":"AGGREGATION_TEMPORALITY_DELTA","#;
        request(&metric("m", "", &format!(r#"{data}"dataPoints":[{point}]}}"#)))
    };
    assert_eq!(world.json(&histogram(1000, 1, 0, "1,2,3", 6)).status, 200);
    assert_eq!(world.json(&histogram(2000, 0, 0, "4,0,5", 9)).status, 200);
    let totals: Vec<(i32, u64, Vec<i64>)> =
        world.histograms().into_iter().map(|h| (h.schema, h.count, h.positive_buckets)).collect();
    assert_eq!(totals, [(1, 6, vec![1, 1, 1]), (0, 15, vec![7, -4, 2])]);
}

/// Requests with bytes changed, cut out and repeated, in both encodings and by both ways with deltas.
#[test]
fn any_bytes_are_answered() {
    let random = runtime::Runtime::simulated(1).random;
    let below = |n: usize| (random.u64() % n as u64) as usize;
    let worlds = [Deltas::Accumulate, Deltas::Store].map(World::with_deltas);
    let rounds = std::env::var("OTLP_ROUNDS").ok().and_then(|text| text.parse().ok());
    for round in 0..rounds.unwrap_or(2000) {
        let (content_type, mut bytes) = match round % 2 {
            0 => ("application/x-protobuf", tables::protobuf_request()),
            _ => ("application/json", request(&sum("m", "By", 1, true, 1000, "5")).into_bytes()),
        };
        for _ in 0..=below(4) {
            let at = below(bytes.len());
            match below(4) {
                0 => bytes[at] = below(256) as u8,
                1 => bytes[at] ^= 1 << below(8),
                2 => drop(bytes.drain(at..(at + 1 + below(8)).min(bytes.len() - 1).max(at))),
                _ => {
                    let part = bytes[at..(at + 1 + below(16)).min(bytes.len())].to_vec();
                    bytes.splice(at..at, part);
                }
            }
        }
        for world in &worlds {
            let status = world.receiver.write(content_type, "", &bytes).status;
            assert!([200, 400, 500].contains(&status), "round {round}");
        }
    }
}
