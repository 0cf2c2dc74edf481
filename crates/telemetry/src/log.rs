//! Logs as upstream prints them: logfmt or JSON, one line an event, on standard error.

mod format;
mod layer;
#[cfg(test)]
mod tests;

use std::{io::Write as _, str::FromStr, sync::Arc};

use tracing::Dispatch;
use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt as _};

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    #[default]
    Logfmt,
    Json,
}

/// Least severe level that is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    Debug,
    #[default]
    Info,
    Warn,
    Error,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Format, String> {
        match text {
            "logfmt" => Ok(Format::Logfmt),
            "json" => Ok(Format::Json),
            _ => Err(format!("unrecognized log format {text}")),
        }
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Level, String> {
        match text.to_ascii_lowercase().as_str() {
            "debug" => Ok(Level::Debug),
            "info" => Ok(Level::Info),
            "warn" => Ok(Level::Warn),
            "error" => Ok(Level::Error),
            _ => Err(format!("unrecognized log level {text}")),
        }
    }
}

/// Prints the events of the whole process to standard error from now on. `now` gives nanoseconds
/// since the Unix epoch. A second call changes nothing.
pub fn start(level: Level, format: Format, now: impl Fn() -> i128 + Send + Sync + 'static) {
    let write = |line: &str| {
        // There is nobody left to tell that standard error is gone.
        std::io::stderr().lock().write_all(line.as_bytes()).unwrap_or_default();
    };
    let dispatch = dispatch(level, format, Arc::new(now), Arc::new(write));
    // Fails only if logs were started before: then those go on.
    tracing::dispatcher::set_global_default(dispatch).unwrap_or_default();
}

fn dispatch(
    level: Level,
    format: Format,
    now: Arc<dyn Fn() -> i128 + Send + Sync>,
    write: Arc<dyn Fn(&str) + Send + Sync>,
) -> Dispatch {
    let filter = match level {
        Level::Debug => LevelFilter::DEBUG,
        Level::Info => LevelFilter::INFO,
        Level::Warn => LevelFilter::WARN,
        Level::Error => LevelFilter::ERROR,
    };
    let layer = layer::Lines { format, now, write };
    Dispatch::new(tracing_subscriber::registry().with(filter).with(layer))
}
