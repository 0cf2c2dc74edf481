//! What a new user would try, with real processes on loopback.

#![expect(clippy::disallowed_methods, reason = "acceptance tests run against the real world")]
#![expect(clippy::print_stderr, reason = "tests report to whoever runs them")]

mod activation;
mod agent;
mod alertmanager_examples;
mod authority;
mod bed;
mod certificates;
mod cluster;
mod crash;
mod demo;
mod discovery;
mod drill;
mod examples;
mod exporters;
mod federation;
mod full_disk;
mod names;
mod operators;
mod remote_write;
mod round_trips;
mod rules;
mod secret_servers;
mod side_by_side;
mod tools;
mod web_config;
