//! Which blocks are to become one, as upstream levels them.

use blocks::Meta;
use ulid::Ulid;

/// A large block is rewritten once so many of its series have something deleted.
const TOMBSTONES_MAX: f64 = 0.05;

/// The lengths of blocks in milliseconds, from the shortest to the longest: each three times the
/// one before.
pub(crate) fn ranges(shortest: i64, longest: i64) -> Vec<i64> {
    let next = |range: &i64| range.checked_mul(3);
    let ranges = std::iter::successors(Some(shortest), next).take(10);
    ranges.take_while(|range| *range <= longest.max(shortest)).collect()
}

/// The blocks to merge next, in order of time; none if all is well. `blocks` are in any order.
pub(crate) fn plan(blocks: &[Meta], ranges: &[i64]) -> Vec<Ulid> {
    // Blocks of stale series stay among themselves.
    let (stale, usual): (Vec<&Meta>, Vec<&Meta>) =
        blocks.iter().partition(|meta| meta.is_from_stale_series());
    let of = |mut metas: Vec<&Meta>| {
        metas.sort_by_key(|meta| meta.min_time);
        let planned = plan_alike(&metas, ranges);
        planned.iter().map(|meta| meta.ulid).collect::<Vec<_>>()
    };
    let planned = of(usual);
    if planned.is_empty() { of(stale) } else { planned }
}

fn plan_alike<'a>(blocks: &[&'a Meta], ranges: &[i64]) -> Vec<&'a Meta> {
    let overlapping = overlapping(blocks);
    if !overlapping.is_empty() {
        return overlapping;
    }
    // The newest may still get company.
    let Some((_, settled)) = blocks.split_last() else { return Vec::new() };
    let level = next_level(settled, ranges);
    if level.is_empty() { much_deleted(settled, ranges) } else { level }
}

/// The first run of blocks that overlap each other.
fn overlapping<'a>(blocks: &[&'a Meta]) -> Vec<&'a Meta> {
    let Some(mut end) = blocks.first().map(|first| first.max_time) else { return Vec::new() };
    let mut run = Vec::new();
    for pair in blocks.windows(2) {
        let (before, block) = (pair[0], pair[1]);
        if block.min_time < end {
            if run.is_empty() {
                run.push(before);
            }
            run.push(block);
        } else if !run.is_empty() {
            break;
        }
        end = end.max(block.max_time);
    }
    run
}

/// Blocks that together fill a longer range, or will not get any fuller.
fn next_level<'a>(blocks: &[&'a Meta], ranges: &[i64]) -> Vec<&'a Meta> {
    let Some(newest) = blocks.last().map(|block| block.min_time) else { return Vec::new() };
    for range in ranges.iter().skip(1) {
        for group in split_by_range(blocks, *range) {
            let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
            let fills_range = last.max_time - first.min_time == *range;
            let is_past = last.max_time <= newest;
            let has_failed = group.iter().any(|block| block.compaction.failed);
            // A block of late samples may be newer than what has left the head in order. As part of
            // another block it would pass for that after a restart.
            let n_late = group.iter().filter(|block| block.is_from_out_of_order()).count();
            let is_alike = n_late == 0 || n_late == group.len();
            if group.len() > 1 && (fills_range || is_past) && !has_failed && is_alike {
                return group;
            }
        }
    }
    Vec::new()
}

/// The newest block of which too much is deleted.
fn much_deleted<'a>(blocks: &[&'a Meta], ranges: &[i64]) -> Vec<&'a Meta> {
    let long = ranges.get(ranges.len() / 2).copied().unwrap_or(i64::MAX);
    for block in blocks.iter().rev() {
        let stats = &block.stats;
        let is_empty = stats.num_tombstones > 0 && stats.num_tombstones >= stats.num_series;
        if block.max_time - block.min_time < long {
            return if is_empty { vec![*block] } else { Vec::new() };
        }
        if stats.num_tombstones as f64 / (stats.num_series + 1) as f64 > TOMBSTONES_MAX {
            return vec![*block];
        }
    }
    Vec::new()
}

/// Groups blocks, which are sorted, by the aligned range that they are in; those that cross one
/// are left out.
pub(crate) fn split_by_range<'a>(blocks: &[&'a Meta], range: i64) -> Vec<Vec<&'a Meta>> {
    let mut groups: Vec<(i64, Vec<&Meta>)> = Vec::new();
    for block in blocks {
        let end = block.min_time.div_euclid(range) * range + range;
        match groups.last_mut() {
            Some((group_end, group)) if block.max_time <= *group_end => group.push(block),
            _ if block.max_time <= end => groups.push((end, vec![block])),
            _ => {}
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}
