//! Who was told, how often? Reads what the webhook printed. Pure.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, ops::Range};

use serde_json::Value;

use crate::ledger::Count;

/// Counts the notifications of `episodes`: each fires once and is resolved once.
pub(crate) fn count(episodes: Range<i64>, lines: &str) -> Count {
    let told = told(lines);
    let mut count = Count::default();
    for episode in episodes {
        for status in ["firing", "resolved"] {
            let times = told.get(&(episode, status)).copied().unwrap_or(0);
            count.expected += 1;
            count.lost += u64::from(times == 0);
            count.doubled += times.saturating_sub(1);
        }
    }
    count
}

/// What was told more than once, a line each.
pub(crate) fn doubles(episodes: Range<i64>, lines: &str) -> Vec<String> {
    let told = told(lines);
    let doubles =
        told.into_iter().filter(|((episode, _), times)| episodes.contains(episode) && *times > 1);
    doubles
        .map(|((episode, status), times)| {
            format!("alert {episode} was told {times} times to be {status}")
        })
        .collect()
}

/// How often each episode was told to fire or to be over.
fn told(lines: &str) -> BTreeMap<(i64, &'static str), u64> {
    let mut told = BTreeMap::new();
    for line in lines.lines() {
        let Ok(notification) = serde_json::from_str::<Value>(line) else { continue };
        for alert in notification["alerts"].as_array().into_iter().flatten() {
            let episode = alert["labels"]["episode"].as_str().and_then(|text| text.parse().ok());
            let status = match alert["status"].as_str() {
                Some("firing") => "firing",
                _ => "resolved",
            };
            if let Some(episode) = episode {
                *told.entry((episode, status)).or_default() += 1;
            }
        }
    }
    told
}
