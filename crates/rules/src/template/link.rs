//! Links into the pages of this server.

use std::fmt::Write as _;

/// The page that draws `expr`, below the external URL.
pub fn graph_link(expr: &str) -> String {
    format!("/graph?g0.expr={}&g0.tab=0", escape(expr))
}

/// The page that lists the values of `expr`, below the external URL.
pub fn table_link(expr: &str) -> String {
    format!("/graph?g0.expr={}&g0.tab=1", escape(expr))
}

/// `text` as part of a query string.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(byte.into());
            }
            b' ' => out.push('+'),
            byte => write!(out, "%{byte:02X}").expect("writing to a string cannot fail"),
        }
    }
    out
}

/// The path of a URL.
pub(super) fn path(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.find('/').map_or("", |slash| after_scheme.split_at(slash).1);
    path.split(['?', '#']).next().unwrap_or_default()
}
