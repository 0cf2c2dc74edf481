//! Pages, their assets, and what else is not JSON.

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

/// The page that shows itself as its address and `page` say.
pub(crate) fn html(page: &ui::Page<'_>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        // It names assets that another build does not have.
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, ui::CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    (headers, ui::index(page)).into_response()
}

/// What lies under `/assets`.
pub(crate) async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Response {
    send(&format!("/assets/{file}"), &headers)
}

/// The icon, whichever of its names it is asked by.
pub(crate) async fn icon(headers: HeaderMap) -> Response {
    send("/favicon.svg", &headers)
}

fn send(path: &str, asked: &HeaderMap) -> Response {
    let Some(asset) = ui::asset(path) else {
        return plain(StatusCode::NOT_FOUND, "404 page not found\n");
    };
    let cache = if asset.is_immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, cache),
        (header::ETAG, &asset.etag),
        (header::VARY, "Accept-Encoding"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    if has_word(asked, &header::IF_NONE_MATCH, |tag| tag == "*" || tag == asset.etag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    if has_word(asked, &header::ACCEPT_ENCODING, takes_gzip) {
        return (headers, [(header::CONTENT_ENCODING, "gzip")], asset.gzip).into_response();
    }
    (headers, asset.bytes).into_response()
}

/// Whether one of the words between commas is as wanted.
fn has_word(headers: &HeaderMap, name: &header::HeaderName, wanted: impl Fn(&str) -> bool) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|it: &HeaderValue| it.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|word| wanted(word.trim()))
}

/// `gzip`, `gzip;q=0.5`, but not `gzip;q=0`.
fn takes_gzip(word: &str) -> bool {
    let (coding, quality) = word.split_once(';').unwrap_or((word, ""));
    let quality = quality.trim().strip_prefix("q=").unwrap_or("1");
    coding.trim().eq_ignore_ascii_case("gzip") && quality.parse().is_ok_and(|it: f32| it > 0.0)
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
