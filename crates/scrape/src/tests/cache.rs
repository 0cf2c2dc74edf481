use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use storage::SeriesRef;

use crate::cache::{Cache, Found};

/// One scrape: the series that it brings, and whether it succeeds.
type Scrape = (BTreeSet<u8>, bool);

/// What the cache says beside what a set of live series says.
fn check(scrapes: &[Scrape]) {
    let mut cache = Cache::new(7);
    let mut live: BTreeSet<u64> = BTreeSet::new();
    let mut known: BTreeMap<u8, u64> = BTreeMap::new();
    for (series, succeeds) in scrapes {
        cache.begin();
        for name in series {
            let handle = u64::from(*name) + 1;
            let key = cache.key(&[*name], 0);
            match cache.see(key, true) {
                Found::New => cache.add(key, SeriesRef(handle), true),
                found => {
                    let expected = Found::Known { series: SeriesRef(handle), is_repeated: false };
                    assert_eq!(found, expected);
                    assert!(known.contains_key(name));
                }
            }
            known.insert(*name, handle);
        }
        let now: BTreeSet<u64> = series.iter().map(|name| u64::from(*name) + 1).collect();
        let vanished = if *succeeds { cache.vanished() } else { cache.all_vanish() };
        let vanished: BTreeSet<u64> = vanished.into_iter().map(|series| series.0).collect();
        if *succeeds {
            assert_eq!(vanished, &live - &now);
            live = now;
        } else {
            assert_eq!(vanished, live);
            live.clear();
        }
        cache.clean(*succeeds);
    }
}

proptest! {
    #[test]
    fn markers_are_those_of_series_that_were_live(
        scrapes in prop::collection::vec(
            (prop::collection::btree_set(0u8..8, 0..6), any::<bool>()),
            0..12,
        ),
    ) {
        check(&scrapes);
    }
}

#[test]
fn failing_scrapes_do_not_fill_the_cache_without_end() {
    let mut cache = Cache::new(7);
    let mut was_forced = false;
    for scrape in 0..20u32 {
        cache.begin();
        for idx in 0..100u32 {
            let text = (scrape * 1000 + idx).to_le_bytes();
            let key = cache.key(&text, 0);
            cache.add(key, SeriesRef(1), true);
        }
        cache.all_vanish();
        was_forced |= cache.clean(false);
    }
    assert!(was_forced);
}
