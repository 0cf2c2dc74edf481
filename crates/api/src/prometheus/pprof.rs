//! `/debug/pprof/*`: what the process is doing, for Go's tools and for people.
//!
//! What only a Go program has is not here, and says so.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt::Write as _, path::Path as FilePath, sync::Arc};

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::Api;
use crate::page::plain;

/// Profiles of this process; made by whoever chose the allocator.
pub trait Profiles: std::fmt::Debug + Send + Sync {
    /// What is allocated and by whom, in pprof's format, or why that is not known.
    fn heap(&self) -> Result<Vec<u8>, String>;
}

/// Name, and what it is; in the order of the index.
const PROFILES: [(&str, &str); 5] = [
    ("cmdline", "The command line."),
    ("goroutine", "Threads and tasks, which are what comes closest."),
    ("heap", "What is allocated and by whom, if the process was told to sample it."),
    ("symbol", "Nothing: profiles come with their symbols."),
    ("threadcreate", "Threads."),
];

/// What Go has and others don't.
const OF_GO: [&str; 5] = ["allocs", "block", "fgprof", "mutex", "trace"];

/// A signal handler that unwinds stacks has no place in a server that must not go out.
const CPU: &str =
    "profile: where the time goes is seen from outside: perf record -g -p <process>\n";

const NOT_HERE: &str = "this profile is not known here\n";

pub(super) async fn index() -> Response {
    let mut html =
        "<!DOCTYPE html>\n<title>/debug/pprof/</title>\n<h1>/debug/pprof/</h1>\n<ul>\n".to_owned();
    for (name, what) in PROFILES {
        // The links of text profiles ask for the text.
        writeln!(html, "<li><a href=\"{name}?debug=1\">{name}</a>: {what}</li>")
            .expect("writing to a string cannot fail");
    }
    html.push_str("</ul>\n");
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}

pub(super) async fn profile(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Response {
    match name.as_str() {
        "" => index().await,
        "cmdline" => text(std::env::args().collect::<Vec<_>>().join("\0")),
        "symbol" => text("num_symbols: 0\n".to_owned()),
        "goroutine" => text(format!("{}\n{}", tasks(), threads(&api).await)),
        "threadcreate" => text(threads(&api).await),
        "heap" => heap(api).await,
        "profile" => plain(StatusCode::NOT_FOUND, CPU),
        other if OF_GO.contains(&other) => {
            let reason = format!("{other}: there is no such profile outside of a Go program\n");
            plain(StatusCode::NOT_FOUND, reason)
        }
        _ => plain(StatusCode::NOT_FOUND, "Unknown profile\n"),
    }
}

fn text(text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}

fn tasks() -> String {
    let metrics = tokio::runtime::Handle::current().metrics();
    let (n_tasks, n_workers) = (metrics.num_alive_tasks(), metrics.num_workers());
    format!("goroutine profile: total {n_tasks}\n# tasks on {n_workers} workers\n")
}

/// How many threads there are, by name.
async fn threads(api: &Arc<Api>) -> String {
    let disk = api.runtime.disk.clone();
    let looking = tokio::task::spawn_blocking(move || {
        let folder = FilePath::new("/proc/self/task");
        let threads = disk.list(folder).unwrap_or_default();
        let name = |thread: runtime::disk::Entry| {
            let path = folder.join(thread.name).join("comm");
            disk.read_to_string(&path).unwrap_or_default().trim().to_owned()
        };
        let mut counts = BTreeMap::<String, usize>::new();
        for name in threads.into_iter().map(name) {
            *counts.entry(name).or_default() += 1;
        }
        counts
    });
    let counts = looking.await.unwrap_or_default();
    let mut out = format!("threadcreate profile: total {}\n", counts.values().sum::<usize>());
    for (name, count) in counts {
        writeln!(out, "{count} {name}").expect("writing to a string cannot fail");
    }
    out
}

async fn heap(api: Arc<Api>) -> Response {
    let Some(profiles) = api.profiles.clone() else {
        return plain(StatusCode::NOT_FOUND, NOT_HERE);
    };
    let taking = tokio::task::spawn_blocking(move || profiles.heap());
    match taking.await.unwrap_or_else(|error| Err(error.to_string())) {
        Ok(bytes) => {
            let headers = [
                (header::CONTENT_TYPE, "application/octet-stream"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"heap\""),
            ];
            (headers, bytes).into_response()
        }
        Err(reason) => plain(StatusCode::NOT_FOUND, format!("heap: {reason}\n")),
    }
}
