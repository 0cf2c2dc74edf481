/// How others reach what this machine calls localhost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GlobalUrl {
    /// Where we listen: `0.0.0.0:9090`.
    pub listen_address: String,
    /// Host, and port if there is one, of the external URL.
    pub host: String,
    pub scheme: String,
}

impl GlobalUrl {
    /// Why `url` cannot be told, in Go's words.
    pub(crate) fn complaint(&self, url: &str) -> Option<String> {
        let (_, authority, _) = split(url)?;
        if !is_local(split_port(authority).0) {
            return None;
        }
        let address = &self.listen_address;
        match (address.as_str(), split_port(address).1) {
            ("", _) => Some("missing port in address".to_owned()),
            (_, "") => Some(format!("address {address}: missing port in address")),
            _ => None,
        }
    }

    /// `url` as others have to write it; any other than localhost's stays as it is.
    pub(crate) fn of(&self, url: &str) -> String {
        let Some((scheme, authority, path)) = split(url) else { return url.to_owned() };
        let (host, port) = split_port(authority);
        if !is_local(host) || self.complaint(url).is_some() {
            return url.to_owned();
        }
        let own_port = split_port(&self.listen_address).1;
        if port == own_port {
            // It is ourselves.
            return format!("{}://{}{path}", self.scheme, self.host);
        }
        // Only the host's name can be guessed.
        let (host, _) = split_port(&self.host);
        match port {
            "" => format!("{scheme}://{host}{path}"),
            port => format!("{scheme}://{host}:{port}{path}"),
        }
    }
}

/// Scheme, authority, and all the rest.
fn split(url: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let path_start = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(path_start);
    Some((scheme, authority, path))
}

fn is_local(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

/// `[::1]:80` is `[::1]` and `80`.
fn split_port(authority: &str) -> (&str, &str) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, ""),
    }
}
