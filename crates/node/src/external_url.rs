//! Under which URL others reach a node, and below which path its routes lie.

#[cfg(test)]
mod tests;

/// Why `--web.external-url` is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("URL must not begin or end with quotes")]
    Quotes,
    #[error("parse external URL {0:?}: it must begin with http:// or https:// and name a host")]
    NoUrl(String),
    #[error("address {0:?}: missing port in address")]
    NoPort(String),
}

/// The URL as given, without slashes at its end; by default `http://` with the host's name and the
/// port of the first address that the node listens on.
pub fn compute(given: &str, listen_address: &str, host_name: &str) -> Result<String, Error> {
    if given.is_empty() {
        let (_, port) = listen_address
            .rsplit_once(':')
            .ok_or_else(|| Error::NoPort(listen_address.to_owned()))?;
        return Ok(format!("http://{host_name}:{port}"));
    }
    let is_quoted = |c: char| given.starts_with(c) || given.ends_with(c);
    if is_quoted('"') || is_quoted('\'') {
        return Err(Error::Quotes);
    }
    let no_url = || Error::NoUrl(given.to_owned());
    let (scheme, rest) = given.split_once("://").ok_or_else(no_url)?;
    let host = rest.split('/').next().unwrap_or_default();
    if !matches!(scheme, "http" | "https") || host.is_empty() {
        return Err(no_url());
    }
    Ok(given.trim_end_matches('/').to_owned())
}

/// The prefix of all routes: `/` or `/prefix`, from `--web.route-prefix` or the URL's path.
pub fn route_prefix(given: &str, external_url: &str) -> String {
    let path = match given {
        "" => {
            let after_scheme =
                external_url.split_once("://").map_or(external_url, |(_, rest)| rest);
            after_scheme.split_once('/').map_or("", |(_, path)| path)
        }
        given => given,
    };
    format!("/{}", path.trim_matches('/'))
}
