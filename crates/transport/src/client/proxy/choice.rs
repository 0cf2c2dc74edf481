//! Which proxy a request takes: Go's rules. Pure.

use std::net::IpAddr;

use url::Url;

use crate::client::{Error, Result, config::Proxy};

/// What the settings, or the environment, say about proxies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies {
    for_http: Option<Url>,
    for_https: Option<Url>,
    /// Who is asked directly; `None` asks nobody directly, not even this machine.
    direct: Option<Direct>,
}

/// Who is asked without a proxy, beside this machine itself.
#[derive(Debug, Clone, Default)]
struct Direct {
    everybody: bool,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq)]
enum Rule {
    Address {
        address: IpAddr,
        port: Option<u16>,
    },
    Network {
        address: IpAddr,
        prefix: u32,
    },
    /// `suffix` begins with a dot.
    Domain {
        suffix: String,
        with_itself: bool,
        port: Option<u16>,
    },
}

impl Proxies {
    pub(crate) fn new(
        settings: &Proxy,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Proxies> {
        if let Some(url) = &settings.url {
            check(url)?;
            let direct = (!settings.no_proxy.is_empty()).then(|| Direct::parse(&settings.no_proxy));
            return Ok(Proxies {
                for_http: Some(url.clone()),
                for_https: Some(url.clone()),
                direct,
            });
        }
        if !settings.from_environment {
            return Ok(Proxies::default());
        }
        let either = |name: &str| {
            let given = |name: &str| environment(name).filter(|value| !value.is_empty());
            given(name).or_else(|| given(&name.to_lowercase()))
        };
        Ok(Proxies {
            for_http: either("HTTP_PROXY").map(|text| parse(&text)).transpose()?,
            for_https: either("HTTPS_PROXY").map(|text| parse(&text)).transpose()?,
            direct: Some(Direct::parse(&either("NO_PROXY").unwrap_or_default())),
        })
    }

    /// The proxy for a URL of this scheme, host and port.
    pub(crate) fn choose(&self, is_https: bool, host: &str, port: u16) -> Option<&Url> {
        let proxy = if is_https { self.for_https.as_ref() } else { self.for_http.as_ref() }?;
        let is_direct = self.direct.as_ref().is_some_and(|direct| direct.has(host, port));
        (!is_direct).then_some(proxy)
    }
}

impl Direct {
    fn parse(list: &str) -> Direct {
        let mut direct = Direct::default();
        for entry in list.split(',').map(|entry| entry.trim().to_lowercase()) {
            if entry == "*" {
                direct.everybody = true;
            }
            direct.rules.extend(Rule::parse(&entry));
        }
        direct
    }

    fn has(&self, host: &str, port: u16) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_lowercase();
        let host = host.trim_end_matches('.');
        let address: Option<IpAddr> = host.parse().ok();
        let is_here = host == "localhost" || address.is_some_and(|address| address.is_loopback());
        is_here || self.everybody || self.rules.iter().any(|rule| rule.matches(host, address, port))
    }
}

impl Rule {
    fn parse(entry: &str) -> Option<Rule> {
        if let Some((address, prefix)) = entry.split_once('/') {
            let (address, prefix) = (address.parse().ok()?, prefix.parse().ok()?);
            return Some(Rule::Network { address, prefix });
        }
        if let Ok(address) = entry.trim_start_matches('[').trim_end_matches(']').parse() {
            return Some(Rule::Address { address, port: None });
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return None;
        }
        if let Ok(address) = host.parse() {
            return Some(Rule::Address { address, port });
        }
        let host = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
        Some(match host.starts_with('.') {
            true => Rule::Domain { suffix: host.to_owned(), with_itself: false, port },
            false => Rule::Domain { suffix: format!(".{host}"), with_itself: true, port },
        })
    }

    fn matches(&self, host: &str, address: Option<IpAddr>, port: u16) -> bool {
        let fits = |wanted: &Option<u16>| wanted.is_none_or(|wanted| wanted == port);
        match self {
            Rule::Address { address: wanted, port } => address == Some(*wanted) && fits(port),
            Rule::Network { address: network, prefix } => {
                address.is_some_and(|address| is_within(address, *network, *prefix))
            }
            Rule::Domain { suffix, with_itself, port } => {
                let is_below = host.ends_with(suffix.as_str());
                let is_itself = *with_itself && suffix.strip_prefix('.') == Some(host);
                (is_below || is_itself) && fits(port)
            }
        }
    }
}

fn is_within(address: IpAddr, network: IpAddr, prefix: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let mask = u32::MAX.checked_shl(32u32.saturating_sub(prefix)).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let mask = u128::MAX.checked_shl(128u32.saturating_sub(prefix)).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        _ => false,
    }
}

/// As in Go, an address without a scheme is one of HTTP.
fn parse(text: &str) -> Result<Url> {
    let bad = |reason: String| Error::Config { what: format!("proxy {text:?}"), reason };
    let with_scheme = match text.contains("://") {
        true => text.to_owned(),
        false => format!("http://{text}"),
    };
    let url = Url::parse(&with_scheme).map_err(|error| bad(error.to_string()))?;
    check(&url)?;
    Ok(url)
}

fn check(url: &Url) -> Result<()> {
    let is_known = matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h");
    if is_known && url.host_str().is_some() {
        return Ok(());
    }
    let what = "proxy_url".to_owned();
    Err(Error::Config { what, reason: format!("unknown proxy scheme {:?}", url.scheme()) })
}
