mod any_text;
mod conformance_tests;
mod html;
mod language;

mod notification;
