use super::{CONTENT_SECURITY_POLICY, Page, Role, asset, index, paths};

fn page(title: &str) -> String {
    index(&Page { role: Role::Server, title, version: "1.2.3", consoles: "" })
}

/// What stands between quotes after `src=` and `href=`.
fn addresses(html: &str) -> Vec<&str> {
    ["src=\"", "href=\""]
        .iter()
        .flat_map(|name| html.split(name).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[test]
fn all_that_the_page_names_is_there() {
    let html = page("Prometheus");
    let addresses = addresses(&html);
    assert!(addresses.len() >= 3, "a script, a style sheet, an icon: {addresses:?}");
    for address in addresses {
        let path = address.strip_prefix('.').unwrap_or_else(|| panic!("{address} is not relative"));
        let asset = asset(path).unwrap_or_else(|| panic!("{address} is missing"));
        assert!(!asset.bytes.is_empty() && !asset.gzip.is_empty());
    }
}

#[test]
fn nothing_is_there_that_no_page_names() {
    let html = page("Prometheus");
    for path in paths() {
        assert!(html.contains(&path), "{path} is left over");
    }
    assert!(asset("/index.html").is_none(), "it is a template");
    assert!(asset("/../Cargo.toml").is_none());
}

#[test]
fn settings_stay_settings() {
    let html = page("\"><script>alert(1)</script>&");
    assert!(!html.contains("<script>alert"), "{html}");
    assert!(html.contains("&quot;role&quot;:&quot;server&quot;"), "{html}");
    assert!(html.contains("<title>&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;</title>"));
}

#[test]
fn an_agent_is_told_apart() {
    let html = index(&Page { role: Role::Agent, title: "", version: "", consoles: "" });
    assert!(html.contains("&quot;role&quot;:&quot;agent&quot;"), "{html}");
}

#[test]
fn the_page_keeps_to_its_own_policy() {
    let html = page("Prometheus");
    assert!(!CONTENT_SECURITY_POLICY.contains("unsafe"));
    assert!(!html.contains("<style") && !html.contains("style="), "no inline style: {html}");
    for script in html.split("<script").skip(1) {
        let (tag, rest) = script.split_once('>').expect("tags end");
        assert!(
            tag.contains("src=") && rest.starts_with("</script>"),
            "no inline script: {script}"
        );
    }
    assert!(!html.contains("//"), "no other host: {html}");
}
