//! Three members, their targets, and a network that does as it is told.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::Bytes;

use super::*;
use crate::frame::Payload;

const KEY: u64 = 7;
const SLOT: i64 = 1_000_000;
const LIMIT: Duration = Duration::from_secs(10);
const LATENCY: u64 = 5;

/// What a target does when a member asks it: answers or fails, after so many milliseconds.
#[derive(Clone, Copy)]
enum Target {
    Answers(u64),
    Fails(u64),
}
use Target::{Answers, Fails};

enum Event {
    Turn,
    Fetched,
    Deliver(usize, SlotId, Share),
    View(Vec<usize>),
    /// Nothing comes from there any more, and nothing is heard there.
    Stopped,
}

/// Members by their place in the ranking for [`KEY`].
struct World {
    ids: Vec<MemberId>,
    members: Vec<Sharing>,
    targets: Vec<Target>,
    events: BTreeMap<(u64, usize), (usize, Event)>,
    n_events: usize,
    now: u64,
    links: BTreeSet<(usize, usize)>,
    log: Vec<String>,
}

impl World {
    fn new(targets: &[Target]) -> World {
        let ids: Vec<MemberId> = (1..=targets.len() as u128).map(MemberId).collect();
        let ids = ownership::ranking(KEY, &ids);
        let mut world = World {
            members: ids.iter().map(|id| Sharing::new(*id, 1 << 20)).collect(),
            ids,
            targets: targets.to_vec(),
            events: BTreeMap::new(),
            n_events: 0,
            now: 0,
            links: BTreeSet::new(),
            log: Vec::new(),
        };
        for a in 0..targets.len() {
            for b in 0..targets.len() {
                if a != b {
                    world.links.insert((a, b));
                }
            }
            world.see(a);
        }
        world
    }

    /// Tells a member whom it is linked to.
    fn see(&mut self, idx: usize) {
        let linked = self.links.iter().filter(|(a, _)| *a == idx);
        let peers = linked.map(|(_, b)| self.ids[*b]).collect();
        let outputs = self.members[idx].set_peers(Duration::from_millis(self.now), peers);
        self.act(idx, outputs);
    }

    fn at(&mut self, at: u64, idx: usize, event: Event) {
        self.n_events += 1;
        self.events.insert((at, self.n_events), (idx, event));
    }

    /// `members` begin their turns, each so many milliseconds after the slot.
    fn turns(mut self, turns: &[(usize, u64)]) -> World {
        for (idx, at) in turns {
            // The key is known from earlier slots.
            let key = self.members[*idx].keys.entry(KEY).or_default();
            key.begin(SLOT - 15_000, Duration::ZERO);
            for peer in (0..self.ids.len()).filter(|peer| peer != idx) {
                key.interest.insert(self.ids[peer], SLOT - 15_000);
            }
            self.at(*at, *idx, Event::Turn);
        }
        self
    }

    /// From `at` on, `idx` is linked to nobody but `peers`.
    fn sees(mut self, at: u64, idx: usize, peers: &[usize]) -> World {
        self.at(at, idx, Event::View(peers.to_vec()));
        self
    }

    /// From `at` on nothing is heard of `idx`, though its links stand.
    fn stopped(mut self, at: u64, idx: usize) -> World {
        self.at(at, idx, Event::Stopped);
        self
    }

    fn run(&mut self) {
        let mut ticks = 0;
        while self.now < 15_000 {
            let next_tick = ticks * 100;
            match self.events.first_key_value().map(|(at, _)| at.0) {
                Some(at) if at <= next_tick => {
                    let (_, (idx, event)) = self.events.pop_first().expect("there is one");
                    self.now = at;
                    self.happen(idx, event);
                }
                _ => {
                    self.now = next_tick;
                    ticks += 1;
                    for idx in 0..self.members.len() {
                        let outputs = self.members[idx].tick(Duration::from_millis(self.now));
                        self.act(idx, outputs);
                    }
                }
            }
        }
    }

