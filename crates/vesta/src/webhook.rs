//! `vesta webhook`: prints each notification that it receives, a line of JSON each.

use std::{io::Write as _, process::ExitCode};

use axum::{
    Router,
    body::Bytes,
    http::StatusCode,
    routing::{get, post},
};

use crate::commands;

/// Receives Alertmanager's webhook notifications and prints each as a line of JSON to standard
/// output.
#[derive(clap::Parser)]
#[command(
    name = "webhook",
    after_help = "Point an Alertmanager at it:\n  receivers:\n    - name: webhook\n      webhook_configs:\n        - url: http://127.0.0.1:5001/"
)]
struct Arguments {
    /// Address to listen on; repeatable.
    #[arg(long = "web.listen-address", default_value = ":5001", value_name = "ADDRESS")]
    listen_addresses: Vec<String>,
}

pub(crate) fn main(args: &[String]) -> ExitCode {
    let arguments = match commands::parse::<Arguments>("vesta webhook", args) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    commands::run(|runtime, stop| async move {
        commands::serve(&runtime, &arguments.listen_addresses, router(), stop).await
    })
}

fn router() -> Router {
    let receive = |body: Bytes| async move {
        match to_line(&body) {
            Ok(line) => match std::io::stdout().lock().write_all(line.as_bytes()) {
                Ok(()) => (StatusCode::OK, String::new()),
                Err(error) => (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    format!("print the notification: {error}\n"),
                ),
            },
            Err(error) => (StatusCode::BAD_REQUEST, format!("read the notification: {error}\n")),
        }
    };
    Router::new()
        .route("/-/ready", get(|| async { "Webhook is Ready.\n" }))
        .fallback_service(post(receive))
}

/// The JSON of `body` on one line.
fn to_line(body: &[u8]) -> Result<String, serde_json::Error> {
    serde_json::from_slice::<serde::de::IgnoredAny>(body)?;
    // Within a JSON text a line break is never part of a string, so it is white space.
    let text = String::from_utf8_lossy(body);
    Ok(text.lines().map(str::trim).collect::<Vec<_>>().join("") + "\n")
}

#[cfg(test)]
mod tests {
    use super::to_line;

    #[test]
    fn a_notification_is_one_line_in_its_own_order() {
        let line = to_line(b"{\n \"b\": [1, 2.50],\n \"a\": \"x\\ny\"\n}\n").unwrap();
        assert_eq!(line, "{\"b\": [1, 2.50],\"a\": \"x\\ny\"}\n");
        assert!(to_line(b"{\"a\": 1} x").is_err());
        assert!(to_line(b"").is_err());
    }
}
