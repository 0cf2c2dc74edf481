use std::sync::Arc;

use parking_lot::Mutex;
use tracing::{debug, error, info, warn};

use super::{Format, Level, dispatch};

/// Logs with `log` and compares the lines, without the line numbers of this file.
fn check(level: Level, format: Format, log: fn(), expected: &str) {
    let lines = Arc::new(Mutex::new(String::new()));
    let sink = lines.clone();
    let write = move |line: &str| sink.lock().push_str(line);
    let dispatch = dispatch(level, format, Arc::new(|| 1_767_366_245_123_456_789), Arc::new(write));
    tracing::dispatcher::with_default(&dispatch, log);
    let got: String = lines
        .lock()
        .lines()
        .map(|line| match line.split_once("tests.rs:") {
            Some((before, after)) => {
                format!(
                    "{before}tests.rs:N{}\n",
                    after.trim_start_matches(|c: char| c.is_ascii_digit())
                )
            }
            None => format!("{line}\n"),
        })
        .collect();
    assert_eq!(got, expected);
}

#[test]
fn logfmt_quotes_what_needs_it() {
    check(
        Level::Info,
        Format::Logfmt,
        || {
            info!(segments = 3, "replay done");
            warn!(error = "no \"such\" file", path = "a=b", empty = "", "x");
        },
        "\
time=2026-01-02T15:04:05.123Z level=INFO source=tests.rs:N msg=\"replay done\" segments=3
time=2026-01-02T15:04:05.123Z level=WARN source=tests.rs:N msg=x error=\"no \\\"such\\\" file\" path=\"a=b\" empty=\"\"
",
    );
}

#[test]
fn json_keeps_types() {
    check(
        Level::Info,
        Format::Json,
        || error!(count = 1, ratio = 0.5, ok = true, target = %"a b", "failed"),
        "{\"time\":\"2026-01-02T15:04:05.123456789Z\",\"level\":\"ERROR\",\"source\":\"tests.rs:N\",\"msg\":\"failed\",\"count\":1,\"ratio\":0.5,\"ok\":true,\"target\":\"a b\"}\n",
    );
}

#[test]
fn levels_below_the_chosen_one_are_silent() {
    check(
        Level::Warn,
        Format::Logfmt,
        || {
            debug!("no");
            info!("no");
        },
        "",
    );
}