    fn happen(&mut self, idx: usize, event: Event) {
        let now = Duration::from_millis(self.now);
        let id = SlotId { key: KEY, slot: SLOT };
        let outputs = match event {
            Event::Turn => {
                let wall = Duration::from_millis(SLOT as u64) + now;
                let now = Moment { monotonic: now, wall };
                self.members[idx].turn(now, id, LIMIT).expect("it is the first")
            }
            Event::Fetched => {
                let has_failed = matches!(self.targets[idx], Fails(_));
                let bytes = Bytes::from(format!("{idx}"));
                let payload = Payload { bytes, unpacked_len: None };
                let shared = Shared { by: self.ids[idx], has_failed, payload };
                self.members[idx].fetched(now, id, shared)
            }
            Event::Deliver(from, id, share) => {
                self.members[idx].heard(now, self.ids[from], id, share)
            }
            Event::View(peers) => {
                self.links.retain(|(a, b)| *a != idx || peers.contains(b));
                return self.see(idx);
            }
            Event::Stopped => {
                self.links.retain(|(a, b)| *a != idx && *b != idx);
                let silent = BTreeSet::from([self.ids[idx]]);
                for other in (0..self.members.len()).filter(|other| *other != idx) {
                    self.members[other].set_silent(silent.clone());
                }
                return;
            }
        };
        self.act(idx, outputs);
    }

    fn act(&mut self, idx: usize, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(to, id, share) => {
                    let to = self.ids.iter().position(|id| *id == to).expect("a member");
                    if self.links.contains(&(idx, to)) {
                        self.at(self.now + LATENCY, to, Event::Deliver(idx, id, share));
                    }
                }
                Output::Fetch(_) => {
                    self.log.push(format!("{}: {idx} asks", self.now));
                    let (Answers(ms) | Fails(ms)) = self.targets[idx];
                    self.at(self.now + ms, idx, Event::Fetched);
                }
                Output::Done(_, shared) => {
                    let by = std::str::from_utf8(&shared.payload.bytes).expect("a digit");
                    let what = if shared.has_failed { "failure" } else { "answer" };
                    self.log.push(format!("{}: {idx} has the {what} of {by}", self.now));
                }
            }
        }
    }
}

fn check(mut world: World, expected: &str) {
    world.run();
    let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
    // What happens at the same moment happens in any order.
    world.log.sort_by_key(|line| {
        let (at, what) = line.split_once(": ").expect("a time");
        (at.parse::<u64>().expect("a number"), what.to_owned())
    });
    assert_eq!(world.log, expected);
    for member in &world.members {
        assert_eq!(member.n_open(), 0, "nothing is left undone");
    }
}

#[test]
fn the_first_asks_and_all_take_the_answer() {
    let world = World::new(&[Answers(50); 3]).turns(&[(0, 0), (1, 2), (2, 4)]);
    check(
        world,
        "0: 0 asks
         55: 1 has the answer of 0
         55: 2 has the answer of 0
         60: 0 has the answer of 0",
    );
}

#[test]
fn timers_need_not_agree() {
    let world = World::new(&[Answers(50); 3]).turns(&[(1, 0), (2, 40), (0, 90)]);
    check(
        world,
        "90: 0 asks
         145: 1 has the answer of 0
         145: 2 has the answer of 0
         150: 0 has the answer of 0",
    );
}

#[test]
fn an_answer_may_be_there_before_the_turn() {
    let world = World::new(&[Answers(1); 2]).turns(&[(0, 0), (1, 80)]);
    check(
        world,
        "0: 0 asks
         11: 0 has the answer of 0
         80: 1 has the answer of 0",
    );
}

#[test]
fn whoever_goes_away_is_followed_at_once() {
    let world = World::new(&[Answers(5_000); 3])
        .turns(&[(0, 0), (1, 0), (2, 0)])
        .sees(1_000, 0, &[])
        .sees(1_000, 1, &[2])
        .sees(1_000, 2, &[1]);
    check(
        world,
        "0: 0 asks
         1000: 1 asks
         5000: 0 has the answer of 0
         6005: 2 has the answer of 1
         6010: 1 has the answer of 1",
    );
}

#[test]
fn who_says_nothing_is_waited_for_half_of_the_time() {
    // The first one was stopped a moment ago: its link stands, and it counts as live.
    let world = World::new(&[Answers(50); 3]).turns(&[(1, 0), (2, 0)]).stopped(0, 0);
    check(
        world,
        "5000: 1 asks
         5055: 2 has the answer of 1
         5400: 1 has the answer of 1",
    );
}

