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

/// Scrapes of texts, in this order; says how often a series was where it was expected.
fn n_guessed(cache: &mut Cache, texts: &[&str]) -> usize {
    cache.begin();
    let mut n_guessed = 0;
    for text in texts {
        let line = format!("{text} 1\nnext{{}} 2\n");
        if cache.guess(line.as_bytes()).is_some() {
            n_guessed += 1;
        }
        let known = cache.take_guessed();
        let key = cache.key(text.as_bytes(), 0);
        assert!(known.is_none_or(|known| known == key));
        if cache.see(key, true) == Found::New {
            cache.add(key, SeriesRef(text.len() as u64), true);
        }
    }
    cache.vanished();
    cache.clean(true);
    n_guessed
}

#[test]
fn the_order_of_series_is_learnt() {
    let texts: Vec<String> = (0..100).map(|n| format!("a{{n=\"{n}\"}}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut cache = Cache::new(7);
    let mut scrape = |texts: &[&str]| n_guessed(&mut cache, texts);
    assert_eq!(scrape(&texts), 0);
    assert_eq!(scrape(&texts), 100);
    // One that goes, then comes back behind the others.
    assert_eq!(scrape(&texts[1..]), 98);
    assert_eq!(scrape(&texts[1..]), 98);
    assert_eq!(scrape(&texts), 98);
    // All at once elsewhere: seen once, then known.
    let reversed: Vec<&str> = texts.iter().rev().copied().collect();
    assert!(scrape(&reversed) <= 1);
    assert!(scrape(&reversed) <= 1);
    assert_eq!(scrape(&reversed), 100);
}

#[test]
fn a_name_without_labels_is_never_guessed() {
    let mut cache = Cache::new(7);
    n_guessed(&mut cache, &["up"]);
    assert_eq!(n_guessed(&mut cache, &["up"]), 0, "it might go on, with a name or with labels");
}
