use super::{Bytes, join, parse_url};

#[test]
fn sizes_are_powers_of_two() {
    let check = |text: &str, expected: Result<i64, &str>| {
        let found = Bytes::parse(text).map(|bytes| bytes.0);
        assert_eq!(found, expected.map_err(str::to_owned), "{text}");
    };
    check("15MB", Ok(15 << 20));
    check("1.5GiB", Ok(3 << 29));
    check("1GB512MB", Ok(3 << 29));
    check("-1GB", Ok(-1 << 30));
    check("0", Ok(0));
    check("100", Err("units: unknown unit  in 100"));
    check("1kB", Err("units: unknown unit kB in 1kB"));
    check("", Err("units: invalid "));
    check("MB", Err("units: invalid MB"));
    check("9999999EB", Err("units: overflow parsing unit"));
    assert_eq!(Bytes(3 << 29).to_string(), "1GiB512MiB");
    assert_eq!(Bytes(0).to_string(), "0B");
}

#[test]
fn paths_are_joined_and_tidied() {
    let check = |directory, path, expected| assert_eq!(join(directory, path), expected);
    check(".", "a.yml", "a.yml");
    check("conf", "../a.yml", "a.yml");
    check("conf", "./x/../../../a.yml", "../a.yml");
    check("/etc", "../../a", "/a");
    check("/etc", "/a", "/a");
    check("/etc", "", "");
}

#[test]
fn urls_are_read_as_leniently_as_go_does() {
    let check = |text: &str, expected: Result<(&str, &str), &str>| {
        let found = parse_url(text).map(|parts| (parts.scheme, parts.host));
        let expected = expected
            .map(|(scheme, host)| (scheme.to_owned(), host.to_owned()))
            .map_err(|why| crate::decode::Broken::from(format!("parse {text:?}: {why}")));
        assert_eq!(found, expected, "{text}");
    };
    check("http://user:pw@host:80/path?x=%zz", Ok(("http", "host:80")));
    check("kubernetes:443", Ok(("kubernetes", "")));
    check("/path", Ok(("", "")));
    check("", Ok(("", "")));
    check("unix:///var/run/docker.sock", Ok(("unix", "")));
    check("http://[::1]:9090/", Ok(("http", "[::1]:9090")));
    check("://invalid", Err("missing protocol scheme"));
    check("1.2.3.4:80", Err("first path segment in URL cannot contain colon"));
    check("http://host:port/", Err("invalid port \":port\" after host"));
    check("http://a/%z", Err("invalid URL escape \"%z\""));
}
