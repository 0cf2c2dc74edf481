use std::{collections::HashMap, sync::Arc, time::Duration};

use runtime::clock::SimulatedClock;
use serde_json::{Value, json};

use super::{Dispatcher, Flush, Now};
use crate::{
    alert::{self, Alert},
    integration::{Notification, Reason, Store},
    route::{GroupBy, Route, RouteConfig},
    template::{Template, render_route_labels},
    testing::{
        alert, base, duration, expect, labels, route_config, run_table, seconds_after, text,
        text_map, texts, yaml,
    },
    view::{AlertState, AlertStatus},
};

/// A dispatcher and the time in it.
struct World {
    dispatcher: Dispatcher,
    elapsed: Duration,
}

impl World {
    fn new(config: &RouteConfig, start_delay: Duration, groups_max: Option<usize>) -> World {
        let dispatcher = Dispatcher::new(Route::new(config), start_delay, groups_max);
        World { dispatcher, elapsed: Duration::ZERO }
    }

    fn now(&self) -> Now {
        Now { time: base() + self.elapsed, monotonic: self.elapsed }
    }

    fn insert(&mut self, alert: Alert) {
        let now = self.now();
        self.dispatcher.insert(alert.fingerprint(), &Arc::new(alert), now);
    }

    /// Lets time pass until the next flushes, which are prepared.
    fn next_flushes(&mut self) -> Vec<Flush> {
        let Some(deadline) = self.dispatcher.next_deadline() else { return Vec::new() };
        self.elapsed = self.elapsed.max(deadline);
        let mut flushes = self.dispatcher.tick(self.now());
        flushes.iter_mut().for_each(Flush::prepare);
        flushes
    }

    fn finish(&mut self, flush: &Flush, is_success: bool) -> Option<Flush> {
        let now = self.now();
        self.dispatcher.finish(flush, is_success, now)
    }
}

fn config_of(case: &Value) -> RouteConfig {
    let names = texts(&case["group_by"]);
    let seconds = |key: &str| case[key].as_f64().map(Duration::from_secs_f64);
    RouteConfig {
        receiver: Some("r".to_owned()),
        group_by: Some(GroupBy::Labels(names.into_iter().collect())),
        group_wait: seconds("group_wait_s"),
        group_interval: seconds("group_interval_s"),
        ..RouteConfig::default()
    }
}

#[test]
fn alerts_are_grouped_as_upstream() {
    run_table("dispatch/groups", &[], |_, case| {
        let config = route_config(&yaml(text(&case["config_yaml"]))["route"]);
        let groups_max = case["max_groups"].as_u64().map(|max| max as usize);
        let mut world = World::new(&config, Duration::ZERO, groups_max);
        let sets: Vec<_> = case["alerts"].as_array().expect("a list").iter().map(labels).collect();
        for labels in &sets {
            world.insert(Alert { labels: labels.clone(), ..alert(&json!({})) });
        }
        if let Some(count) = case["group_count"].as_u64() {
            expect(world.dispatcher.len() as u64, count)?;
            expect(Some(world.dispatcher.n_refused), case["limit_reached_counter"].as_u64())?;
            world.insert(alert(&json!({"labels": case["then_alert"]})));
            expect(Some(world.dispatcher.len() as u64), case["group_count_after"].as_u64())?;
            let refused = case["limit_reached_counter_after"].as_u64();
            return expect(Some(world.dispatcher.n_refused), refused);
        }
        let mut groups: Vec<_> = world.dispatcher.groups().collect();
        groups.sort_by(|a, b| {
            alert::compare_labels(&a.labels, &b.labels)
                .then_with(|| a.route.options.receiver.cmp(&b.route.options.receiver))
        });
        let wanted = case["groups"].as_array().expect("a list");
        expect(groups.len(), wanted.len())?;
        for (group, wanted) in groups.iter().zip(wanted) {
            expect(group.labels.clone(), labels(&wanted["labels"]))?;
            expect(group.route.options.receiver.as_str(), text(&wanted["receiver"]))?;
            expect(&*group.key, text(&wanted["group_key"]))?;
            expect(group.route.id.as_str(), text(&wanted["route_id"]))?;
            let mut members: Vec<_> =
                group.alerts().map(|(_, alert, _)| alert.labels.clone()).collect();
            members.sort();
            let mut indexes: Vec<_> = wanted["alerts"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|idx| sets[idx.as_u64().expect("an index") as usize].clone())
                .collect();
            indexes.sort();
            expect(members, indexes)?;
        }
        Ok(())
    });
}

