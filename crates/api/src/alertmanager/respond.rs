//! Answers of the v2 API: what handlers say, and what the framework under upstream's says.

use axum::{
    extract::Request,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::json::Json;

pub(super) type Result<T = Response, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Error {
    /// A handler's words: the body is a JSON text.
    Said(StatusCode, String),
    /// A status and no body.
    Silent(StatusCode),
    /// The framework's words: the body is an object with a code.
    Framework { status: StatusCode, code: u16, message: String },
}

impl Error {
    pub(super) fn bad_request(message: impl Into<String>) -> Error {
        Error::Said(StatusCode::BAD_REQUEST, message.into())
    }

    pub(super) fn internal(message: impl Into<String>) -> Error {
        Error::Said(StatusCode::INTERNAL_SERVER_ERROR, message.into())
    }

    /// The body is no JSON, or not of the right types.
    pub(super) fn malformed(what: &str, reason: &str) -> Error {
        let message = format!("parsing {what} body from \"\" failed, because {reason}");
        Error::Framework { status: StatusCode::BAD_REQUEST, code: 400, message }
    }

    /// The value breaks a rule; `code` is the framework's number for the rule.
    pub(super) fn invalid(code: u16, message: String) -> Error {
        Error::Framework { status: StatusCode::UNPROCESSABLE_ENTITY, code, message }
    }

    pub(super) fn required(path: &str) -> Error {
        Error::invalid(602, format!("{path} in body is required"))
    }

    fn status(status: StatusCode, message: String) -> Error {
        Error::Framework { status, code: status.as_u16(), message }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self {
            Error::Silent(status) => status.into_response(),
            // Only values inside objects of their own are escaped for HTML.
            Error::Said(status, message) => json(status, |json| json.label_text(&message)),
            Error::Framework { status, code, message } => {
                let mut json = Json::default();
                json.object(|object| {
                    object.key("code").int(code);
                    object.string("message", &message);
                });
                with_type(status, json.finish())
            }
        }
    }
}

/// An answer of a handler, which ends with a line break.
pub(super) fn json(status: StatusCode, write: impl FnOnce(&mut Json)) -> Response {
    let mut json = Json::default();
    write(&mut json);
    with_type(status, json.finish() + "\n")
}

fn with_type(status: StatusCode, body: String) -> Response {
    let content_type = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}

pub(super) async fn not_found(uri: axum::extract::OriginalUri) -> Response {
    Error::status(StatusCode::NOT_FOUND, format!("path {} was not found", api_path(&uri.0)))
        .into_response()
}

pub(super) async fn method_not_allowed(
    method: Method,
    uri: axum::extract::OriginalUri,
) -> Response {
    refuse_method(&method, api_path(&uri.0))
}

/// The path as upstream's API sees it: without the route prefix.
fn api_path(uri: &Uri) -> &str {
    let path = uri.path();
    path.find("/api/v2").and_then(|start| path.get(start..)).unwrap_or(path)
}

fn refuse_method(method: &Method, path: &str) -> Response {
    let path = path.strip_prefix("/api/v2").unwrap_or(path);
    let allowed = match path.trim_end_matches('/') {
        "/alerts" | "/silences" => "GET,POST",
        path if path.starts_with("/silence/") => "DELETE,GET",
        _ => "GET",
    };
    let message = format!("method {method} is not allowed, but [{allowed}] are");
    let mut response = Error::status(StatusCode::METHOD_NOT_ALLOWED, message).into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}

/// Refuses what is not JSON, and clients that want something else.
pub(super) async fn only_json(request: Request, next: Next) -> Response {
    let method = request.method();
    if *method == Method::HEAD {
        return refuse_method(method, api_path(request.uri()));
    }
    if let Err(error) = check_content_type(&request).and_then(|()| check_accept(&request)) {
        return error.into_response();
    }
    next.run(request).await
}

fn check_content_type(request: &Request) -> Result<()> {
    use http_body::Body as _;
    if *request.method() != Method::POST || request.body().is_end_stream() {
        return Ok(());
    }
    let header = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::to_str);
    let text = match header {
        Some(Ok(text)) if !text.is_empty() => text,
        _ => "application/octet-stream",
    };
    let media_type = text.split(';').next().unwrap_or_default().trim().to_lowercase();
    if media_type == "application/json" {
        return Ok(());
    }
    if !media_type.contains('/') {
        let message = format!(
            "parsing Content-Type header from {} failed, because mime: no media type",
            model::labels::quote(text)
        );
        return Err(Error::status(StatusCode::BAD_REQUEST, message));
    }
    let message = format!(
        "unsupported media type {}, only [application/json] are allowed",
        model::labels::quote(&media_type)
    );
    Err(Error::status(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
}

fn check_accept(request: &Request) -> Result<()> {
    let mut accepted = request.headers().get_all(header::ACCEPT).iter().peekable();
    if accepted.peek().is_none() {
        return Ok(());
    }
    let takes_json = |range: &str| {
        let media_type = range.split(';').next().unwrap_or_default().trim();
        matches!(media_type, "" | "*/*" | "application/*" | "application/json")
    };
    let mut texts = accepted.filter_map(|value| value.to_str().ok());
    if texts.any(|text| text.split(',').any(takes_json)) {
        return Ok(());
    }
    let message = "unsupported media type requested, only [application/json] are available";
    Err(Error::status(StatusCode::NOT_ACCEPTABLE, message.to_owned()))
}
