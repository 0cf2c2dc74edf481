use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const OWN: MemberId = MemberId(1);

#[test]
fn the_newest_counts_and_the_old_are_forgotten() {
    let acks = Acknowledged::new(OWN, false);
    acks.note("q", &[(1, 100), (2, 200), (1, 50)]);
    assert_eq!(acks.get("q", 1), Some(100));
    assert_eq!((acks.get("q", 3), acks.get("p", 1)), (None, None));
    acks.note("q", &[(2, 100 + KEPT + 1)]);
    acks.forget_old();
    assert_eq!((acks.get("q", 1), acks.n_series()), (None, 1));
}

#[test]
fn what_nobody_has_acknowledged_has_not_arrived() {
    let mut table = Table::default();
    let arrived = |table: &Table| {
        let seconds = [1, 15, 30, 45, 60, 75, 90];
        seconds.map(|time| table.has_arrived(1, time * 1000))
    };
    for time in [30, 60, 75] {
        table.note(1, time * 1000);
    }
    assert_eq!(arrived(&table), [false, false, true, false, true, true, false]);
    assert!(table.note(1, 45_000), "it comes later");
    assert!(!table.note(1, 45_000));
    assert_eq!(arrived(&table), [false, false, true, true, true, true, false]);
    assert_eq!((table.get(1), table.has_arrived(2, 75_000)), (Some(75_000), false));
}

/// Members leave samples to those before them until what arrives has gone past.
#[test]
fn what_was_passed_is_left_to_the_next() {
    let acks = Acknowledged::new(OWN, false);
    let patience = Patience { turn: 8, ended: 60 };
    let fate = |series, time, place| acks.fate("q", series, time, patience, || place);
    assert_eq!(fate(1, 99, 0), Fate::Open);
    acks.note("q", &[(1, 100)]);
    assert_eq!(
        [100, 99, 101].map(|time| fate(1, time, 0)),
        [Fate::Arrived, Fate::Left, Fate::Open]
    );
    assert_eq!([99, 92, 91].map(|time| fate(1, time, 1)), [Fate::Open, Fate::Open, Fate::Left]);
    // Of a series that has ended, or is not the writer's.
    assert_eq!([40, 39].map(|time| fate(2, time, 0)), [Fate::Open, Fate::Left]);
    assert_eq!([32, 31].map(|time| fate(2, time, 1)), [Fate::Open, Fate::Left]);
}

/// Where series have writers of their own, one goes on until another has sent something newer.
#[test]
fn whoever_has_sent_the_newest_is_known() {
    let members = [OWN, MemberId(2)].map(|own| Acknowledged::new(own, true));
    let senders = || members.each_ref().map(|acks| acks.sender("q", 1));
    members[1].merge(OWN, &members[0].note("q", &[(1, 100)]));
    assert_eq!(senders(), [Some(OWN); 2]);
    members[0].merge(MemberId(2), &members[1].note("q", &[(1, 100), (1, 101)]));
    assert_eq!(senders(), [Some(MemberId(2)); 2]);
}

/// One sends at once, and the others each after another.
#[test]
fn each_series_has_one_that_sends_it() {
    let live = [MemberId(1), MemberId(2), MemberId(3)];
    let places = |sender| {
        let mut places = live.map(|own| place(7, own, &live, sender));
        let sender_place = sender.map(|sender| place(7, sender, &live, Some(sender)));
        places.sort_unstable();
        (places, sender_place)
    };
    assert_eq!(places(None), ([0, 1, 2], None));
    for sender in live {
        assert_eq!(places(Some(sender)), ([0, 1, 2], Some(0)));
    }
    let gone = Some(MemberId(9));
    assert_eq!(
        live.map(|own| place(7, own, &live, gone)),
        live.map(|own| place(7, own, &live, None))
    );
    assert_eq!(place(7, OWN, &[OWN], gone), 0);
}

