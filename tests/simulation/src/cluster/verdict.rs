//! What must have come of a history, once all has been quiet for a while.

use std::collections::BTreeMap;

use super::{
    clocks::START,
    member::{QUEUE, Sample, series},
    plan::{Kind, Plan, QUIET, TROUBLE},
    world::World,
};

pub(super) fn judge(world: &mut World<'_>) {
    if !world.complaints.is_empty() {
        return;
    }
    let mut complaints = Vec::new();
    everybody_is_there(world, &mut complaints);
    epochs_have_one_writer(world, &mut complaints);
    if !world.plan.is_spread() {
        let merged = members_are_equal_after_repair(world, &mut complaints);
        nothing_is_missing(world, &merged, &mut complaints);
    }
    nothing_is_lost_on_the_way(world, &mut complaints);
    world.complaints = complaints;
}

fn everybody_is_there(world: &World<'_>, complaints: &mut Vec<String>) {
    let mut writers = 0;
    for (idx, member) in world.members.iter().enumerate() {
        let n_live = member.mind.core.live().len();
        if n_live + 1 != world.members.len() {
            complaints.push(format!("after quiet {idx} has {n_live} live peers"));
        }
        if member.mind.core.clock_error().is_some() {
            complaints.push(format!("after quiet {idx} thinks that its clock is wrong"));
        }
        writers += usize::from(member.may_write(world.now));
    }
    if writers != 1 {
        complaints.push(format!("after quiet {writers} members may write"));
    }
}

fn epochs_have_one_writer(world: &World<'_>, complaints: &mut Vec<String>) {
    let by_service = world.members.iter().any(|member| member.mind.store.is_some());
    let contested = world.contested_epochs();
    if !contested.is_empty() && (by_service || !world.was_ever_cut()) {
        complaints.push(format!("more than one wrote in epochs {contested:?}"));
    }
}

/// The rule of repair: a value beats none, the larger of two values counts.
fn merge(into: &mut BTreeMap<(u64, i64), Sample>, other: &BTreeMap<(u64, i64), Sample>) {
    for (key, sample) in other {
        let known = into.entry(*key).or_default();
        *known = (*known).max(*sample);
    }
}

fn members_are_equal_after_repair(
    world: &mut World<'_>,
    complaints: &mut Vec<String>,
) -> BTreeMap<(u64, i64), Sample> {
    let mut forwards = BTreeMap::new();
    let mut backwards = BTreeMap::new();
    for (a, b) in world.members.iter().zip(world.members.iter().rev()) {
        merge(&mut forwards, &a.samples);
        merge(&mut backwards, &b.samples);
        merge(&mut backwards, &b.samples);
    }
    if forwards != backwards {
        complaints.push("the order of merging matters".to_owned());
    }
    // The last slots may still be under way, on some, or repaired a little later.
    let end = (START + world.now - QUIET / 2) as i64;
    for ((key, slot), sample) in forwards.iter().filter(|((_, slot), _)| *slot < end) {
        for (idx, member) in world.members.iter().enumerate() {
            let own = member.samples.get(&(*key, *slot));
            if own != Some(sample) {
                complaints.push(format!("{idx} has {own:?} of {key} at {slot}, not {sample:?}"));
            }
        }
    }
    forwards
}

/// In every slot in which nothing was wrong each member has got a sample by itself; in every slot
/// at all one has, if anybody could.
fn nothing_is_missing(
    world: &World<'_>,
    merged: &BTreeMap<(u64, i64), Sample>,
    complaints: &mut Vec<String>,
) {
    let Plan { interval, limit, .. } = *world.plan;
    let end = TROUBLE + QUIET - interval - 2 * limit;
    for target in 0..world.plan.targets {
        let phase = (target as u64 * 700) % interval;
        let mut slot = START - START % interval + phase + interval;
        while slot < START + end {
            let at = slot - START;
            let key = (target as u64, slot as i64);
            let sample = merged.get(&key).copied().flatten();
            if sample.is_none() && can_be_had(world, target, at) {
                complaints.push(format!("nobody has {target} at {at}"));
            }
            let was_quiet = !world.plan.is_troubled(at.saturating_sub(10_000), at + 2 * limit);
            for (idx, member) in world.members.iter().enumerate() {
                if was_quiet && at > 2_000 && member.samples.get(&key).copied().flatten().is_none()
                {
                    complaints.push(format!("{idx} lacks {target} at {at}, though all was well"));
                }
            }
            slot += interval;
        }
    }
}

/// Whether some member had no fault of its own while the target could be asked.
fn can_be_had(world: &World<'_>, target: usize, at: u64) -> bool {
    let limit = world.plan.limit;
    let (from, to) = (at.saturating_sub(1_000), at + limit);
    let during = |lead: u64| {
        let faults = world.plan.faults.iter();
        faults.filter(move |fault| fault.at < to && fault.at + fault.lasts + lead > from)
    };
    let hides_it = |kind: Kind| match kind {
        Kind::Down { target: other } => other == target,
        // Words are under way for longer than the target has.
        Kind::Slow { latency } => latency > limit / 20,
        _ => false,
    };
    if during(0).any(|fault| hides_it(fault.kind)) {
        return false;
    }
    (0..world.members.len()).any(|idx| {
        // A clock that was wrong is trusted again only after a while; so is who was stopped.
        !during(4_000).any(|fault| match fault.kind {
            Kind::Stop { member } | Kind::Crash { member } | Kind::Clock { member, .. } => {
                member == idx
            }
            Kind::Unreachable { member, target: other, .. } => member == idx && other == target,
            _ => false,
        })
    }) && !world.plan.has(|kind| matches!(kind, Kind::Clock { .. }))
}

/// What anybody has scraped is at the remote end, in the end.
fn nothing_is_lost_on_the_way(world: &mut World<'_>, complaints: &mut Vec<String>) {
    let end = (START + world.now - 2 * world.plan.interval - 2 * world.plan.limit) as i64;
    // A writer whose clock is set while it hears nobody cannot know that its times are wrong; the
    // remote end has had samples of the future then.
    let may_be_misled = world.plan.has(|kind| matches!(kind, Kind::Clock { .. }))
        && world
            .plan
            .has(|kind| matches!(kind, Kind::Cut { .. } | Kind::Stop { .. } | Kind::Crash { .. }));
    for (idx, member) in world.members.iter().enumerate() {
        for (target, slot, _) in &member.log {
            let is_there = world.remote.contains_key(&(*target, *slot));
            if !is_there && !may_be_misled && *slot < end && world.is_true_slot(*slot) {
                let acked = member.mind.acks.get(QUEUE, series(*target));
                let at = slot - START as i64;
                complaints.push(format!(
                    "{idx} has {target} at {at}, the remote end has not; acknowledged up to {:?}",
                    acked.map(|acked| acked - START as i64)
                ));
            }
        }
    }
    world.totals.written += world.remote.len();
    world.totals.doubled += world.remote.values().filter(|(_, count)| *count > 1).count();
}
