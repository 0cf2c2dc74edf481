use std::time::Duration;

use super::{Fault, Shape, Who, plan};

const SHAPE: Shape = Shape {
    n_members: 3,
    n_targets: 6,
    n_alertmanagers: 3,
    has_remote: true,
    has_small_disks: true,
};
const DURATION: Duration = Duration::from_secs(60);

#[test]
fn a_seed_is_a_history() {
    assert_eq!(plan(7, &SHAPE, DURATION), plan(7, &SHAPE, DURATION));
    assert_ne!(plan(7, &SHAPE, DURATION), plan(8, &SHAPE, DURATION));
}

#[test]
fn the_writer_crashes_and_hands_over_in_each_history() {
    for seed in 0..500 {
        let steps = plan(seed, &SHAPE, DURATION);
        let crashes = steps.iter().any(|step| step.fault == Fault::Kill(Who::Writer));
        let planned = |fault| matches!(fault, Fault::Release | Fault::Restart(Who::Writer));
        assert!(crashes && steps.iter().any(|step| planned(step.fault)), "{seed}: {steps:?}");
    }
}

#[test]
fn one_member_at_a_time_is_hurt_and_all_is_well_at_the_end() {
    for seed in 0..500 {
        let steps = plan(seed, &SHAPE, DURATION);
        let hurt = steps.iter().filter(|step| step.fault.needs_all_members());
        let ends = hurt.fold(Duration::ZERO, |before, step| {
            assert!(step.at >= before, "{seed}: {steps:?}");
            step.at + step.lasts
        });
        assert!(ends <= DURATION);
    }
}

#[test]
fn what_is_not_there_is_not_hurt() {
    let shape = Shape { n_alertmanagers: 1, has_remote: false, has_small_disks: false, ..SHAPE };
    for step in (0..500).flat_map(|seed| plan(seed, &shape, DURATION)) {
        let is_there = !matches!(
            step.fault,
            Fault::LoseRemote
                | Fault::CutRemote { .. }
                | Fault::KillAlertmanager(_)
                | Fault::FillDisk(_)
        );
        assert!(is_there, "{step:?}");
    }
}
