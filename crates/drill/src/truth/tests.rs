use super::{Key, Truth};

const TRUTH: Truth = Truth { epoch_ms: 500, interval_ms: 1000, n_targets: 2, n_series: 3 };

#[test]
fn a_value_tells_its_slot_and_nobody_elses() {
    for key in [TRUTH.raw_keys(), TRUTH.recorded_keys()].concat() {
        for slot in [0, 1, 59, 86_400] {
            let value = TRUTH.value(key, slot) as f64;
            assert_eq!(TRUTH.slot_of(key, value), Some(slot), "{key:?}");
        }
    }
    let first = TRUTH.value(Key::Raw { target: 0, series: 0 }, 7) as f64;
    assert_eq!(TRUTH.slot_of(Key::Raw { target: 0, series: 1 }, first), None);
    assert_eq!(TRUTH.slot_of(Key::Raw { target: 0, series: 0 }, first + 0.5), None);
}

#[test]
fn a_target_says_its_slot_and_whether_an_alert_has_to_fire() {
    let page = TRUTH.page(0, 10_500);
    assert!(page.contains("drill_slots_total{series=\"2\"} 3000010\n"), "{page}");
    assert!(page.contains("drill_pulse{episode=\"1\"} 1\n"), "{page}");
    assert!(!TRUTH.page(0, 16_500).contains("episode"));
    assert!(!TRUTH.page(1, 10_500).contains("episode"));
}

#[test]
fn only_whole_episodes_are_expected() {
    assert_eq!(TRUTH.episodes(500, 30_500), 0..3);
    assert_eq!(TRUTH.episodes(501, 30_499), 1..2);
    assert_eq!(TRUTH.episodes(501, 9_000), 1..1);
}