#[test]
fn a_failure_counts_once_all_have_tried() {
    let world = World::new(&[Fails(1), Fails(1), Answers(1)]).turns(&[(0, 0), (1, 0), (2, 0)]);
    check(
        world,
        "0: 0 asks
         6: 1 asks
         17: 2 asks
         23: 0 has the answer of 2
         28: 1 has the answer of 2
         28: 2 has the answer of 2",
    );
    let world = World::new(&[Fails(1); 2]).turns(&[(0, 0), (1, 0)]);
    check(
        world,
        "0: 0 asks
         6: 1 asks
         12: 0 has the failure of 0
         17: 1 has the failure of 0",
    );
}

#[test]
fn a_slow_target_is_tried_from_elsewhere_before_its_time_is_over() {
    let world = World::new(&[Fails(10_000), Answers(20)]).turns(&[(0, 0), (1, 0)]);
    check(
        world,
        "0: 0 asks
         7505: 1 asks
         7530: 0 has the answer of 1
         7535: 1 has the answer of 1",
    );
}

#[test]
fn a_failure_by_time_out_delays_nothing() {
    let world = World::new(&[Fails(10_000); 2]).turns(&[(0, 0), (1, 0)]);
    check(
        world,
        "0: 0 asks
         7505: 1 asks
         10005: 1 has the failure of 0
         10010: 0 has the failure of 0",
    );
}

#[test]
fn who_does_not_know_the_target_says_so() {
    let world = World::new(&[Answers(1); 2]).turns(&[(1, 0)]);
    check(
        world,
        "10: 1 asks
         21: 1 has the answer of 1",
    );
}

#[test]
fn who_was_late_takes_what_was_decided() {
    // The first one hears nobody for a while, and nobody hears it.
    let mut world = World::new(&[Answers(3_000), Answers(10)]).turns(&[(0, 0), (1, 0)]);
    world.links.clear();
    world = world.sees(0, 0, &[]).sees(0, 1, &[]);
    world.at(2_000, 0, Event::View(Vec::new()));
    let links = [(0, 1), (1, 0)];
    let mut linked = false;
    let mut ticks = 0;
    while world.now < 6_000 {
        if world.now >= 2_000 && !linked {
            linked = true;
            world.links.extend(links);
            world.see(0);
            world.see(1);
        }
        match world.events.first_key_value().map(|(at, _)| at.0) {
            Some(at) if at <= ticks * 100 => {
                let (_, (idx, event)) = world.events.pop_first().expect("there is one");
                world.now = at;
                world.happen(idx, event);
            }
            _ => {
                world.now = ticks * 100;
                ticks += 1;
            }
        }
    }
    let expected = ["0: 0 asks", "0: 1 asks", "10: 1 has the answer of 1"];
    assert_eq!(world.log[..3], expected);
    assert_eq!(world.log[3], "3010: 0 has the answer of 1");
}

#[test]
fn a_turn_that_is_given_up_lets_others_go_on() {
    let mut world = World::new(&[Answers(5_000), Answers(10)]).turns(&[(0, 0), (1, 0)]);
    let id = SlotId { key: KEY, slot: SLOT };
    while let Some(((at, _), (idx, event))) = world.events.pop_first() {
        world.now = at;
        world.happen(idx, event);
        if at == 5 {
            let outputs = world.members[0].abandon(id);
            world.act(0, outputs);
        }
    }
    assert_eq!(world.log, ["0: 0 asks", "10: 1 asks", "30: 1 has the answer of 1"]);
}

#[test]
fn memory_is_bounded_and_given_back() {
    let mut world = World::new(&[Answers(50); 2]).turns(&[(0, 0), (1, 2)]);
    world.run();
    assert!(world.members.iter().all(|member| member.kept_bytes() == 0));
    let mut sharing = Sharing::new(MemberId(1), 1000);
    sharing.set_peers(Duration::ZERO, BTreeSet::from([MemberId(2)]));
    for slot in 0..100_000 {
        let id = SlotId { key: 1, slot };
        let outputs = sharing.heard(Duration::ZERO, MemberId(2), id, Share::Want);
        assert_eq!(outputs, [Output::Send(MemberId(2), id, Share::Unknown)]);
    }
    assert!(sharing.slots.len() <= STRANGE_SLOTS_MAX);
    let _ = sharing.tick(Duration::from_secs(121));
    assert_eq!((sharing.slots.len(), sharing.n_strange), (0, 0));
}
