//! One seed: start, hurt, wait until all is quiet, count.

mod hurt;
mod settle;

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::{
    disks::SmallDisks,
    failover::{Away, Hit, failovers, reigns},
    ledger::Range,
    notices,
    options::Options,
    outcome::{Event, Outcome},
    scenario::{self, Shape, Step},
    topology::{Setup, member_name},
    world::World,
};
use hurt::{Begun, Hurt};

/// Between two looks at what is due.
const TICK: Duration = Duration::from_millis(20);
/// A fault that waits for others to be over, for longer than this, is left out.
const PATIENCE_MS: i64 = 15_000;
/// After the last fault, so that its last slots are complete.
const AFTER_MS: i64 = 2000;

/// Runs the history of `seed` on a topology of its own in `folder`.
pub(crate) async fn run(
    runtime: &Runtime,
    stop: &CancellationToken,
    options: &Options,
    setup: &Setup,
    seed: u64,
    folder: &Path,
) -> anyhow::Result<Outcome> {
    let mut disks = SmallDisks::default();
    if options.fill_disks {
        for member in 0..setup.n_members() {
            let data = folder.join(member_name(member));
            runtime.disk.create_directories(&data)?;
            disks.mount(&data)?;
        }
    }
    let mut world = World::build(runtime.clone(), setup.clone(), folder).await?;
    let outcome = history(&mut world, stop, options, seed, !disks.is_empty()).await;
    world.stop().await;
    outcome
}

async fn history(
    world: &mut World,
    stop: &CancellationToken,
    options: &Options,
    seed: u64,
    has_small_disks: bool,
) -> anyhow::Result<Outcome> {
    world.start(stop).await?;
    let from_ms = world.now_ms() + 2 * world.truth.interval_ms;
    let asked_before = sum(world, |target| &target.asked);
    let answered_before = sum(world, |target| &target.answered);
    let shape = Shape {
        n_members: world.setup.n_members(),
        n_targets: world.truth.n_targets,
        n_alertmanagers: world.setup.n_alertmanagers,
        has_remote: world.remote_base().is_some(),
        has_small_disks,
    };
    let mut faults = Faults::new(scenario::plan(seed, &shape, options.duration), world.now_ms());
    while !faults.are_over() && !stop.is_cancelled() {
        world.tick()?;
        faults.tick(world).await?;
        world.runtime.clock.sleep(TICK).await;
    }
    let healed_ms = wait_until_all_work(world, stop).await?;
    let range = Range { from_ms, to_ms: healed_ms + AFTER_MS };
    let asked = sum(world, |target| &target.asked) - asked_before;
    let answered = sum(world, |target| &target.answered) - answered_before;
    let settled = settle::settle(world, stop, options, range).await?;
    let webhook = world.folder.join("logs/webhook.out");
    let told = world.runtime.disk.read(&webhook).unwrap_or_default();
    let told = String::from_utf8_lossy(&told);
    let episodes = world.truth.episodes(range.from_ms, range.to_ms);
    let doubles = notices::doubles(episodes.clone(), &told);
    let writes = world.writes.lock().clone();
    Ok(Outcome {
        seed,
        range,
        healed_ms,
        settled_ms: settled.at_ms,
        places: settled.places,
        different: settled.different,
        texts: settled.texts,
        remote: settled.remote,
        notices: notices::count(episodes, &told),
        failovers: failovers(&faults.hits, &writes, &faults.away),
        asked,
        answered,
        events: faults.events,
        reigns: reigns(&writes),
        led: std::mem::take(&mut world.seen.lock().led),
        unasked: std::mem::take(&mut world.unasked),
        notes: [faults.notes, settled.notes, doubles].concat(),
    })
}

fn sum(world: &World, counter: impl Fn(&crate::targets::Target) -> &AtomicU64) -> u64 {
    world.targets.iter().map(|target| counter(target).load(Relaxed)).sum()
}

async fn wait_until_all_work(world: &mut World, stop: &CancellationToken) -> anyhow::Result<i64> {
    let healed_ms = world.now_ms();
    loop {
        world.tick()?;
        let now_ms = world.now_ms();
        let is_enough = now_ms > healed_ms + AFTER_MS + 1000 && world.all_members_work();
        if is_enough || now_ms > healed_ms + 60_000 || stop.is_cancelled() {
            // Those of the first moment, so that the counted time does not depend on the wait.
            return Ok(healed_ms);
        }
        world.runtime.clock.sleep(TICK).await;
    }
}

/// Faults that are due, that go on, and what is known of those that were.
struct Faults {
    began_ms: i64,
    waiting: std::collections::VecDeque<Step>,
    going_on: Vec<Begun>,
    hits: Vec<Hit>,
    away: Vec<Away>,
    events: Vec<Event>,
    notes: Vec<String>,
}

impl Faults {
    fn new(steps: Vec<Step>, began_ms: i64) -> Faults {
        let (going_on, hits, away, events, notes) = Default::default();
        Faults { began_ms, waiting: steps.into(), going_on, hits, away, events, notes }
    }

    fn are_over(&self) -> bool {
        self.waiting.is_empty() && self.going_on.is_empty()
    }

    async fn tick(&mut self, world: &mut World) -> anyhow::Result<()> {
        let now_ms = world.now_ms();
        let is_over = |begun: &Begun| now_ms >= begun.until_ms;
        let (over, going_on) = std::mem::take(&mut self.going_on).into_iter().partition(is_over);
        self.going_on = going_on;
        for begun in over {
            self.end(world, begun)?;
        }
        let Some(step) = self.waiting.front().copied() else { return Ok(()) };
        let late_ms = now_ms - self.began_ms - step.at.as_millis() as i64;
        if late_ms < 0 {
            return Ok(());
        }
        let others = self.going_on.iter().any(|begun| begun.fault.needs_all_members());
        let may_begin = !step.fault.needs_all_members() || !others && world.all_members_work();
        if may_begin {
            self.waiting.pop_front();
            self.begin(world, &step).await?;
        } else if late_ms > PATIENCE_MS {
            self.waiting.pop_front();
            self.notes.push(format!("left out, as others were not over: {}", step.fault));
        }
        Ok(())
    }

    async fn begin(&mut self, world: &mut World, step: &Step) -> anyhow::Result<()> {
        match hurt::begin(world, step).await? {
            Hurt::Begun(begun) => self.going_on.push(begun),
            Hurt::Impossible(why) => self.notes.push(format!("{}: {why}", step.fault)),
        }
        Ok(())
    }

    fn end(&mut self, world: &mut World, begun: Begun) -> anyhow::Result<()> {
        hurt::end(world, &begun)?;
        let now_ms = world.now_ms();
        let range = Range { from_ms: begun.at_ms, to_ms: now_ms };
        match begun.fault {
            scenario::Fault::LoseRemote => self.away.push(Away { range, from: None }),
            scenario::Fault::CutRemote { .. } => self.away.push(Away { range, from: begun.member }),
            _ => {}
        }
        if let (Some(kind), Some(member)) = (begun.kind, begun.member) {
            self.hits.push(Hit { at_ms: begun.at_ms, until_ms: now_ms, member, kind });
        }
        self.events.push(Event { lane: begun.lane(), range, what: begun.what() });
        Ok(())
    }
}
