use super::page;
use crate::{
    ledger::{Count, Range},
    outcome::{Event, Outcome, Place, Texts},
};

#[test]
fn faults_writers_and_gaps_are_on_the_time_line() {
    let range = |from_ms, to_ms| Range { from_ms, to_ms };
    let gaps = vec![(3, range(4000, 6000))];
    let raw = Count { expected: 100, lost: 20, gaps, ..Count::default() };
    let outcome = Outcome {
        seed: 9,
        range: range(0, 20_000),
        healed_ms: 20_000,
        settled_ms: 21_000,
        places: vec![Place { name: "server-a".to_owned(), raw, recorded: Count::default() }],
        different: None,
        texts: Texts::default(),
        remote: None,
        notices: Count::default(),
        failovers: Vec::new(),
        asked: 1,
        answered: 1,
        events: vec![Event {
            lane: "server-a".to_owned(),
            range: range(3000, 7000),
            what: "kill -9 <server-a>".to_owned(),
        }],
        reigns: vec![(0, range(1000, 3000))],
        led: Vec::new(),
        unasked: Vec::new(),
        notes: vec!["server-b is away".to_owned()],
    };
    let page = page(&[("pair".to_owned(), vec![outcome])]);
    for expected in [
        "kill -9 &lt;server-a&gt; (4.0 s)",
        "samples of target 3 lost (2.0 s)",
        "writes to the remote end",
        "✗ broken",
        "server-b is away",
        "Seed 9",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
    assert!(!page.contains("http"), "it needs nothing else");
}
