//! What alerts must be at every moment, from the plan alone.
//!
//! Nobody knows what happens while nothing runs, nor right before and after: such stretches are
//! *dark*. Time that is not is *lit*, and only that counts for what must have happened by now.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rules::{GroupStatus, State};

use super::{
    plan::{Alert, GRACE, Plan},
    server::Sent,
};

/// What an Alertmanager believes without hearing anything new: four times the resend delay.
const BELIEVED: Duration = Duration::from_secs(240);
/// `ALERTS_FOR_STATE` counts whole seconds.
const ROUNDING: Duration = Duration::from_secs(1);

/// Nothing ran between two moments; all times are since the beginning.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dark {
    pub(super) from: Duration,
    pub(super) to: Duration,
    pub(super) is_restart: bool,
}

pub(super) struct Verdict<'a> {
    plan: &'a Plan,
    dark: Vec<Dark>,
    /// By alert and instance, until when an Alertmanager takes it for firing.
    believed: BTreeMap<(String, usize), Duration>,
    /// After so long a change is seen.
    seen: Duration,
    /// After so long a server that was away is back to normal.
    back: Duration,
}

/// One alert at one moment.
struct Look<'a> {
    alert: &'a Alert,
    instance: usize,
    now: Duration,
    /// Whether the level is 1, and since when it is as it is.
    is_high: bool,
    since: Duration,
}

