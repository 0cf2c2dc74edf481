use std::{fmt::Write as _, time::Duration};

use model::{Labels, Timestamp};

use super::{Alerts, Instance, State};
use crate::{SampleValue, file::Alerting};

const MINUTE: Duration = Duration::from_secs(60);

/// Evaluates every minute: `x` where the expression is true, `.` where it is not. Prints the state
/// after each (`p`ending, `f`iring, `k`ept firing, `r`esolved, `-`), and `!` where it was sent.
#[track_caller]
fn check(alerting: &Alerting, resend_delay: Duration, truth: &str, expected: &str) {
    let mut alerts = Alerts::default();
    let mut found = String::new();
    for (minute, truth) in truth.chars().enumerate() {
        let now = Timestamp::from_millis(minute as i64 * 60_000);
        let instances = (truth == 'x').then(instance).into_iter().collect();
        alerts.advance(now, alerting, None, instances).expect("no limit");
        let state = alerts.active.values().next().map(|a| (a.state, a.keep_firing_since));
        found.push(match state {
            None => '-',
            Some((State::Pending, _)) => 'p',
            Some((State::Firing, None)) => 'f',
            Some((State::Firing, Some(_))) => 'k',
            Some((State::Inactive, _)) => 'r',
        });
        for sent in alerts.take_due((now, now), resend_delay, MINUTE, "") {
            let ends_in = sent.ends_at.as_millis() - now.as_millis();
            write!(found, "!{}", ends_in / 60_000).expect("writing to a string cannot fail");
        }
    }
    assert_eq!(found, expected);
}

fn instance() -> Instance {
    let labels = Labels::from_pairs([("a", "b")]);
    Instance { labels, annotations: Labels::default(), value: SampleValue::Float(1.0) }
}

fn alerting(hold_minutes: u32, keep_minutes: u32) -> Alerting {
    Alerting {
        hold: MINUTE * hold_minutes,
        keep_firing_for: MINUTE * keep_minutes,
        ..Alerting::default()
    }
}

#[test]
fn pending_alerts_fire_after_their_time_and_are_forgotten_before() {
    check(&alerting(2, 0), MINUTE, "xx.xxxx", "pp-ppf!4f");
}

#[test]
fn without_a_time_to_hold_they_fire_at_once() {
    check(&alerting(0, 0), MINUTE, "x", "f!4");
}

#[test]
fn firing_alerts_are_repeated_once_the_delay_has_passed() {
    check(&alerting(0, 0), MINUTE * 2, "xxxxxxx", "f!8fff!8fff!8");
}

#[test]
fn resolved_alerts_are_sent_at_once_and_forgotten_after_fifteen_minutes() {
    check(&alerting(0, 0), MINUTE * 5, "x..................", "f!20r!0rrrrrr!-6rrrrrr!-12rrr--");
}

#[test]
fn kept_firing_bridges_gaps() {
    check(&alerting(0, 2), MINUTE * 100, "x.x...x", "f!400kfkkr!0f!400");
}
