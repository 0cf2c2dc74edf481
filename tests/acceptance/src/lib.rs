//! What does it take to run real programs against each other on loopback?
//!
//! Processes that end with the test, free ports, HTTP in a few lines, and waiting with a limit.
//! The binary under test is `$VESTA_BIN`, or the release build. Upstream's programs come from the
//! search path; a test that misses one says that it was skipped. Start at [`Process`].

#![expect(clippy::disallowed_methods, reason = "acceptance tests run against the real world")]
#![expect(clippy::print_stderr, reason = "tests report to whoever runs them")]

mod http;
mod process;

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

pub use http::{Answer, escape, get, post, post_bytes, query, query_result, send};
pub use process::{Process, program, run, vesta};

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    listener.local_addr().expect("a bound socket has an address").port()
}

/// Asks again and again until `probe` gives something; panics with `what` after `limit`.
pub fn wait_for<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = probe() {
            return value;
        }
        assert!(started.elapsed() < limit, "waited {limit:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Says that a test did not run, and why.
pub fn skip(test: &str, missing: &str) {
    eprintln!("SKIPPED: {test}: there is no {missing} on this machine");
}
