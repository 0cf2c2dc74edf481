use std::sync::Arc;

use super::Profiles;
use crate::prometheus::{
    State,
    tests::{get, state},
};

/// Gives what it is told.
#[derive(Debug)]
struct Fake(Result<Vec<u8>, String>);

impl Profiles for Fake {
    fn heap(&self) -> Result<Vec<u8>, String> {
        self.0.clone()
    }
}

fn with(outcome: Result<Vec<u8>, String>) -> State {
    State { profiles: Some(Arc::new(Fake(outcome))), ..state() }
}

#[test]
fn the_index_leads_to_all_profiles() {
    for path in ["/debug/pprof", "/debug/pprof/"] {
        let answer = get(state(), path);
        assert_eq!(answer.status, 200);
        for name in ["cmdline", "goroutine", "heap"] {
            assert!(answer.body.contains(&format!("<a href=\"{name}?")), "{name} {}", answer.body);
        }
    }
}

#[test]
fn texts_say_what_runs() {
    let check = |name: &str, expected: &str| {
        let answer = get(state(), &format!("/debug/pprof/{name}"));
        assert_eq!(answer.status, 200);
        assert!(answer.body.starts_with(expected), "{name}: {}", answer.body);
    };
    check("goroutine", "goroutine profile: total ");
    check("threadcreate", "threadcreate profile: total ");
    check("symbol", "num_symbols: ");
    let program = std::env::args().next().expect("there is always one");
    check("cmdline", &program);
}

#[test]
fn profiles_are_given_or_it_is_said_why_not() {
    let check = |state: State, name: &str, expected: &str| {
        let answer = get(state, &format!("/debug/pprof/{name}"));
        let got = format!("{} {}", answer.status.as_u16(), answer.body.trim_end());
        assert!(got.starts_with(expected), "{name}: {got}");
    };
    check(with(Ok(b"profile".to_vec())), "heap", "200 profile");
    check(with(Err("it was not asked for".to_owned())), "heap", "404 heap: it was not asked for");
    check(state(), "heap", "404 this profile is not known here");
    check(state(), "profile", "404 profile: where the time goes is seen from outside");
    check(state(), "mutex", "404 mutex: there is no such profile outside of a Go program");
    check(state(), "nonsense", "404 Unknown profile");
}