#[test]
fn groups_flush_as_upstream() {
    run_table("dispatch/aggregation_group", &[], |_, case| {
        let mut config = config_of(case);
        let names = case["group_labels"].as_object().expect("a map").keys().cloned();
        config.group_by = Some(GroupBy::Labels(names.collect()));
        let mut world = World::new(&config, Duration::ZERO, None);
        let mut alerts: HashMap<&str, Alert> = HashMap::new();
        for (name, node) in case["alerts"].as_object().expect("a map") {
            alerts.insert(name, alert(node));
        }
        let mut last = Duration::ZERO;
        for (idx, step) in case["steps"].as_array().expect("a list").iter().enumerate() {
            if let Some(names) = step["insert"].as_array() {
                names.iter().for_each(|name| world.insert(alerts[text(name)].clone()));
            }
            for name in step["resolve_now"].as_array().into_iter().flatten() {
                let resolved = alerts.get_mut(text(name)).expect("a known alert");
                resolved.ends_at = Some(world.now().time);
                world.insert(resolved.clone());
            }
            if step["flush"].is_object() {
                check_flush(&mut world, &alerts, case, &step["flush"], &mut last)
                    .map_err(|error| format!("step {idx}: {error}"))?;
            }
            if !step["group_empty_within_s"].is_null() {
                expect(world.dispatcher.len(), 0)?;
            }
        }
        Ok(())
    });
}

fn check_flush(
    world: &mut World,
    alerts: &HashMap<&str, Alert>,
    case: &Value,
    wanted: &Value,
    last: &mut Duration,
) -> Result<(), String> {
    let flushes = world.next_flushes();
    let [flush] = flushes.as_slice() else { return Err(format!("{} flushes", flushes.len())) };
    let wait = duration(&case[format!("{}_s", text(&wanted["after"]))]);
    // A group whose first alert is late doesn't wait.
    if world.elapsed != Duration::ZERO {
        expect(world.elapsed - *last, wait)?;
    }
    *last = world.elapsed;
    let resolved = texts(&wanted["resolved"]);
    let mut told: Vec<_> = texts(&wanted["alerts"])
        .iter()
        .map(|name| {
            let alert = &alerts[name.as_str()];
            let end = alert.ends_at.filter(|_| resolved.contains(name));
            (alert.labels.clone(), end)
        })
        .collect();
    told.sort_by(|(a, _), (b, _)| alert::compare(a, b));
    let found: Vec<_> =
        flush.alerts.iter().map(|(_, alert)| (alert.labels.clone(), alert.ends_at)).collect();
    expect(found, told)?;
    expect(flush.labels.clone(), labels(&case["group_labels"]))?;
    expect(world.finish(flush, true).is_none(), true)
}

#[test]
fn flushes_and_starts_are_upstreams() {
    run_table("dispatch/flush_and_maintenance", &[], |_, case| match text(&case["test"]) {
        "TestDispatcher_DeleteResolvedAlertsFromMarker" => check_outcome(case),
        "TestDispatcher_DoMaintenance" => check_emptied_group(case),
        "TestDispatchOnStartup" => check_start(case),
        _ => check_many_groups(case),
    });
}

fn check_outcome(case: &Value) -> Result<(), String> {
    let mut world = World::new(&RouteConfig::default(), Duration::ZERO, None);
    let alerts: Vec<Alert> = case["alerts"].as_array().expect("a list").iter().map(alert).collect();
    alerts.iter().for_each(|alert| world.insert(alert.clone()));
    let flush = world.next_flushes().pop().ok_or("no flush")?;
    for alert in &alerts {
        let group = world.dispatcher.group_mut(flush.id).ok_or("no group")?;
        group.set_status(alert.fingerprint(), AlertStatus::new(Vec::new(), Vec::new()));
    }
    if case["during_flush_update"].is_object() {
        world.insert(alert(&case["during_flush_update"]));
    }
    world.finish(&flush, case["notify_succeeds"] == true);
    let state = |alert: &Alert| {
        let id = alert.fingerprint();
        let mut members = world.dispatcher.groups().flat_map(|group| group.alerts());
        let found = members.find(|(member, _, _)| *member == id);
        found.map_or(AlertState::Unprocessed, |(_, _, status)| status.state).as_str()
    };
    expect(alerts.iter().map(state).collect::<Vec<_>>(), texts(&case["state_after"]))
}

fn check_emptied_group(case: &Value) -> Result<(), String> {
    let mut world = World::new(&config_of(case), Duration::ZERO, None);
    world.insert(alert(&case["alerts"][0]));
    let flush = world.next_flushes().pop().ok_or("no flush")?;
    let group = world.dispatcher.group_mut(flush.id).ok_or("no group")?;
    group.muted_by = texts(&case["group_marked_muted_by"]);
    world.finish(&flush, true);
    expect(world.dispatcher.len(), 0)
}

