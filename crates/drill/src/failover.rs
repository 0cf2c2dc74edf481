//! How long until the next writer wrote? Pure.

#[cfg(test)]
mod tests;

use crate::ledger::Range;

/// The remote end took something from a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) at_ms: i64,
    pub(crate) member: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Crash,
    Planned,
}

/// A member was kept from writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) at_ms: i64,
    /// From when on it may write again.
    pub(crate) until_ms: i64,
    pub(crate) member: usize,
    pub(crate) kind: Kind,
}

/// Nobody could write to the remote end, or one could not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Away {
    pub(crate) range: Range,
    /// The member that was cut off from it; all, where none is named.
    pub(crate) from: Option<usize>,
}

/// A hit on the one that wrote.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Failover {
    pub(crate) hit: Hit,
    /// Until the remote end took something again; nothing if it never did.
    pub(crate) seconds: Option<f64>,
}

/// Who has written this shortly before is the writer.
const RECENT_MS: i64 = 3000;
/// A remote end that comes back within this time says nothing of the failover.
const SETTLE_MS: i64 = 6000;

/// What each hit on a writer did. While the remote end is away nobody can tell, nor while another
/// member is cut off from it, which may be the next writer.
pub(crate) fn failovers(hits: &[Hit], writes: &[Write], away: &[Away]) -> Vec<Failover> {
    let was_away = |hit: &Hit| {
        let matters = |away: &&Away| away.from.is_none_or(|member| member != hit.member);
        let overlaps = |range: Range| {
            range.from_ms < hit.at_ms + SETTLE_MS && range.to_ms + SETTLE_MS > hit.at_ms
        };
        away.iter().filter(matters).any(|away| overlaps(away.range))
    };
    hits.iter()
        .filter(|hit| writer_before(hit.at_ms, writes) == Some(hit.member) && !was_away(hit))
        .map(|hit| {
            let may_write =
                |write: &&Write| write.member != hit.member || write.at_ms >= hit.until_ms;
            let mut after = writes.iter().filter(|write| write.at_ms > hit.at_ms);
            let next = after.find(may_write);
            let seconds = next.map(|write| (write.at_ms - hit.at_ms) as f64 / 1000.0);
            Failover { hit: *hit, seconds }
        })
        .collect()
}

/// The member that wrote last before a moment, if that is not long ago.
pub(crate) fn writer_before(at_ms: i64, writes: &[Write]) -> Option<usize> {
    let before = writes.partition_point(|write| write.at_ms <= at_ms);
    let last = writes.get(before.checked_sub(1)?)?;
    (at_ms - last.at_ms <= RECENT_MS).then_some(last.member)
}

/// How long each member wrote without another in between.
pub(crate) fn reigns(writes: &[Write]) -> Vec<(usize, Range)> {
    let mut reigns: Vec<(usize, Range)> = Vec::new();
    for write in writes {
        match reigns.last_mut().filter(|(member, _)| *member == write.member) {
            Some((_, range)) => range.to_ms = write.at_ms,
            None => {
                let range = Range { from_ms: write.at_ms, to_ms: write.at_ms };
                reigns.push((write.member, range));
            }
        }
    }
    reigns
}
