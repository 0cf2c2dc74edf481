use super::{Away, Hit, Kind, Range, Write, failovers, reigns};

/// `a` and `b` write at these seconds.
fn writes(text: &str) -> Vec<Write> {
    let write = |word: &str| {
        let (member, at) = word.split_at(1);
        Write {
            at_ms: (at.parse::<f64>().unwrap() * 1000.0) as i64,
            member: (member == "b").into(),
        }
    };
    text.split_whitespace().map(write).collect()
}

fn check(text: &str, until: f64, away: &[Away], expected: &[Option<f64>]) {
    let until_ms = (until * 1000.0) as i64;
    let hit = Hit { at_ms: 10_000, until_ms, member: 0, kind: Kind::Crash };
    let seconds: Vec<_> =
        failovers(&[hit], &writes(text), away).iter().map(|failover| failover.seconds).collect();
    assert_eq!(seconds, expected, "{text}");
}

#[test]
fn the_next_writer_is_another_one_or_the_same_one_again() {
    check("a9 a9.9 b13.5 b14", 20.0, &[], &[Some(3.5)]);
    // What was on its way still arrives.
    check("a9.9 a10.1 b12", 20.0, &[], &[Some(2.0)]);
    check("a9.9 a11.5 a12", 11.0, &[], &[Some(1.5)]);
    check("a9.9", 11.0, &[], &[None]);
}

#[test]
fn who_did_not_write_is_not_missed() {
    check("b9.9 b10.5", 20.0, &[], &[]);
    check("a2 b10.5", 20.0, &[], &[]);
}

#[test]
fn a_remote_end_that_is_away_is_no_failover() {
    let away = |from| [Away { range: Range { from_ms: 11_000, to_ms: 18_000 }, from }];
    check("a9.9 b18", 20.0, &away(None), &[]);
    // The only other one could not reach it.
    check("a9.9 b18", 20.0, &away(Some(1)), &[]);
    check("a9.9 b18", 20.0, &away(Some(0)), &[Some(8.0)]);
}

#[test]
fn reigns_follow_each_other() {
    let reigns: Vec<_> = reigns(&writes("a1 a2 b3 b5 a6"))
        .iter()
        .map(|(member, range)| (*member, range.from_ms, range.to_ms))
        .collect();
    assert_eq!(reigns, [(0, 1000, 2000), (1, 3000, 5000), (0, 6000, 6000)]);
}
