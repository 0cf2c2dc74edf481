//! Faults, begun and ended. One place for each kind.

use crate::{
    disks,
    failover::Kind,
    links::Party,
    scenario::{Fault, Step, Who},
    topology::{Setup, member_name},
    vrrp::Input,
    world::World,
};

/// A fault that goes on.
pub(super) struct Begun {
    pub(super) fault: Fault,
    pub(super) at_ms: i64,
    pub(super) until_ms: i64,
    /// Whom it hit.
    pub(super) member: Option<usize>,
    /// It keeps that member from writing.
    pub(super) kind: Option<Kind>,
}

pub(super) enum Hurt {
    Begun(Begun),
    Impossible(String),
}

impl Begun {
    pub(super) fn lane(&self) -> String {
        match (self.member, self.fault) {
            (Some(member), _) => member_name(member),
            (None, Fault::KillAlertmanager(_)) => "alertmanagers".to_owned(),
            (None, Fault::LoseRemote) => "remote end".to_owned(),
            (None, _) => "targets".to_owned(),
        }
    }

    pub(super) fn what(&self) -> String {
        match self.member {
            Some(member) => format!("{} ({})", self.fault, member_name(member)),
            None => self.fault.to_string(),
        }
    }
}

pub(super) async fn begin(world: &mut World, step: &Step) -> anyhow::Result<Hurt> {
    let fault = step.fault;
    let member = who(fault).map(|who| match who {
        Who::Writer => world.writer(),
        Who::Member(member) => member,
    });
    let member = if fault == Fault::Release { Some(world.writer()) } else { member };
    let at_ms = world.now_ms();
    let until_ms = at_ms + step.lasts.as_millis() as i64;
    let mut kind = None;
    match (fault, member) {
        (Fault::Kill(_), Some(member)) => {
            kind = Some(Kind::Crash);
            // The machine is gone, and keepalived with it.
            world.tell_standin(member, Input::Vanish)?;
            world.parts.kill(&member_name(member));
        }
        (Fault::Pause(_), Some(member)) => {
            kind = Some(Kind::Crash);
            world.parts.pause(&member_name(member));
        }
        (Fault::Restart(_), Some(member)) => {
            kind = Some(Kind::Planned);
            world.tell_standin(member, Input::Leave)?;
            let starts_again = world.standin.is_none();
            world.parts.terminate(&member_name(member), starts_again);
        }
        (Fault::Release, Some(member)) => {
            kind = Some(Kind::Planned);
            if world.standin.is_some() {
                world.tell_standin(member, Input::Leave)?;
            } else if !world.setup.is_cluster() {
                return Ok(Hurt::Impossible("these servers have no lease".to_owned()));
            } else {
                let url = format!("{}/-/lease/release", world.web(member));
                if let Err(error) = world.reader.post(&url).await {
                    return Ok(Hurt::Impossible(format!("{error:#}")));
                }
            }
        }
        (Fault::CutMembers { both, .. }, Some(member)) => {
            ways(&world.setup, member, both).for_each(|(from, to)| world.links.cut(from, to));
        }
        (Fault::CutRemote { both, .. }, Some(member)) => {
            remote_ways(member, both).for_each(|(from, to)| world.links.cut(from, to));
        }
        (Fault::FillDisk(_), Some(member)) => {
            disks::fill(&world.runtime, &world.folder.join(member_name(member)))?;
        }
        (Fault::LoseRemote, _) => world.parts.pause("remote"),
        (Fault::SlowTarget { target, delay }, _) => world.targets[target].set_delay(delay),
        (Fault::KillAlertmanager(index), _) => {
            world.parts.kill(&format!("alertmanager-{}", index + 1));
        }
        (_, None) => return Ok(Hurt::Impossible("there is no such member".to_owned())),
    }
    Ok(Hurt::Begun(Begun { fault, at_ms, until_ms, member, kind }))
}

pub(super) fn end(world: &mut World, begun: &Begun) -> anyhow::Result<()> {
    match (begun.fault, begun.member) {
        (Fault::Kill(_), Some(member)) => match world.standin.is_some() {
            true => world.tell_standin(member, Input::Join)?,
            false => world.parts.start(&member_name(member))?,
        },
        (Fault::Pause(_), Some(member)) => world.parts.resume(&member_name(member)),
        (Fault::Restart(_) | Fault::Release, Some(member)) => {
            world.tell_standin(member, Input::Join)?;
        }
        (Fault::CutMembers { both, .. }, Some(member)) => {
            ways(&world.setup, member, both).for_each(|(from, to)| world.links.mend(from, to));
        }
        (Fault::CutRemote { both, .. }, Some(member)) => {
            remote_ways(member, both).for_each(|(from, to)| world.links.mend(from, to));
        }
        (Fault::FillDisk(_), Some(member)) => {
            disks::free(&world.runtime, &world.folder.join(member_name(member)))?;
        }
        (Fault::LoseRemote, _) => world.parts.resume("remote"),
        (Fault::SlowTarget { target, .. }, _) => {
            world.targets[target].set_delay(Default::default())
        }
        (Fault::KillAlertmanager(index), _) => {
            world.parts.start(&format!("alertmanager-{}", index + 1))?;
        }
        (_, None) => {}
    }
    Ok(())
}

fn who(fault: Fault) -> Option<Who> {
    match fault {
        Fault::Kill(who)
        | Fault::Pause(who)
        | Fault::Restart(who)
        | Fault::CutMembers { who, .. }
        | Fault::CutRemote { who, .. }
        | Fault::FillDisk(who) => Some(who),
        Fault::Release
        | Fault::LoseRemote
        | Fault::SlowTarget { .. }
        | Fault::KillAlertmanager(_) => None,
    }
}

/// Between `member` and each other one: what it sends, and what it hears if `both`.
fn ways(setup: &Setup, member: usize, both: bool) -> impl Iterator<Item = (Party, Party)> {
    let own = Party::Member(member);
    let others = (0..setup.n_members()).filter(move |other| *other != member).map(Party::Member);
    others.flat_map(move |other| {
        [(own, other), (other, own)].into_iter().take(if both { 2 } else { 1 })
    })
}

fn remote_ways(member: usize, both: bool) -> impl Iterator<Item = (Party, Party)> {
    let (own, remote) = (Party::Member(member), Party::Remote);
    [(own, remote), (remote, own)].into_iter().take(if both { 2 } else { 1 })
}
