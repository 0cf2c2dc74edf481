//! Members whose clocks and heartbeats are drawn, and who counts as live.

use super::*;
use crate::lease::gossip::Word;

const TICK: Duration = Duration::from_millis(100);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Our clocks at `at` milliseconds; the wall clock is ahead by that.
fn moment(at: u64, ahead: i64) -> Moment {
    Moment { monotonic: ms(10_000 + at), wall: ms((1_000_000 + at).saturating_add_signed(ahead)) }
}

struct World {
    liveness: Liveness,
    at: u64,
    ahead: i64,
    holder: Option<MemberId>,
}

impl World {
    fn new(n_peers: u128) -> World {
        let mut liveness = Liveness::new(MemberId(10));
        for peer in 1..=n_peers {
            liveness.connected(MemberId(peer), moment(0, 0).monotonic);
        }
        World { liveness, at: 0, ahead: 0, holder: None }
    }

    /// A second in which every peer sends heartbeats, from clocks that are ahead by so much.
    fn second(&mut self, ahead: &[i64]) -> Option<i64> {
        for _ in 0..10 {
            self.at += 100;
            let now = moment(self.at, self.ahead);
            self.liveness.tick(now, TICK);
            for (idx, ahead) in ahead.iter().enumerate() {
                let peer = MemberId(idx as u128 + 1);
                let theirs = moment(self.at, *ahead);
                let echo = Echo { sent: moment(self.at - 20, 0).monotonic, age: ms(10) };
                let heartbeat = Heartbeat {
                    sent: theirs.monotonic,
                    wall: theirs.wall,
                    echo: Some(echo),
                    fingerprint: 1,
                    is_quarantined: false,
                    lease: Word::default(),
                };
                self.liveness.heard(peer, now.monotonic);
                self.liveness.heartbeat(peer, now, &heartbeat);
            }
        }
        let now = moment(self.at, self.ahead);
        self.liveness.judge_own_clock(now.monotonic, self.holder)
    }

    fn n_live(&self) -> usize {
        self.liveness.live(moment(self.at, 0).monotonic).count()
    }
}

#[test]
fn the_median_is_right() {
    let check = |own: i64, others: &[i64], holder: Option<u128>, expected: Option<i64>| {
        let mut world = World::new(others.len() as u128);
        world.ahead = own;
        world.holder = holder.map(MemberId);
        let error = world.second(others);
        // Half the round trip is how wrong a measurement may be.
        let error = error.map(|error| (error + 5) / 100 * 100);
        assert_eq!(error, expected, "{own} {others:?} {holder:?}");
    };
    check(0, &[], None, None);
    check(0, &[100, -100], None, None);
    check(900, &[0, 0], None, None);
    check(5_000, &[0, 0], None, Some(5_000));
    check(-5_000, &[0, 100, -100], None, Some(-4_900));
    check(0, &[0, 5_000], None, None);
    // One against one: the writer is right, or the older one, which is not us.
    check(5_000, &[0], Some(1), Some(5_000));
    check(5_000, &[0], Some(10), None);
    check(5_000, &[0], None, Some(5_000));
    // Two against two.
    check(5_000, &[5_000, 0, 0], Some(2), Some(5_000));
    check(5_000, &[5_000, 0, 0], Some(10), None);
}

#[test]
fn who_sets_its_clock_is_wrong() {
    // We hold the lease, and set our clock.
    let mut world = World::new(1);
    world.holder = Some(MemberId(10));
    assert_eq!(world.second(&[0]), None);
    world.ahead = 60_000;
    world.liveness.tick(moment(world.at + 10, world.ahead), TICK);
    assert_eq!(world.liveness.unsure_clock(), Some(60_000), "nobody has said yet");
    assert!(world.second(&[0]).is_some_and(|error| error > 59_000));
    assert_eq!(world.liveness.unsure_clock(), None);
    world.ahead = 0;
    assert_eq!(world.second(&[0]), None);
    // The writer sets its clock.
    let mut world = World::new(1);
    world.holder = Some(MemberId(1));
    assert_eq!(world.second(&[0]), None);
    assert_eq!(world.second(&[60_000]), None);
    assert!(world.second(&[0]).is_none());
}

#[test]
fn silence_is_noticed_and_a_stop_of_ours_is_not_theirs() {
    let mut world = World::new(2);
    assert_eq!(world.n_live(), 0);
    world.second(&[0, 0]);
    assert_eq!(world.n_live(), 2);
    // One falls silent.
    world.second(&[0]);
    world.at += 100;
    assert_eq!(world.n_live(), 1);
    // We are stopped for a minute.
    world.at += 60_000;
    let late = world.liveness.tick(moment(world.at, 0), TICK);
    assert!(late.is_some_and(|late| late >= ms(59_000)));
    assert_eq!(world.n_live(), 1, "what was said meanwhile is still to be read");
    for _ in 0..12 {
        world.at += 100;
        assert_eq!(world.liveness.tick(moment(world.at, 0), TICK), None);
    }
    assert_eq!(world.n_live(), 0);
}

#[test]
fn who_does_not_hear_us_is_not_live() {
    let mut world = World::new(1);
    world.second(&[0]);
    let echo = world.liveness.last(MemberId(1)).and_then(|last| last.echo).expect("it has heard");
    for _ in 0..20 {
        world.at += 100;
        let now = moment(world.at, 0);
        world.liveness.tick(now, TICK);
        let mut heartbeat = *world.liveness.last(MemberId(1)).expect("it was heard");
        (heartbeat.sent, heartbeat.wall, heartbeat.echo) = (now.monotonic, now.wall, Some(echo));
        world.liveness.heard(MemberId(1), now.monotonic);
        world.liveness.heartbeat(MemberId(1), now, &heartbeat);
    }
    assert_eq!(world.n_live(), 0);
}