impl Verdict<'_> {
    pub(super) fn new(plan: &Plan) -> Verdict<'_> {
        let (scrape, interval) =
            (Duration::from_secs(plan.scrape), Duration::from_secs(plan.intervals[0]));
        // Scraped, evaluated, and once more when a time is over.
        let seen = scrape + interval * 2 + ROUNDING;
        let (dark, believed) = (Vec::new(), BTreeMap::new());
        // It doubts for two scrapes, and restores at the second evaluation.
        Verdict { plan, dark, believed, seen, back: scrape * 2 + interval * 2 + seen }
    }

    pub(super) fn note(&mut self, dark: Dark) {
        self.dark.push(dark);
    }

    pub(super) fn dark(&self) -> &[Dark] {
        &self.dark
    }

    /// An Alertmanager hears of alerts; nothing may be over that goes on.
    pub(super) fn hear(
        &mut self,
        started: Duration,
        now: Duration,
        sent: Vec<Sent>,
    ) -> Result<(), String> {
        for (sent_at, alert) in sent {
            let label = |name| alert.labels.get(name).unwrap_or_default().to_owned();
            let instance: usize = label("instance").parse().unwrap_or_default();
            let ends_at = Duration::from_millis(alert.ends_at.as_millis().max(0) as u64);
            let is_over = alert.ends_at <= sent_at;
            if is_over && !self.was_low(instance, now) {
                return Err(format!("at {now:?} {} is said to be over", alert.labels));
            }
            self.believed.insert((label("alertname"), instance), ends_at.saturating_sub(started));
        }
        Ok(())
    }

    /// Whether what the rules see at `now` may be a level of 0.
    fn was_low(&self, instance: usize, now: Duration) -> bool {
        let dark = self.dark.iter().rev().find(|dark| now < dark.to + self.back);
        let from = dark.map_or(now, |dark| dark.from).saturating_sub(self.seen);
        let (is_high, since) = self.plan.level(instance, now.as_secs());
        !is_high || Duration::from_secs(since) >= from
    }

    /// Looks at all alerts of a server; how many it could judge.
    pub(super) fn look(&self, now: Duration, groups: &[Arc<GroupStatus>]) -> Result<usize, String> {
        if self.is_dark(now) {
            return Ok(0);
        }
        let mut n_looks = 0;
        for alert in &self.plan.alerts {
            let mut rules = groups.iter().flat_map(|group| &group.rules);
            let Some(rule) = rules.find(|rule| rule.rule.name == alert.name) else {
                return Err(format!("there is no rule {}", alert.name));
            };
            for instance in 0..self.plan.turns.len() {
                let name = instance.to_string();
                let is_it = |found: &&rules::Alert| found.labels.get("instance") == Some(&*name);
                let state = rule.alerts.iter().find(is_it).map(|found| found.state);
                let (is_high, since) = self.plan.level(instance, now.as_secs());
                let since = Duration::from_secs(since);
                let look = Look { alert, instance, now, is_high, since };
                if let Some(complaint) = self.complain(&look, state) {
                    let Alert { name, hold, keep } = alert;
                    let level = u8::from(is_high);
                    return Err(format!(
                        "at {now:?} {name} of {instance} (for {hold} s, kept {keep} s) is \
                         {state:?}, its level is {level} since {since:?}, {complaint}; dark: {:?}",
                        self.dark
                    ));
                }
                n_looks += 1;
            }
        }
        Ok(n_looks)
    }

    fn complain(&self, look: &Look<'_>, state: Option<State>) -> Option<String> {
        let Look { alert, instance, now, is_high, since } = *look;
        let believed = self.believed.get(&(alert.name.clone(), instance)).copied();
        let believed = believed.unwrap_or_default();
        if state == Some(State::Firing) && believed <= now {
            return Some(format!("an Alertmanager takes it for over since {believed:?}"));
        }
        let was_away = self.restarts().any(|dark| dark.to + BELIEVED + self.back > now);
        if state.is_none() && self.lit(since, now) > self.seen && believed > now && !was_away {
            return Some(format!("an Alertmanager believes it until {believed:?}"));
        }
        if is_high { self.complain_high(look, state) } else { self.complain_low(look, state) }
    }

    fn complain_high(&self, look: &Look<'_>, state: Option<State>) -> Option<String> {
        let Look { alert, instance, now, since, .. } = *look;
        if state.is_none() && self.lit(since, now) > self.seen {
            return Some("it is forgotten".to_owned());
        }
        if state != Some(State::Firing) && self.must_fire(alert, since, now) {
            return Some("it waits too long".to_owned());
        }
        let earliest = self.earliest(alert, instance, since) + Duration::from_secs(alert.hold);
        (state == Some(State::Firing) && now + ROUNDING < earliest)
            .then(|| format!("it may not fire before {earliest:?}"))
    }

    fn complain_low(&self, look: &Look<'_>, state: Option<State>) -> Option<String> {
        let Look { alert, instance, now, since, .. } = *look;
        let keep = Duration::from_secs(alert.keep);
        if state.is_some() && self.lit(since, now) > keep + self.seen {
            return Some("it goes on for too long".to_owned());
        }
        // Only a restart stops the clock.
        let away: Duration = self.restarts().map(|dark| overlap(*dark, since, now)).sum();
        let is_kept = now - since + self.seen < keep + away.min(now - since);
        let (_, before) = self.plan.level(instance, since.as_secs().saturating_sub(1));
        let had_fired =
            !self.is_dark(since) && self.must_fire(alert, Duration::from_secs(before), since);
        (state != Some(State::Firing) && is_kept && had_fired)
            .then(|| "it should be kept firing".to_owned())
    }

    /// Whether an alert must fire at `now` whose level is 1 since then.
    fn must_fire(&self, alert: &Alert, since: Duration, now: Duration) -> bool {
        let (hold, grace) = (Duration::from_secs(alert.hold), Duration::from_secs(GRACE));
        // The grace begins when the state is restored, which another fault may put off.
        let wide = self.wide();
        let restored = |dark: &Dark| {
            let around = wide.iter().find(|wide| wide.from <= dark.to && dark.to <= wide.to);
            around.map_or(dark.to, |wide| wide.to)
        };
        let is_graced = hold >= grace
            && self.restarts().any(|dark| dark.to > since && restored(dark) + grace > now);
        !is_graced && self.lit(since, now) > hold + self.seen
    }

    /// Since when the level is 1 as far as the rules may know: they may not have seen it fall, or
    /// may have kept the alert firing meanwhile.
    fn earliest(&self, alert: &Alert, instance: usize, mut since: Duration) -> Duration {
        while since > Duration::ZERO {
            let fall = self.plan.level(instance, since.as_secs().saturating_sub(1)).1;
            let fall = Duration::from_secs(fall);
            if self.lit(fall, since) > Duration::from_secs(alert.keep) + self.seen {
                break;
            }
            let Some(before) = fall.as_secs().checked_sub(1) else { break };
            since = Duration::from_secs(self.plan.level(instance, before).1);
        }
        since
    }

    fn restarts(&self) -> impl Iterator<Item = &Dark> {
        self.dark.iter().filter(|dark| dark.is_restart)
    }

    /// Dark stretches with what is around them, one after the other.
    fn wide(&self) -> Vec<Dark> {
        let mut wide: Vec<Dark> = Vec::new();
        for dark in &self.dark {
            let dark = Dark {
                from: dark.from.saturating_sub(self.seen),
                to: dark.to + self.back,
                ..*dark
            };
            match wide.last_mut() {
                Some(last) if dark.from <= last.to => last.to = dark.to,
                _ => wide.push(dark),
            }
        }
        wide
    }

    fn is_dark(&self, at: Duration) -> bool {
        self.wide().iter().any(|dark| dark.from <= at && at <= dark.to)
    }

    fn lit(&self, from: Duration, to: Duration) -> Duration {
        let dark: Duration = self.wide().iter().map(|dark| overlap(*dark, from, to)).sum();
        to.saturating_sub(from).saturating_sub(dark)
    }
}

fn overlap(dark: Dark, from: Duration, to: Duration) -> Duration {
    dark.to.min(to).saturating_sub(dark.from.max(from))
}
