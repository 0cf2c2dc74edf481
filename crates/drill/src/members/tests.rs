use std::collections::BTreeMap;

use super::{Range, Sample, compare};

fn check(a: &[(i64, f64)], b: &[(i64, f64)], expected: [(u64, u64, u64); 2]) {
    let series = |samples: &[(i64, f64)]| {
        let labels = BTreeMap::from([("job".to_owned(), "x".to_owned())]);
        let samples = samples.iter().map(|(at_ms, value)| Sample { at_ms: *at_ms, value: *value });
        vec![(labels, samples.collect())]
    };
    let readings = vec![("a".to_owned(), series(a)), ("b".to_owned(), series(b))];
    let promises = compare(Range { from_ms: 0, to_ms: 100 }, readings);
    let figures: Vec<_> = promises
        .iter()
        .map(|p| (p.lost.unwrap(), p.doubled.unwrap(), p.different.unwrap()))
        .collect();
    assert_eq!(figures, expected);
    let all_well = expected == [(0, 0, 0); 2];
    assert_eq!(promises.iter().all(|promise| promise.is_kept), all_well);
}

#[test]
fn members_are_compared_by_series_and_time() {
    check(&[(1, 1.0), (2, 2.0)], &[(1, 1.0), (2, 2.0)], [(0, 0, 0), (0, 0, 0)]);
    check(&[(1, 1.0), (2, 2.0)], &[(1, 1.0)], [(0, 0, 0), (1, 0, 0)]);
    check(&[(1, 1.0), (2, 2.0)], &[(1, 1.0), (2, 3.0)], [(0, 0, 0), (0, 0, 1)]);
    check(&[(1, 1.0), (1, 1.0)], &[(1, 1.0), (1, 1.0)], [(0, 1, 0), (0, 1, 0)]);
    // What is younger than the range may still be on its way.
    check(&[(1, 1.0), (101, 2.0)], &[(1, 1.0)], [(0, 0, 0), (0, 0, 0)]);
}
