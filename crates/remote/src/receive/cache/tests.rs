use storage::SeriesRef;

use super::*;

const EPOCH: i64 = EPOCH_MS;

fn look_up(cache: &Cache, text: &str, now: i64) -> SeriesRef {
    let key = cache.key(text.as_bytes(), 0);
    let item = Item { idx: 0, key, handle: SeriesRef::UNKNOWN, labels: b"", rest: b"" };
    let mut items = [item];
    cache.look_up(&mut items, now);
    items[0].handle
}

#[test]
fn series_that_are_not_written_any_more_are_forgotten() {
    let cache = Cache::new(1);
    let learned = [("a", 1), ("b", 2)]
        .map(|(text, handle)| (cache.key(text.as_bytes(), 0), SeriesRef(handle)));
    cache.learn(&learned, 10 * EPOCH);
    for epoch in 11..15 {
        assert_eq!(look_up(&cache, "a", epoch * EPOCH), SeriesRef(1), "{epoch}");
        cache.learn(&[], epoch * EPOCH);
    }
    assert_eq!(look_up(&cache, "b", 15 * EPOCH), SeriesRef::UNKNOWN);
}

#[test]
fn another_handle_replaces_the_one_before() {
    let cache = Cache::new(1);
    for handle in [1, 2] {
        cache.learn(&[(cache.key(b"a", 0), SeriesRef(handle))], 0);
        assert_eq!(look_up(&cache, "a", 0), SeriesRef(handle));
    }
    assert_eq!(look_up(&cache, "other", 0), SeriesRef::UNKNOWN);
}

#[test]
fn versions_do_not_share_keys() {
    let cache = Cache::new(1);
    assert_ne!(cache.key(b"a", 0), cache.key(b"a", 1));
}
