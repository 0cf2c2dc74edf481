use super::matches;

fn check(pattern: &str, name: &str, expected: bool) {
    assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
}

#[test]
fn matches_as_go_does() {
    check("*.yml", "rules.yml", true);
    check("*.yml", "rules.yaml", false);
    check("*", "", true);
    check("a*b*c", "axxbyyc", true);
    check("a*b*c", "axxbyy", false);
    check("?[a-c].y", "äb.y", true);
    check("[^a]", "a", false);
    check(r"\*", "*", true);
    check(r"\*", "a", false);
    check("[a", "a", false);
}