fn check_start(case: &Value) -> Result<(), String> {
    let mut world = World::new(&config_of(case), duration(&case["start_delay_s"]), None);
    let mut notified = 0;
    let mut put_at = Duration::ZERO;
    for step in case["steps"].as_array().expect("a list") {
        if step["put"].is_object() {
            put_at = world.elapsed;
            world.insert(alert(&step["put"]));
            continue;
        }
        for flush in world.next_flushes() {
            notified += flush.alerts.len() as u64;
            world.finish(&flush, true);
        }
        expect(Some(notified), step["notified_count"].as_u64())?;
        let latest = duration(&step["at_latest_s_after_put"]);
        expect(world.elapsed <= put_at + latest, true)?;
        expect(world.elapsed >= duration(&case["start_delay_s"]), true)?;
    }
    Ok(())
}

fn check_many_groups(case: &Value) -> Result<(), String> {
    let mut world = World::new(&config_of(case), Duration::ZERO, None);
    let count = case["alert_count"].as_u64().expect("a number");
    for idx in 0..count {
        world.insert(alert(&json!({"labels": {"alertname": format!("alert{idx}")}})));
    }
    let flushes = world.next_flushes();
    expect(Some(flushes.len() as u64), case["distinct_groups"].as_u64())?;
    expect(world.elapsed, Duration::ZERO)
}

#[test]
fn labels_of_routes_are_rendered_as_upstream() {
    run_table("dispatch/route_label_templates", &[], |_, case| {
        let clock = Arc::new(SimulatedClock::default());
        let template = Template::new(text(&case["external_url"]), clock);
        let render = |templates: &Value, alerts: Vec<Alert>| {
            let data = template.data(&Notification {
                group_key: String::new(),
                group_labels: labels(&case["group_labels"]),
                receiver: "r".to_owned(),
                alerts: alerts.into_iter().map(Arc::new).collect(),
                now: base(),
                repeat_interval: Duration::ZERO,
                reason: Reason::Unknown,
                route_labels: Default::default(),
                store: Store::default(),
            });
            render_route_labels(&template, &text_map(templates), &data)
        };
        for group in case["groups"].as_array().into_iter().flatten() {
            let rendered = render(&group["route_labels"], Vec::new());
            expect(rendered, text_map(&group["rendered"]))?;
        }
        let mut alerts = Vec::new();
        for step in case["steps"].as_array().into_iter().flatten() {
            if step["firing"].is_object() {
                alerts.push(alert(&json!({"labels": step["firing"]})));
                continue;
            }
            if step["resolve_and_flush"].is_object() {
                alerts.clear();
                continue;
            }
            let rendered = render(&case["route_labels"], alerts.clone());
            if let Some(name) = step["rendered_value_empty"].as_str() {
                expect(rendered.get(name).is_none_or(String::is_empty), true)?;
                continue;
            }
            let wanted = [&step["rendered"], &step["rendered_in_notification"]];
            let wanted = wanted.into_iter().find(|it| it.is_object()).ok_or("an unknown step")?;
            expect(rendered, text_map(wanted))?;
        }
        Ok(())
    });
}

#[test]
fn a_flush_that_takes_long_is_followed_at_once() {
    let config = RouteConfig {
        group_wait: Some(Duration::from_secs(1)),
        group_interval: Some(Duration::from_secs(10)),
        ..RouteConfig::default()
    };
    let mut world = World::new(&config, Duration::ZERO, None);
    world.insert(alert(&json!({"labels": {"alertname": "A"}})));
    let first = world.next_flushes().pop().expect("a flush");
    assert_eq!(world.elapsed, Duration::from_secs(1));
    // The timer goes off once, however long it takes.
    assert!(world.next_flushes().is_empty());
    assert_eq!(world.elapsed, Duration::from_secs(11));
    assert_eq!(world.dispatcher.next_deadline(), None);
    world.elapsed = Duration::from_secs(35);
    let second = world.finish(&first, false).expect("it is due");
    assert_eq!(second.now, seconds_after(base(), 11.0), "the moment of the timer");
    assert_eq!(world.dispatcher.next_deadline(), Some(Duration::from_secs(45)));
    assert!(world.finish(&second, true).is_none());
}

#[test]
fn a_late_first_alert_does_not_wait() {
    let mut world = World::new(&RouteConfig::default(), Duration::ZERO, None);
    world.insert(alert(&json!({"labels": {"alertname": "A"}, "starts_at": -31})));
    assert_eq!(world.dispatcher.next_deadline(), Some(Duration::ZERO));
    let mut world = World::new(&RouteConfig::default(), Duration::ZERO, None);
    world.insert(alert(&json!({"labels": {"alertname": "A"}, "starts_at": -29})));
    world.insert(alert(&json!({"labels": {"alertname": "B"}, "starts_at": -99})));
    assert_eq!(world.dispatcher.next_deadline(), Some(Duration::from_secs(30)));
}
