//! The envelope around every answer of the v1 API.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};

use super::json::{Json, Object};

/// More complaints than this are only counted.
const ANNOTATIONS_MAX: usize = 10;

/// What an endpoint found.
pub(crate) struct Success {
    pub(crate) data: Data,
    pub(crate) complaints: Complaints,
}

pub(crate) enum Data {
    /// Answered with 204 and no body.
    None,
    /// The JSON of `data`.
    Json(String),
    /// The whole answer, envelope and all.
    Stream(Body),
    /// For people, without an envelope.
    Text(String),
}

/// Warnings and remarks that come with an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Complaints {
    pub warnings: Vec<String>,
    pub infos: Vec<String>,
}

pub(crate) type Result<T = Success, E = Error> = std::result::Result<T, E>;

/// What went wrong: the kind decides the status code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Error {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    BadData,
    Execution,
    Canceled,
    Timeout,
    Internal,
    Unavailable,
}

impl ErrorKind {
    fn name(self) -> &'static str {
        match self {
            ErrorKind::BadData => "bad_data",
            ErrorKind::Execution => "execution",
            ErrorKind::Canceled => "canceled",
            ErrorKind::Timeout => "timeout",
            ErrorKind::Internal => "internal",
            ErrorKind::Unavailable => "unavailable",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            ErrorKind::BadData => StatusCode::BAD_REQUEST,
            ErrorKind::Execution => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::Canceled => StatusCode::from_u16(499).expect("499 is a status code"),
            ErrorKind::Timeout => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Internal | ErrorKind::Unavailable => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into() }
    }

    pub(crate) fn bad_data(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::BadData, message)
    }

    pub(crate) fn bad_parameter(name: &str, reason: impl std::fmt::Display) -> Error {
        Error::bad_data(format!("invalid parameter \"{name}\": {reason}"))
    }
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Error {
        let kind = match &error {
            storage::Error::NotReady => ErrorKind::Unavailable,
            storage::Error::Io { .. } | storage::Error::Corrupt { .. } => ErrorKind::Internal,
            _ => ErrorKind::Execution,
        };
        Error::new(kind, error.to_string())
    }
}

impl Success {
    /// An answer whose `data` is what `write` writes.
    pub(crate) fn json(write: impl FnOnce(&mut Json)) -> Success {
        let mut json = Json::default();
        write(&mut json);
        Success { data: Data::Json(json.finish()), complaints: Complaints::default() }
    }

    /// An answer whose `data` is an object.
    pub(crate) fn object(fill: impl FnOnce(&mut Object<'_>)) -> Success {
        Success::json(|json| json.object(fill))
    }

    pub(crate) fn none() -> Success {
        Success { data: Data::None, complaints: Complaints::default() }
    }

    pub(crate) fn with_warnings(mut self, warnings: Vec<String>) -> Success {
        self.complaints.warnings = warnings;
        self
    }
}

impl Complaints {
    /// Appends `warnings` and `infos` to the envelope, if there are any.
    pub(crate) fn write(&self, envelope: &mut Object<'_>) {
        for (key, what, texts) in
            [("warnings", "warning", &self.warnings), ("infos", "info", &self.infos)]
        {
            let mut distinct: Vec<&str> = Vec::new();
            for text in texts {
                if !distinct.contains(&text.as_str()) {
                    distinct.push(text);
                }
            }
            let more = distinct.len().saturating_sub(ANNOTATIONS_MAX);
            let rest = format!("{more} more {what} annotations omitted");
            distinct.truncate(ANNOTATIONS_MAX);
            if more > 0 {
                distinct.push(&rest);
            }
            if !distinct.is_empty() {
                envelope.key(key).strings(distinct);
            }
        }
    }
}

impl IntoResponse for Success {
    fn into_response(self) -> Response {
        let body = match self.data {
            Data::None => return StatusCode::NO_CONTENT.into_response(),
            Data::Stream(body) => body,
            Data::Text(text) => return text.into_response(),
            Data::Json(data) => {
                let mut json = Json::default();
                json.object(|envelope| {
                    envelope.string("status", "success");
                    envelope.key("data").raw(&data);
                    self.complaints.write(envelope);
                });
                json.finish().into()
            }
        };
        with_json(StatusCode::OK, body)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut json = Json::default();
        json.object(|envelope| {
            envelope.string("status", "error");
            envelope.string("errorType", self.kind.name());
            envelope.string("error", &self.message);
        });
        with_json(self.kind.status(), json.finish().into())
    }
}

fn with_json(status: StatusCode, body: Body) -> Response {
    let content_type = HeaderValue::from_static("application/json");
    (status, [(CONTENT_TYPE, content_type)], body).into_response()
}

/// Runs `work`, which is short as a rule but may not be, on this thread: others go on with what
/// waits for it. That costs a fraction of the way to a blocking thread and back.
pub(crate) async fn here<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    use tokio::runtime::{Handle, RuntimeFlavor};
    if Handle::current().runtime_flavor() != RuntimeFlavor::MultiThread {
        return blocking(work).await;
    }
    let work = std::panic::AssertUnwindSafe(|| tokio::task::block_in_place(work));
    // A panic ends this request only.
    std::panic::catch_unwind(work).unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::Internal, "unexpected error: the request panicked"))
    })
}

/// Runs `work` on a blocking thread.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        // A panic ends this request only.
        Err(error) => Err(Error::new(ErrorKind::Internal, format!("unexpected error: {error}"))),
    }
}
