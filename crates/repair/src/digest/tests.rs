use model::{Labels, TimeRange};
use proptest::{collection::btree_map, prelude::*};
use storage::{Columns, MemoryStorage};

use super::{N_SHARDS, digests, shard, windows};

/// Values of series by time.
type Content = std::collections::BTreeMap<(u8, i64), i32>;

fn content() -> impl Strategy<Value = Content> {
    btree_map((0..5u8, 0..40i64), 0..3i32, 0..40)
}

fn store(content: &Content) -> MemoryStorage {
    let store = MemoryStorage::default();
    for series in 0..5 {
        let mut columns = Columns::default();
        for ((_, time), value) in content.range((series, 0)..(series + 1, 0)) {
            columns.push(*time, f64::from(*value));
        }
        let name = series.to_string();
        store.insert(Labels::from_pairs([("__name__", "a"), ("x", &name)]), columns);
    }
    store
}

proptest! {
    #[test]
    fn digests_are_equal_where_contents_are(a in content(), b in content()) {
        let windows = windows(TimeRange::from_millis(3, 33), 7);
        let digest = |content| digests(&store(content), &windows).expect("memory does not fail");
        for ((window, a_digest), b_digest) in windows.iter().zip(digest(&a)).zip(digest(&b)) {
            let part = |content: &Content| -> Content {
                let within = |time: i64| window.contains(model::Timestamp::from_millis(time));
                let part = content.iter().filter(|((_, time), _)| within(*time));
                part.map(|(key, value)| (*key, *value)).collect()
            };
            let (a, b) = (part(&a), part(&b));
            prop_assert_eq!(a == b, a_digest == b_digest);
            prop_assert_eq!(a == b, a_digest.difference(&b_digest) == 0);
            prop_assert_eq!(a.len() as u64, a_digest.n_samples);
        }
    }
}

#[test]
fn a_difference_names_the_shard() {
    let series = Labels::from_pairs([("__name__", "a"), ("x", "3")]);
    let window = [TimeRange::from_millis(0, 9)];
    let digest = |content: &[(u8, i64)]| {
        let content = content.iter().map(|key| (*key, 1)).collect();
        digests(&store(&content), &window).expect("memory does not fail").remove(0)
    };
    let (a, b) = (digest(&[(1, 1), (3, 5)]), digest(&[(1, 1), (3, 6)]));
    assert_eq!(a.difference(&b), 1 << shard(series.hash64()));
}

#[test]
fn windows_are_aligned_and_leave_nothing_out() {
    let show = |range: TimeRange| {
        let windows = windows(range, 10);
        let windows = windows.iter().map(|w| format!("{}..{}", w.start, w.end));
        windows.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(show(TimeRange::from_millis(-5, 21)), "-5..-1 0..9 10..19 20..21");
    assert_eq!(show(TimeRange::from_millis(10, 19)), "10..19");
    assert_eq!(show(TimeRange::from_millis(10, 9)), "");
    let end = TimeRange::from_millis(i64::MAX - 3, i64::MAX);
    assert!(windows(end, 10).len() <= 2);
}

#[test]
fn shards_are_used_alike() {
    let mut counts = [0; N_SHARDS];
    for idx in 0..64_000 {
        let labels = Labels::from_pairs([("__name__", "a"), ("x", &format!("{idx}"))]);
        counts[shard(labels.hash64())] += 1;
    }
    assert!(counts.iter().all(|count| (800..1_200).contains(count)), "{counts:?}");
}
