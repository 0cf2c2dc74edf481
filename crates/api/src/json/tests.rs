use bytes::Bytes;

use super::{Json, Sink};

/// Nobody reads.
struct Closed;

impl Sink for Closed {
    fn send(&mut self, _: Bytes) -> bool {
        false
    }

    fn end(&mut self, _: Bytes) {}
}

/// What was sent, piece by piece.
#[derive(Clone, Default)]
struct Kept(std::sync::Arc<parking_lot::Mutex<Vec<Bytes>>>);

impl Sink for Kept {
    fn send(&mut self, chunk: Bytes) -> bool {
        self.0.lock().push(chunk);
        true
    }

    fn end(&mut self, rest: Bytes) {
        self.send(rest);
    }
}

#[test]
fn lists_end_when_nobody_reads() {
    let mut json = Json::streaming(Box::new(Closed));
    let long = "x".repeat(100_000);
    let mut n_written = 0;
    json.array(0..1_000, |json, _| {
        n_written += 1;
        json.string(&long);
        json.flush_full_chunk();
    });
    assert_eq!(n_written, 1);
}

#[test]
fn long_lists_are_written_as_short_ones_are() {
    let items: Vec<usize> = (0..60_000).map(|n| n * n).collect();
    let write = |json: &mut Json, n: &usize| json.int(*n);
    for n_items in [0, 1, 2, 100, 59_999] {
        let items = &items[..n_items];
        let kept = Kept::default();
        let mut json = Json::streaming(Box::new(kept.clone()));
        json.long_array(items, |_| 20, write);
        json.end();
        let got = kept.0.lock().concat();
        let mut expected = Json::default();
        expected.array(items, write);
        assert!(got == expected.finish().into_bytes(), "{n_items} items");
    }
}
