use super::{
    messages::{Raw, label, sample, version1, version2},
    world::{World, compress},
};
use crate::Message::{Version1, Version2};

/// Writes `request` in both versions; both must store `stored`.
fn check(request: &str, stored: &str) {
    for (message, request) in [(Version1, version1(request)), (Version2, version2(request))] {
        let world = World::new();
        assert_eq!(world.write(message, &request).status, 204, "{message}");
        assert_eq!(world.dump(), stored, "{message}");
    }
}

#[test]
fn samples_are_stored_in_the_order_of_the_request() {
    check(
        "__name__=up job=a @10 1 @20 2\nz=1 __name__=up a=2 @15 3",
        "{__name__=\"up\", job=\"a\"} 1 @10\n{__name__=\"up\", job=\"a\"} 2 @20\n\
         {__name__=\"up\", a=\"2\", z=\"1\"} 3 @15",
    );
}

#[test]
fn labels_without_value_are_left_out() {
    check("__name__=up a= @10 1", "{__name__=\"up\"} 1 @10");
}

#[test]
fn known_series_are_appended_by_handle() {
    let world = World::new();
    for (time, message) in [(10, Version1), (20, Version1), (30, Version2), (40, Version2)] {
        let request = format!("__name__=up a=1 @{time} 1");
        let request = match message {
            Version1 => version1(&request),
            Version2 => version2(&request),
        };
        assert_eq!(world.write(message, &request).status, 204);
    }
    assert_eq!(world.store.0.lock().stored.len(), 4);
    // Once for each way of writing it.
    assert_eq!(world.store.0.lock().n_by_labels, 2);
}

#[test]
fn forgotten_series_are_found_again_by_labels() {
    let world = World::new();
    for time in [10, 20, 30] {
        let request = version1(&format!("__name__=up a=1 @{time} 1"));
        assert_eq!(world.write(Version1, &request).status, 204);
        if time == 10 {
            world.store.forget_handles();
        }
    }
    assert_eq!(world.dump().lines().count(), 3);
    assert_eq!(world.store.0.lock().n_by_labels, 2);
}

#[test]
fn requests_longer_than_a_chunk_are_written_whole() {
    let lines: Vec<String> = (0..3000).map(|i| format!("__name__=up i={i} @10 {i}")).collect();
    let request = lines.join("\n");
    for (message, request) in [(Version1, version1(&request)), (Version2, version2(&request))] {
        let world = World::new();
        assert_eq!(world.write(message, &request).status, 204);
        assert_eq!(world.dump().lines().count(), 3000);
        assert_eq!(world.dump().lines().nth(2999), Some("{__name__=\"up\", i=\"2999\"} 2999 @10"));
    }
}

#[test]
fn labels_may_stand_behind_samples() {
    let world = World::new();
    let series = Raw::default()
        .message(1, label("__name__", "up"))
        .message(2, sample(10, 1.0))
        .message(1, label("a", "1"));
    let request = Raw::default().message(1, series).0;
    assert_eq!(world.write(Version1, &request).status, 204);
    assert_eq!(world.dump(), "{__name__=\"up\", a=\"1\"} 1 @10");
}

#[test]
fn version1_skips_series_with_bad_labels() {
    let world = World::new();
    let bad = [
        Raw::default().message(1, label("a", "1")),
        Raw::default().message(1, label("__name__", b"\xff")),
        Raw::default().message(1, label("__name__", "up")).message(1, label("", "1")),
        Raw::default().message(1, label("__name__", "up")).message(1, label("__name__", "up")),
    ];
    let good = Raw::default().message(1, label("__name__", "good"));
    let request = bad.into_iter().chain([good]).fold(Raw::default(), |request, series| {
        request.message(1, series.message(2, sample(10, 1.0)))
    });
    assert_eq!(world.write(Version1, &request.0).status, 204);
    assert_eq!(world.dump(), "{__name__=\"good\"} 1 @10");
}

#[test]
fn version1_writes_nothing_if_a_sample_is_refused() {
    let world = World::new();
    let request = version1("__name__=a @10 1\n__name__=b @20 1 @10 1");
    let outcome = world.write(Version1, &request);
    assert_eq!((outcome.status, outcome.text.as_str()), (400, "out of order sample"));
    assert_eq!(outcome.written, None);
    assert_eq!(world.dump(), "");
}

#[test]
fn samples_far_in_the_future_are_out_of_bounds() {
    let request = format!("__name__=up @{} 1", i64::MAX);
    let outcome = World::new().write(Version1, &version1(&request));
    let text = "out of bounds: timestamp is too far in the future";
    assert_eq!((outcome.status, outcome.text.as_str()), (400, text));
    let outcome = World::new().write(Version2, &version2(&request));
    let text = format!("{text} for series {{__name__=\"up\"}}");
    assert_eq!((outcome.status, outcome.text), (400, text));
}

#[test]
fn complaints_come_in_order_and_end() {
    let world = World::new();
    let lines: Vec<String> = (0..2500).map(|i| format!("i={i} @10 1")).collect();
    let text = world.write(Version2, &version2(&lines.join("\n"))).text;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1001);
    assert_eq!(lines[999], "invalid metric name or labels, got {i=\"999\"}");
    assert_eq!(lines[1000], "1500 more errors omitted");
}

#[test]
fn bodies_that_claim_more_than_they_hold_are_refused() {
    let world = World::new();
    let claim = |len: u32| {
        let mut block = Vec::new();
        let mut len = len;
        while len >= 0x80 {
            block.push(len as u8 | 0x80);
            len >>= 7;
        }
        block.push(len as u8);
        block.extend([0, b'x']);
        block
    };
    for (body, text) in [
        (claim(u32::MAX), "snappy: decoded block is too large"),
        (claim(32 << 20), "snappy: corrupt input"),
        (claim(2), "snappy: corrupt input"),
        (Vec::new(), "snappy: corrupt input"),
        (compress(b"\x0a\x05"), "unexpected EOF"),
        (compress(b"\x00"), "proto: illegal tag 0"),
        (compress(b"\x08\x05"), "proto: wrong wireType = 0 for field 1"),
    ] {
        let outcome = world.receiver.write(Version1, &body);
        assert_eq!((outcome.status, outcome.text.as_str()), (400, text));
    }
}

#[test]
fn what_a_series_means_is_stored_with_it() {
    let world = World::new();
    let metadata = Raw::default().varint(1, 1).varint(3, 3).varint(4, 4);
    let series = Raw::default().bytes(1, [1, 2]).message(2, sample(10, 1.0)).message(5, metadata);
    let symbols = ["", "__name__", "up", "Whether it is up.", "things"];
    let request = symbols.iter().fold(Raw::default(), |raw, symbol| raw.bytes(4, symbol));
    assert_eq!(world.write(Version2, &request.message(5, series).0).status, 204);
    let want = model::Metadata {
        kind: model::MetricType::Counter,
        unit: "things".to_owned(),
        help: "Whether it is up.".to_owned(),
    };
    assert_eq!(world.store.0.lock().metadata, [want]);
}
