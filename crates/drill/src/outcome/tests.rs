use super::{Outcome, Place, Texts, are_kept, promises};
use crate::{
    failover::{Failover, Hit, Kind},
    ledger::{Count, Range},
};

fn whole(expected: u64) -> Count {
    Count { expected, ..Count::default() }
}

fn place(name: &str) -> Place {
    Place { name: name.to_owned(), raw: whole(100), recorded: whole(10) }
}

fn good() -> Outcome {
    Outcome {
        seed: 1,
        range: Range { from_ms: 0, to_ms: 10_000 },
        healed_ms: 10_000,
        settled_ms: 12_000,
        places: vec![place("server-a"), place("server-b")],
        different: Some(0),
        texts: Texts { asked: 4, different: 0 },
        remote: Some(place("the remote end")),
        notices: whole(4),
        failovers: Vec::new(),
        asked: 60,
        answered: 60,
        events: Vec::new(),
        reigns: Vec::new(),
        led: Vec::new(),
        unasked: Vec::new(),
        notes: Vec::new(),
    }
}

/// The names of the promises that `change` breaks.
fn broken(change: impl FnOnce(&mut Outcome)) -> Vec<String> {
    let mut outcome = good();
    change(&mut outcome);
    let outcomes = [good(), outcome];
    let broken: Vec<String> = promises(&outcomes)
        .into_iter()
        .filter(|promise| !promise.is_kept)
        .map(|promise| promise.name)
        .collect();
    assert_eq!(broken.is_empty(), are_kept(&outcomes));
    broken
}

fn failover(kind: Kind, seconds: Option<f64>) -> Failover {
    Failover { hit: Hit { at_ms: 0, until_ms: 0, member: 0, kind }, seconds }
}

#[test]
fn each_promise_can_be_broken() {
    assert!(broken(|_| {}).is_empty());
    assert_eq!(broken(|o| o.places[1].raw.lost = 1), ["samples at server-b"]);
    assert_eq!(broken(|o| o.places[0].recorded.wrong = 1), ["recorded at server-a"]);
    assert_eq!(broken(|o| o.different = Some(2)), ["samples, member by member"]);
    assert_eq!(broken(|o| o.texts.different = 1), ["answers as text"]);
    let doubled = |o: &mut Outcome| o.remote.as_mut().unwrap().raw.doubled = 1;
    assert_eq!(broken(doubled), ["samples at the remote end"]);
    assert_eq!(broken(|o| o.notices.lost = 1), ["notifications"]);
    assert_eq!(broken(|o| o.unasked.push("x".into())), ["processes"]);
    let late = |o: &mut Outcome| o.failovers.push(failover(Kind::Crash, Some(5.1)));
    assert_eq!(broken(late), ["writer after a crash"]);
    let never = |o: &mut Outcome| o.failovers.push(failover(Kind::Planned, None));
    assert_eq!(broken(never), ["writer after a stop"]);
}

#[test]
fn a_second_notification_is_shown_and_allowed() {
    assert!(broken(|o| o.notices.doubled = 1).is_empty());
}

#[test]
fn nothing_seen_is_no_promise_kept() {
    assert!(!are_kept(&[]));
    let nothing = |o: &mut Outcome| o.places[0].raw = Count::default();
    let mut outcome = good();
    nothing(&mut outcome);
    assert!(!are_kept(&[outcome]));
}
