//! When to scrape. Pure.

use std::time::Duration;

use model::Labels;

/// What sets the scrapes of this server apart from those of others with the same targets.
pub(crate) fn seed(host_name: &str, external_labels: &Labels) -> u64 {
    fnv(&[host_name.as_bytes(), external_labels.to_string().as_bytes()])
}

/// Tells targets apart, also over restarts: the same number that upstream has.
pub(crate) fn hash(labels: &Labels, url: &str) -> u64 {
    fnv(&[format!("{:016}", labels.hash64()).as_bytes(), url.as_bytes()])
}

/// Tells targets of different jobs apart, too.
pub(crate) fn shared_key(hash: u64, job: &str) -> u64 {
    fnv(&[&hash.to_be_bytes(), job.as_bytes()])
}

/// How long from `now`, since the epoch, until the target's turn. Turns are a matter of wall-clock
/// time, so that a restart keeps the rhythm.
pub(crate) fn wait(hash: u64, seed: u64, interval: Duration, now: Duration) -> Duration {
    let interval = interval.as_nanos().max(1);
    let rest = interval - now.as_nanos() % interval;
    let offset = u128::from(hash ^ seed) % interval;
    let next = if rest + offset > interval { rest + offset - interval } else { rest + offset };
    Duration::from_nanos(u64::try_from(next).unwrap_or(u64::MAX))
}

/// The time of the samples of a scrape at `now` whose turn was at `ideal`: that one, if it is not
/// further away than the tolerance and 1 % of the interval.
pub(crate) fn align(
    now: Duration,
    ideal: Duration,
    interval: Duration,
    tolerance: Duration,
) -> Duration {
    let tolerance = tolerance.min(interval / 100);
    if now.abs_diff(ideal) <= tolerance { ideal } else { now }
}

/// FNV-1a with 64 bits.
fn fnv(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.iter());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
