//! Doors that stay closed unless a flag opens them.

use axum::{http::StatusCode, response::Response};

use super::lifecycle::plain;

pub(super) fn write() -> Response {
    let text =
        "remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n";
    plain(StatusCode::NOT_FOUND, text.to_owned())
}

pub(super) fn otlp() -> Response {
    let text = "otlp write receiver needs to be enabled with --web.enable-otlp-receiver\n";
    plain(StatusCode::NOT_FOUND, text.to_owned())
}
