mod any_text;
mod conformance_tests;
mod language;

mod notification;
