use model::{Labels, Matcher, TimeRange};

use crate::{Columns, LabelHints, MemoryStorage, Queryable as _, SelectHints, merge};

/// Stores as `labels: time=value …` lines; the answer of all of them in the same form.
fn check(stores: &[&str], expected: &str) {
    let parts = stores.iter().map(|text| {
        let store = MemoryStorage::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (name, samples) = line.split_once(':').expect("a line is `name: samples`");
            let mut columns = Columns::default();
            for sample in samples.split_whitespace() {
                let (time, value) = sample.split_once('=').expect("a sample is `time=value`");
                columns.push(time.parse().expect("a time"), value.parse().expect("a value"));
            }
            store.insert(Labels::from_pairs([("__name__", name)]), columns);
        }
        store.querier(TimeRange::ALL).expect("memory does not fail")
    });
    let merged = merge(parts.collect());
    let all = [Matcher::equal("nothing", "")];
    let set = merged.select(true, &SelectHints::new(TimeRange::ALL), &all).expect("it answers");
    let mut out = String::new();
    for series in set.series {
        let mut columns = Columns::default();
        series.read(TimeRange::ALL, &mut columns).expect("memory does not fail");
        let samples = columns.times.iter().zip(&columns.values).map(|(t, v)| format!(" {t}={v}"));
        out.push_str(&format!(
            "{}:{}\n",
            series.labels().metric_name(),
            samples.collect::<String>()
        ));
    }
    let expected: String = expected.lines().map(|line| format!("{}\n", line.trim())).collect();
    assert_eq!(out, expected);
}

#[test]
fn stores_behind_each_other_are_joined() {
    check(&["a: 1=1 2=2", "a: 3=3", "b: 3=4"], "a: 1=1 2=2 3=3\nb: 3=4");
}

#[test]
fn the_earlier_store_wins_where_both_have_a_sample() {
    check(&["a: 2=20 4=40", "a: 1=1 2=2 3=3 4=4 5=5"], "a: 1=1 2=20 3=3 4=40 5=5");
}

#[test]
fn three_stores_interleave() {
    check(&["a: 3=3", "a: 1=1 5=5", "a: 2=2 4=4"], "a: 1=1 2=2 3=3 4=4 5=5");
}

#[test]
fn label_answers_are_united_and_limited() {
    let store = |name: &str| {
        let store = MemoryStorage::default();
        store.insert(Labels::from_pairs([("__name__", name)]), Columns::default());
        store.querier(TimeRange::ALL).expect("memory does not fail")
    };
    let merged = merge(vec![store("b"), store("a"), store("b")]);
    let values = |limit| {
        merged.label_values("__name__", &LabelHints { limit }, &[]).expect("it answers").values
    };
    assert_eq!(values(0), ["a", "b"]);
    assert_eq!(values(1), ["a"]);
}
