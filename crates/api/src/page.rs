//! The first page, until there are better ones: what is there and where.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

/// A page with links below `prefix`, each with a word on what it leads to.
pub(crate) fn home(title: &str, version: &str, prefix: &str, links: &[(&str, &str)]) -> Response {
    let mut rows = String::new();
    for (path, what) in links {
        rows.push_str(&format!(
            "<li><a href=\"{prefix}{path}\">{path}</a> <span>{what}</span></li>\n"
        ));
    }
    let body = format!(
        "<!doctype html>\n\
        <html lang=\"en\">\n\
        <meta charset=\"utf-8\">\n\
        <meta name=\"viewport\" content=\"width=device-width\">\n\
        <title>{title}</title>\n\
        <style>\n\
        body {{ font: 1rem/1.6 system-ui, sans-serif; margin: 10vh auto; max-width: 40rem; \
        padding: 0 1rem; color-scheme: light dark; background: Canvas; color: CanvasText }}\n\
        ul {{ list-style: none; padding: 0 }}\n\
        a {{ font-family: ui-monospace, monospace; display: inline-block; min-width: 17rem }}\n\
        span, small {{ opacity: .7 }}\n\
        </style>\n\
        <h1>{title} <small>{version}</small></h1>\n\
        <ul>\n{rows}</ul>\n\
        </html>\n"
    );
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()
}

/// An error as Go's `http.Error` writes it; `text` ends with a line break.
pub(crate) fn plain(status: StatusCode, text: impl Into<String>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, text.into()).into_response()
}

pub(crate) fn found(location: &str) -> Response {
    redirect(StatusCode::FOUND, location)
}

/// A redirect as Go writes it.
pub(crate) fn redirect(status: StatusCode, location: &str) -> Response {
    let escaped = location.replace('&', "&amp;").replace('"', "&#34;");
    let headers =
        [(header::LOCATION, location), (header::CONTENT_TYPE, "text/html; charset=utf-8")];
    let word = status.canonical_reason().unwrap_or_default();
    (status, headers, format!("<a href=\"{escaped}\">{word}</a>.\n\n")).into_response()
}
