use crate::client::{config::Proxy, proxy::Proxies};

/// Whether each URL takes a proxy.
fn check(no_proxy: &str, urls: &[(&str, u16, bool)]) {
    let url = Some("http://proxy:3128".parse().expect("a URL"));
    let settings = Proxy { url, no_proxy: no_proxy.to_owned(), ..Proxy::default() };
    let proxies = Proxies::new(&settings, |_| None).expect("the settings are right");
    for (host, port, takes) in urls {
        let chosen = proxies.choose(false, host, *port);
        assert_eq!(chosen.is_some(), *takes, "{no_proxy}: {host}:{port}");
    }
}

#[test]
fn without_exceptions_everything_takes_the_proxy() {
    check("", &[("a.b", 80, true), ("localhost", 80, true), ("127.0.0.1", 80, true)]);
}

#[test]
fn exceptions_are_names_addresses_and_networks() {
    check("x", &[("localhost", 80, false), ("127.8.9.1", 80, false), ("[::1]", 80, false)]);
    check("*", &[("a.b", 80, false)]);
    check("foo.com", &[("foo.com", 80, false), ("a.foo.com", 1, false), ("afoo.com", 1, true)]);
    check(".foo.com, bar", &[("foo.com", 80, true), ("a.FOO.com", 80, false), ("bar", 80, false)]);
    check("*.foo.com", &[("foo.com", 80, true), ("a.foo.com", 80, false)]);
    check("foo.com:81", &[("foo.com", 80, true), ("foo.com", 81, false)]);
    check("10.0.0.0/8,::1", &[("10.2.3.4", 80, false), ("11.2.3.4", 80, true)]);
    check("1.2.3.4:80", &[("1.2.3.4", 80, false), ("1.2.3.4", 81, true)]);
    check("fd00::/8", &[("[fd12::1]", 80, false), ("[fe80::1]", 80, true)]);
}

#[test]
fn the_environment_names_a_proxy_per_scheme() {
    let settings = Proxy { from_environment: true, ..Proxy::default() };
    let environment = |name: &str| match name {
        "HTTP_PROXY" => Some("plain:3128".to_owned()),
        "https_proxy" => Some("https://secure".to_owned()),
        "NO_PROXY" => Some("near".to_owned()),
        _ => None,
    };
    let proxies = Proxies::new(&settings, environment).expect("the environment is right");
    let choose = |is_https, host| proxies.choose(is_https, host, 80).map(url::Url::as_str);
    assert_eq!(choose(false, "far"), Some("http://plain:3128/"));
    assert_eq!(choose(true, "far"), Some("https://secure/"));
    assert_eq!(choose(true, "near"), None);
}
