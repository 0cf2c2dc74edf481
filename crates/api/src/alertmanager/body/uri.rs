/// Whether Go's `url.ParseRequestURI` takes it: an absolute path, or anything with a scheme.
pub(super) fn is_request_uri(text: &str) -> bool {
    if text.bytes().any(|b| b < 0x20 || b == 0x7f) {
        return false;
    }
    if text.starts_with('/') {
        return has_whole_escapes(text);
    }
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let Some(rest) = rest.strip_prefix("//") else { return is_scheme };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let path = rest.strip_prefix(authority).unwrap_or_default().split('?').next();
    is_scheme && is_authority(authority) && path.is_none_or(has_whole_escapes)
}

fn is_authority(authority: &str) -> bool {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let port = match host.rsplit_once(']') {
        Some((_, after)) => after.strip_prefix(':'),
        None => host.split_once(':').map(|(_, port)| port),
    };
    let port_is_number = port.is_none_or(|port| port.bytes().all(|b| b.is_ascii_digit()));
    let is_allowed = |b: u8| !b" \\^`{|}#".contains(&b);
    port_is_number && host.bytes().all(is_allowed) && has_whole_escapes(host)
}

/// Each `%` has two hex digits after it.
fn has_whole_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}
