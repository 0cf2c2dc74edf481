//! Upstream's own tables, as far as they are about decisions.

use std::time::Duration;

use conformance::{Score, cases};
use serde_json::Value;

use super::super::exchange::push_pull_scale;
use crate::{
    health::Health,
    queue::{Queue, retransmit_limit},
    suspicion::{self, Suspicion},
};

#[test]
fn tables_of_memberlist_about_decisions() {
    let Some(table) = cases("alertmanager/cluster/memberlist_tables.json") else { return };
    let mut score = Score::new("cluster/memberlist_tables.json, decisions");
    for (idx, case) in table.cases.iter().enumerate() {
        if let Some(outcome) = check(case) {
            score.add(format!("{idx} {}", case["kind"]), outcome);
        }
    }
    score.finish(&[]);
}

fn check(case: &Value) -> Option<Result<(), String>> {
    Some(match case["kind"].as_str()? {
        "remaining_suspicion_time" => {
            let lasts = suspicion::lasts(
                number(case, "confirmations"),
                number(case, "k"),
                seconds(case, "min_s"),
                seconds(case, "max_s"),
            );
            let remaining = lasts.as_secs_f64() - seconds(case, "elapsed_s").as_secs_f64();
            near(remaining, case["remaining_s"].as_f64()?)
        }
        "suspicion_timer" => check_timer(case),
        "health_score" => check_health(case),
        "suspicion_timeout" => {
            let timeout = suspicion::shortest(
                number(case, "multiplier") as u32,
                number(case, "nodes"),
                seconds(case, "probe_interval_s"),
            );
            near(timeout.as_secs_f64() / 3.0, case["timeout_divided_by_3_s"].as_f64()?)
        }
        "retransmit_limit" => {
            let limit = retransmit_limit(number(case, "multiplier") as u32, number(case, "nodes"));
            equal(limit as usize, number(case, "limit"))
        }
        "push_pull_scale" => {
            let factor = number(case, "scaled_s") / number(case, "interval_s");
            let first = push_pull_scale(number(case, "nodes_from")) as usize;
            let last = push_pull_scale(number(case, "nodes_to")) as usize;
            equal(first, factor).and(equal(last, factor))
        }
        "broadcast_queue" if case.get("queued").is_some() => check_queue(case),
        "broadcast_order" => check_order(case),
        _ => return None,
    })
}

fn check_timer(case: &Value) -> Result<(), String> {
    let span = (seconds(case, "min_s"), seconds(case, "max_s"));
    let by = case["suspected_by"].as_str().unwrap_or_default();
    let mut suspicion = Suspicion::between(by, Duration::ZERO, number(case, "k"), span);
    for confirmation in case["confirmations"].as_array().into_iter().flatten() {
        let is_news = suspicion.confirm(confirmation["from"].as_str().unwrap_or_default());
        if confirmation["new"] != is_news {
            return Err(format!("{confirmation}: {is_news}"));
        }
    }
    equal(suspicion.n_confirmations(), number(case, "counted_confirmations"))?;
    near(suspicion.deadline().as_secs_f64(), seconds(case, "fires_once_after_s").as_secs_f64())
}

fn check_health(case: &Value) -> Result<(), String> {
    let mut health = Health::default();
    for step in case["steps"].as_array().into_iter().flatten() {
        health.change(step["delta"].as_i64().unwrap_or_default() as i32);
        equal(health.score() as usize, number(step, "score"))?;
        let stretched = health.stretch(seconds(case, "base_s"));
        near(stretched.as_secs_f64(), seconds(step, "timeout_s").as_secs_f64())?;
    }
    Ok(())
}

fn check_queue(case: &Value) -> Result<(), String> {
    let limit = match case.get("retransmit_limit") {
        Some(limit) => limit.as_u64().unwrap_or_default() as u32,
        None => retransmit_limit(number(case, "multiplier") as u32, number(case, "nodes")),
    };
    let mut queue = Queue::default();
    for queued in case["queued"].as_array().into_iter().flatten() {
        let name = queued["name"].as_str().unwrap_or_default();
        queue.push_about(name, vec![0; number(queued, "message_bytes")]);
    }
    for step in case["steps"].as_array().into_iter().flatten() {
        if let Some(get) = step.get("get") {
            let taken = queue.take(number(get, "overhead"), number(get, "limit"), limit);
            equal(taken.len(), number(step, "messages"))?;
        } else if step.get("prune").is_some() {
            queue.prune(number(step, "prune"));
        } else {
            equal(queue.len(), number(step, "count"))?;
            for dropped in step["notified_as_dropped"].as_array().into_iter().flatten() {
                if queue.has(dropped.as_str().unwrap_or_default()) {
                    return Err(format!("{dropped} is still there"));
                }
            }
        }
    }
    Ok(())
}

/// The first is taken before the second.
fn check_order(case: &Value) -> Result<(), String> {
    let mut queue = Queue::default();
    // The newest has the largest number, and who has been sent before was there before.
    let mut both = [("first", &case["first"]), ("second", &case["second"])];
    both.sort_by_key(|(_, message)| {
        (std::cmp::Reverse(number(message, "transmits")), number(message, "id"))
    });
    for (name, message) in both {
        queue.push_about(name, vec![name.as_bytes()[0]; number(message, "length")]);
        for _ in 0..number(message, "transmits") {
            queue.take(0, 1000, 100);
        }
    }
    let taken = queue.take(0, 1000, 100);
    match taken.first() {
        Some(first) if first.starts_with(b"f") => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

fn number(case: &Value, key: &str) -> usize {
    case[key].as_u64().unwrap_or_else(|| panic!("{key} in {case}")) as usize
}

fn seconds(case: &Value, key: &str) -> Duration {
    Duration::from_secs_f64(case[key].as_f64().unwrap_or_else(|| panic!("{key} in {case}")))
}

fn near(actual: f64, expected: f64) -> Result<(), String> {
    if (actual - expected).abs() < 0.01 { Ok(()) } else { Err(format!("{actual} for {expected}")) }
}

fn equal(actual: usize, expected: usize) -> Result<(), String> {
    if actual == expected { Ok(()) } else { Err(format!("{actual} for {expected}")) }
}
