//! Whose is this key? Rendezvous hashing: every member ranks all members for a key in the same
//! order, and a member that joins or leaves moves only the keys that it takes or had.

use crate::MemberId;

/// `members` in the order in which they answer for `key`, the same on every member.
pub fn ranking(key: u64, members: &[MemberId]) -> Vec<MemberId> {
    let mut ranked: Vec<_> = members.iter().map(|member| (score(key, *member), *member)).collect();
    ranked.sort_unstable_by(|a, b| b.cmp(a));
    ranked.into_iter().map(|(_, member)| member).collect()
}

/// Whether `member` is among the first `replication_factor` of `members` for `key`; a factor of
/// zero stands for all.
pub fn is_owner(
    key: u64,
    member: MemberId,
    members: &[MemberId],
    replication_factor: usize,
) -> bool {
    if replication_factor == 0 || members.len() <= replication_factor {
        return members.contains(&member);
    }
    let own = (score(key, member), member);
    let is_ahead = |other: &&MemberId| (score(key, **other), **other) > own;
    members.contains(&member) && members.iter().filter(is_ahead).count() < replication_factor
}

/// The first `replication_factor` of the ranking; all for a factor of zero.
pub fn owners(key: u64, members: &[MemberId], replication_factor: usize) -> Vec<MemberId> {
    let mut ranked = ranking(key, members);
    if replication_factor > 0 {
        ranked.truncate(replication_factor);
    }
    ranked
}

/// Whoever of `members` comes first for `key`.
pub(crate) fn first(key: u64, members: impl Iterator<Item = MemberId>) -> Option<MemberId> {
    members.map(|member| (score(key, member), member)).max().map(|(_, member)| member)
}

/// The larger, the further ahead. Part of the protocol: members of all versions rank alike.
pub(crate) fn score(key: u64, member: MemberId) -> u64 {
    let (high, low) = ((member.0 >> 64) as u64, member.0 as u64);
    mix(key ^ mix(high ^ mix(low)))
}

/// SplitMix64's finaliser: every bit of the input moves half of the output's bits.
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids(n: usize, seed: u64) -> Vec<MemberId> {
        let id = |idx: usize| u128::from(mix(seed ^ idx as u64)) << 64 | idx as u128;
        (0..n).map(|idx| MemberId(id(idx))).collect()
    }

    proptest! {
        #[test]
        fn the_order_of_members_does_not_matter(key: u64, seed: u64, n in 1usize..9) {
            let members = ids(n, seed);
            let mut reversed = members.clone();
            reversed.reverse();
            prop_assert_eq!(ranking(key, &members), ranking(key, &reversed));
            prop_assert_eq!(first(key, reversed.into_iter()), Some(ranking(key, &members)[0]));
        }

        #[test]
        fn owners_are_the_first_of_the_ranking(key: u64, seed: u64, n in 1usize..9, factor in 0usize..5) {
            let members = ids(n, seed);
            let owners = owners(key, &members, factor);
            for member in &members {
                let expected = owners.contains(member);
                prop_assert_eq!(is_owner(key, *member, &members, factor), expected);
            }
        }

        #[test]
        fn who_leaves_moves_only_what_it_had(key: u64, seed: u64, n in 2usize..9, factor in 1usize..5) {
            let members = ids(n, seed);
            let (gone, rest) = members.split_last().expect("at least two");
            let (before, after) = (owners(key, &members, factor), owners(key, rest, factor));
            if before.contains(gone) {
                let stay = before.iter().filter(|member| *member != gone);
                prop_assert!(stay.into_iter().all(|member| after.contains(member)));
            } else {
                prop_assert_eq!(before, after);
            }
        }
    }

    #[test]
    fn keys_are_spread_evenly() {
        let members = ids(3, 7);
        let mut counts = [0; 3];
        for key in 0..30_000 {
            let owner = first(key, members.iter().copied()).expect("there are members");
            counts[owner.0 as u64 as usize] += 1;
        }
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
    }

    #[test]
    fn the_order_is_part_of_the_protocol() {
        let members = [MemberId(1), MemberId(2), MemberId(3)];
        let firsts: Vec<_> = (0..8).map(|key| ranking(key, &members)[0].0).collect();
        assert_eq!(firsts, [1, 1, 2, 3, 3, 3, 2, 1]);
    }
}
