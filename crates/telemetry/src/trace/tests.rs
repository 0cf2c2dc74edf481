use std::{sync::atomic::AtomicU64, time::Duration};

use super::{Kind, Parent, Tracer, child};

fn tracer(part: Option<f64>) -> Tracer {
    let (now, random) = (AtomicU64::new(0), AtomicU64::new(0));
    let next = |it: &AtomicU64| it.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    // Spreads over all bits: SplitMix64.
    let mix = |n: u64| {
        let z = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let tracer = Tracer::new(move || Duration::from_secs(next(&now)), move || mix(next(&random)));
    tracer.set_sampling(part);
    tracer
}

#[test]
fn spans_know_what_they_are_part_of() {
    let tracer = tracer(Some(1.0));
    {
        let mut request = tracer.start("request", Kind::Server);
        request.set_number("status", 200);
        request.within(|| {
            let query = tracer.start("query", Kind::Internal);
            query.within(|| drop(child("select", Kind::Internal)));
        });
        drop(child("elsewhere", Kind::Internal));
    }
    let spans = tracer.take(10);
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["select", "query", "request"]);
    assert_eq!(spans[0].parent_id, Some(spans[1].span_id));
    assert_eq!(spans[1].parent_id, Some(spans[2].span_id));
    assert_eq!(spans[2].parent_id, None);
    assert!(spans.iter().all(|span| span.trace_id == spans[2].trace_id && span.start < span.end));
    assert!(tracer.take(10).is_empty());
}

#[test]
fn a_part_of_the_traces_is_recorded() {
    let check = |part: Option<f64>, expected: std::ops::RangeInclusive<usize>| {
        let tracer = tracer(part);
        (0..1000).for_each(|_| drop(tracer.start("x", Kind::Internal)));
        let n_spans = tracer.n_waiting();
        assert!(expected.contains(&n_spans), "{part:?}: {n_spans}");
    };
    check(None, 0..=0);
    check(Some(0.0), 0..=0);
    check(Some(0.25), 200..=300);
    check(Some(1.0), 1000..=1000);
}

#[test]
fn who_asks_decides_whether_it_is_recorded() {
    let check = |header: &str, part: f64, expected: usize| {
        let tracer = tracer(Some(part));
        let parent = Parent::from_header(header);
        let span = tracer.start_within(parent, "x", Kind::Server);
        if let Some(parent) = parent.filter(|_| span.is_recorded()) {
            let header = span.to_header().expect("it is recorded");
            assert!(header.contains(&format!("{:032x}", parent.trace_id)), "{header}");
        }
        drop(span);
        assert_eq!(tracer.n_waiting(), expected, "{header}");
    };
    check("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", 0.0, 1);
    check("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", 1.0, 0);
    check("00-00000000000000000000000000000000-b7ad6b7169203331-01", 1.0, 1);
    check("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", 0.0, 0);
    check("nonsense-\u{e4}", 0.0, 0);
}

#[test]
fn what_nobody_takes_is_dropped() {
    let tracer = tracer(Some(1.0));
    (0..3000).for_each(|_| drop(tracer.start("x", Kind::Internal)));
    assert_eq!((tracer.n_waiting(), tracer.n_dropped()), (2048, 952));
}

#[test]
fn futures_find_their_span_again() {
    let tracer = tracer(Some(1.0));
    let outer = tracer.start("outer", Kind::Server);
    let future = outer.around(async { drop(child("inner", Kind::Client)) });
    let mut future = Box::pin(future);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(future.as_mut().poll(&mut cx).is_ready());
    drop(outer);
    let spans = tracer.take(2);
    assert_eq!(spans[0].parent_id, Some(spans[1].span_id));
}
