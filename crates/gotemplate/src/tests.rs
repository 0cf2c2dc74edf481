mod conformance_tests;
mod language;

mod notification;
