//! Where a redirect leads, and who may see our credentials there.

use http::{
    HeaderMap, HeaderName, Method, StatusCode,
    header::{
        AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, LOCATION, PROXY_AUTHORIZATION,
        WWW_AUTHENTICATE,
    },
};
use url::Url;

use super::Request;

/// What to ask next, if the answer to `request` is a redirect that can be followed.
pub(super) fn next(request: &Request, status: StatusCode, headers: &HeaderMap) -> Option<Request> {
    let keeps_method = match status.as_u16() {
        301..=303 => false,
        307 | 308 => true,
        _ => return None,
    };
    let location = headers.get(LOCATION)?.to_str().ok()?;
    let url = request.url.join(location).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let mut next = Request { url, ..request.clone() };
    if !keeps_method && request.method != Method::HEAD {
        next.method = Method::GET;
    }
    if !keeps_method {
        next.body = bytes::Bytes::new();
        next.headers.remove(CONTENT_LENGTH);
        next.headers.remove(CONTENT_TYPE);
    }
    Some(next)
}

/// Whether what was meant for `first` may be told to `url`: the same host or one below it, and
/// never in the clear what was to go over TLS.
pub(super) fn may_see_credentials(first: &Url, url: &Url) -> bool {
    let (Some(home), Some(host)) = (first.host_str(), url.host_str()) else { return false };
    let is_same = host == home && first.port_or_known_default() == url.port_or_known_default();
    let is_upgrade = host == home && first.scheme() == "http" && url.scheme() == "https";
    let is_below = first.domain().is_some()
        && url.domain().is_some()
        && host.strip_suffix(home).is_some_and(|rest| rest.ends_with('.'));
    let is_downgrade = first.scheme() == "https" && url.scheme() != "https";
    (is_same || is_upgrade || is_below) && !is_downgrade
}

pub(super) fn remove_credentials(headers: &mut HeaderMap) {
    const COOKIE2: HeaderName = HeaderName::from_static("cookie2");
    for name in [AUTHORIZATION, COOKIE, COOKIE2, PROXY_AUTHORIZATION, WWW_AUTHENTICATE] {
        headers.remove(name);
    }
}
