//! What a new user would try, with real processes on loopback.

#![expect(clippy::disallowed_methods, reason = "acceptance tests run against the real world")]
#![expect(clippy::print_stderr, reason = "tests report to whoever runs them")]

mod alertmanager_examples;
mod authority;
mod bed;
mod cluster;
mod crash;
mod demo;
mod discovery;
mod drill;
mod examples;
mod exporters;
mod federation;
mod names;
mod rules;
mod side_by_side;
mod tools;
mod web_config;
