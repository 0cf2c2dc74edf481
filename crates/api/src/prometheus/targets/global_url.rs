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
    /// `url` as others have to write it; any other than localhost's stays as it is.
    pub(crate) fn of(&self, url: &str) -> String {
        let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
        let path_start = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(path_start);
        let (host, port) = split_port(authority);
        if !matches!(host, "127.0.0.1" | "localhost" | "[::1]") {
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

/// `[::1]:80` is `[::1]` and `80`.
fn split_port(authority: &str) -> (&str, &str) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, ""),
    }
}
