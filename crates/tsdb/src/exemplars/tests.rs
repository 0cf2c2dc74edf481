use conformance::Score;
use model::{Labels, Matcher, TimeRange, Timestamp};
use serde_json::Value;
use storage::Exemplar;

use super::Exemplars;

fn labels(value: &Value) -> Labels {
    let pairs = value.as_object().into_iter().flatten();
    Labels::from_pairs(pairs.map(|(name, value)| (name, value.as_str().unwrap_or_default())))
}

fn exemplar(value: &Value) -> Exemplar {
    Exemplar {
        labels: labels(&value["labels"]),
        value: value["value"].as_f64().unwrap_or_default(),
        time: Timestamp::from_millis(value["timestamp_ms"].as_i64().unwrap_or_default()),
    }
}

#[test]
fn exemplars_are_kept_as_upstream_keeps_them() {
    let table = "tsdb/exemplar_storage";
    let Some(data) = conformance::cases(&format!("prometheus/{table}.json")) else { return };
    let mut score = Score::new(table);
    for case in &data.cases {
        score.add(case["name"].as_str().unwrap_or_default(), check(case));
    }
    score.finish(&[]);
}

fn check(case: &Value) -> Result<(), String> {
    let mut exemplars = Exemplars::new(case["capacity"].as_u64().unwrap_or_default() as usize, 100);
    for added in case["added"].as_array().into_iter().flatten() {
        let exemplar = exemplar(added);
        let series = exemplar.labels.clone();
        let checked = exemplars.check(&series, &exemplar).map(|_| ());
        if let Err(error) = checked.and(exemplars.add(&series, exemplar)) {
            let is_expected = case["error"] == error.to_string();
            return if is_expected { Ok(()) } else { Err(error.to_string()) };
        }
    }
    let selector = labels(&case["select"]);
    let matchers = selector.iter().map(|(name, value)| Matcher::equal(name, value)).collect();
    let found = exemplars.select(TimeRange::from_millis(0, 1000), &[matchers]);
    let found: Vec<Exemplar> = found.into_iter().flat_map(|series| series.exemplars).collect();
    let expected: Vec<Exemplar> =
        case["result"].as_array().into_iter().flatten().map(exemplar).collect();
    if found == expected { Ok(()) } else { Err(format!("{found:?}")) }
}

fn at(time: i64) -> Exemplar {
    let labels = Labels::from_pairs([("trace", time.to_string())]);
    Exemplar { labels, value: time as f64, time: Timestamp::from_millis(time) }
}

fn times(exemplars: &Exemplars) -> Vec<(String, Vec<i64>)> {
    let found = exemplars.select(TimeRange::ALL, &[vec![]]);
    let times = |of: &[Exemplar]| of.iter().map(|e| e.time.as_millis()).collect();
    found.iter().map(|s| (s.labels.metric_name().to_owned(), times(&s.exemplars))).collect()
}

#[test]
fn the_newest_stay_when_there_is_less_room() {
    let [a, b] = ["a", "b"].map(|name| Labels::from_pairs([("__name__", name)]));
    let mut exemplars = Exemplars::new(4, 0);
    for (series, time) in [(&a, 1), (&b, 2), (&a, 3), (&b, 4), (&a, 5)] {
        exemplars.add(series, at(time)).expect("it is in order");
    }
    let as_text = |expected: &[(&str, &[i64])]| {
        expected
            .iter()
            .map(|(name, times)| ((*name).to_owned(), times.to_vec()))
            .collect::<Vec<_>>()
    };
    assert_eq!(times(&exemplars), as_text(&[("a", &[3, 5]), ("b", &[2, 4])]));
    exemplars.resize(2);
    assert_eq!(times(&exemplars), as_text(&[("a", &[5]), ("b", &[4])]));
    assert_eq!(exemplars.counters().oldest_time, 4);
    exemplars.resize(3);
    exemplars.add(&b, at(6)).expect("it is in order");
    exemplars.add(&b, at(7)).expect("it is in order");
    assert_eq!(times(&exemplars), as_text(&[("a", &[5]), ("b", &[6, 7])]));
    exemplars.resize(0);
    assert!(times(&exemplars).is_empty());
    exemplars.add(&a, at(8)).expect("nothing is kept, and that is no error");
    assert!(times(&exemplars).is_empty());
}