fn has_arrived(acks: &Acknowledged, series: u64, time: i64) -> bool {
    let patience = Patience { turn: 1, ended: 1 };
    acks.fate("q", series, time, patience, || 0) == Fate::Arrived
}

/// Whoever is linked anew must not take what the writer lacked for something that has arrived.
#[test]
fn who_joins_later_knows_the_gaps() {
    let writer = Acknowledged::new(OWN, false);
    let late = Acknowledged::new(OWN, false);
    for time in (1..100).filter(|time| !(40..50).contains(time)) {
        writer.note("q", &[(1, time * 1000)]);
    }
    // The first word may be of now, before that of the past.
    late.merge(OWN, &writer.note("q", &[(1, 100_000)]));
    assert!(!has_arrived(&late, 1, 99_000));
    writer.pieces().iter().for_each(|piece| late.merge(OWN, piece));
    for time in 1..=100 {
        assert_eq!(has_arrived(&late, 1, time * 1000), !(40..50).contains(&time), "{time}");
    }
}

#[test]
fn even_steps_take_little_room() {
    let mut table = Table::default();
    let times = (1..1000).filter(|time| !(100..200).contains(time)).chain(100..200);
    times.for_each(|time| assert!(table.note(7, time * 15_000)));
    assert!(table.older.is_empty());
    assert_eq!(table.pieces("q")[0].groups.len(), 1);
    assert!(std::mem::size_of::<(u64, Run)>() <= 24);
}

#[test]
fn strangers_cannot_fill_the_memory() {
    let acks = Acknowledged::new(OWN, false);
    for queue in 0..1000 {
        let queue = format!("{queue}");
        let groups = vec![AckGroup { time: 1, step: 0, n_steps: 0, series: vec![1] }];
        acks.merge(OWN, &frame::Acks { queue, groups });
    }
    assert_eq!(acks.n_series(), QUEUES_MAX);
    let hostile = [(i64::MAX, 1, u32::MAX), (i64::MIN, i64::MIN, 1), (0, i64::MAX, u32::MAX)];
    for (time, step, n_steps) in hostile {
        let groups = vec![AckGroup { time, step, n_steps, series: vec![1] }];
        acks.merge(OWN, &frame::Acks { queue: "0".to_owned(), groups });
    }
    let mut table = Table::default();
    (0..1000_i64).for_each(|time| assert!(table.note(1, time * time * time)));
    assert!(table.older[&1].len() <= OLDER_MAX);
}

proptest! {
    /// Nothing has arrived that nobody has noted; while little is noted, nothing is forgotten.
    #[test]
    fn it_is_a_set(samples in prop::collection::vec((0u64..3, 0i64..12), 0..30)) {
        let mut table = Table::default();
        let mut set = BTreeSet::new();
        for (series, time) in samples {
            prop_assert_eq!(table.note(series, time), set.insert((series, time)));
            for (series, time) in (0..3).flat_map(|s| (0..12).map(move |t| (s, t))) {
                prop_assert_eq!(table.has_arrived(series, time), set.contains(&(series, time)));
            }
        }
    }

    #[test]
    fn merging_is_in_any_order_and_any_number_of_times(
        samples in prop::collection::vec((0u64..4, 1i64..14), 0..60), seed: u64,
    ) {
        let whole = Acknowledged::new(OWN, false);
        whole.note("q", &samples);
        let (left, right) = samples.split_at(seed as usize % (samples.len() + 1));
        let (a, b) = (Acknowledged::new(OWN, false), Acknowledged::new(OWN, false));
        let from_a = a.note("q", left);
        b.note("q", right);
        b.merge(OWN, &from_a);
        b.merge(OWN, &from_a);
        for piece in b.pieces() {
            a.merge(OWN, &piece);
        }
        for (series, time) in (0..4).flat_map(|s| (0..14).map(move |t| (s, t))) {
            prop_assert_eq!(has_arrived(&a, series, time), has_arrived(&whole, series, time));
            prop_assert_eq!(has_arrived(&b, series, time), has_arrived(&whole, series, time));
        }
    }
}
