//! What do the pages look like? Sources in `web`, built files embedded.
//!
//! Knows neither HTTP nor what the pages show: they ask the API themselves. The built files in
//! `web/dist` are checked in, so that cargo alone builds the binary; `web/build.sh` makes them anew.
//! Start at [`index`] and [`asset`].

mod page;
#[cfg(test)]
mod tests;

pub use page::{Page, Role, index};

/// What the browser may do: run our script, take our style, talk to the server that it came from.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'self'";

/// A file that pages load.
#[derive(Debug)]
pub struct Asset {
    pub bytes: &'static [u8],
    /// The same, compressed.
    pub gzip: &'static [u8],
    pub content_type: &'static str,
    /// Changes when the bytes do; with the quotes of HTTP.
    pub etag: String,
    /// The name has a hash of the content: another content comes under another name.
    pub is_immutable: bool,
}

/// Path below `dist`, bytes, the same compressed, hash.
type Row = (&'static str, &'static [u8], &'static [u8], &'static str);

const TABLE: &[Row] = include!(concat!(env!("OUT_DIR"), "/table.rs"));

/// Paths of all assets, such as `/favicon.svg`.
pub fn paths() -> impl Iterator<Item = String> {
    TABLE.iter().filter(|row| row.0 != INDEX).map(|row| format!("/{}", row.0))
}

/// The asset at a path below the route prefix.
pub fn asset(path: &str) -> Option<Asset> {
    let path = path.strip_prefix('/')?;
    let (path, bytes, gzip, hash) = TABLE.iter().find(|row| row.0 == path && row.0 != INDEX)?;
    Some(Asset {
        bytes,
        gzip,
        content_type: content_type(path),
        etag: format!("\"{hash}\""),
        is_immutable: path.starts_with("assets/"),
    })
}

const INDEX: &str = "index.html";

fn template() -> &'static str {
    let bytes = TABLE.iter().find(|row| row.0 == INDEX).map_or(&[][..], |row| row.1);
    std::str::from_utf8(bytes).expect("our own page is text")
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}
