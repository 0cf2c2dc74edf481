use std::collections::BTreeSet;

use conformance::Score;
use proptest::prelude::*;
use serde_json::Value;

use crate::Regex;

fn check(pattern: &str, matching: &[&str], others: &[&str]) {
    let regex = Regex::matcher(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    for text in matching {
        assert!(regex.is_match(text), "{pattern} on {text:?}");
    }
    for text in others {
        assert!(!regex.is_match(text), "{pattern} on {text:?}");
    }
}

fn check_error(pattern: &str, expected: &str) {
    let error = Regex::new(pattern).expect_err(pattern).to_string();
    assert_eq!(error, format!("error parsing regexp: {expected}"), "{pattern}");
}

#[test]
fn what_go_reads_and_rust_does_not() {
    check(r"\Qa.b\E+", &["a.b", "a.bbb"], &["axb", "a.b+"]);
    check(r"\Q[x", &["[x"], &["x"]);
    check(r"\141\0\12", &["a\0\n"], &[]);
    check("a{,5}", &["a{,5}"], &["aaa"]);
    check("{x", &["{x"], &[]);
    check("a{1,", &["a{1,"], &[]);
    check("[[]", &["["], &["]"]);
    check("[a[b]", &["a", "[", "b"], &["]"]);
    check(r"[\d-z]", &["1", "-", "z"], &["a"]);
    check(r"\p{^Greek}+", &["abc"], &["α"]);
    check("(?P<1>a)", &["a"], &[]);
    check("(?P<n>a)(?P<n>b)", &["ab"], &[]);
}

#[test]
fn what_means_something_else_in_go() {
    check(r"\d\w\s", &["1_ ", "0a\t"], &["١a ", "1é ", "1a\x0b", "1a\u{a0}"]);
    check("[a&&b]", &["a", "&", "b"], &["", "c"]);
    check("[a~~b]", &["~"], &[]);
    check(r"\<a\>", &["<a>"], &["a"]);
    check(r"(?i)k", &["k", "K", "\u{212a}"], &[]);
    check(r"(?i)\w", &["\u{17f}"], &[]);
    check("a.b", &["a\nb"], &[]);
    check("(?-s)a.b", &["a-b"], &["a\nb"]);
    check("a$", &["a"], &["a\n"]);
    check("(?m)a$\nb", &["a\nb"], &[]);
}

#[test]
fn what_go_rejects_with_its_words() {
    check_error("(", "missing closing ): `(`");
    check_error("a)", "unexpected ): `a)`");
    check_error("a**", "invalid nested repetition operator: `**`");
    check_error("a*{2}", "invalid nested repetition operator: `*{2}`");
    check_error("*a", "missing argument to repetition operator: `*`");
    check_error("a|+?", "missing argument to repetition operator: `+?`");
    check_error("a{1001}", "invalid repeat count: `{1001}`");
    check_error("a{3,2}", "invalid repeat count: `{3,2}`");
    check_error("(a{500}){500}", "invalid repeat count: `{500}`");
    check_error("[a", "missing closing ]: `[a`");
    check_error("[b-a]", "invalid character class range: `b-a`");
    check_error("[a--b]", "invalid character class range: `a--`");
    check_error("[[:foo:]]", "invalid character class range: `[:foo:]`");
    check_error(r"\p{Alphabetic}", r"invalid character class range: `\p{Alphabetic}`");
    check_error(r"\p{Script=Greek}", r"invalid character class range: `\p{Script=Greek}`");
    check_error(r"\u0061", r"invalid escape sequence: `\u`");
    check_error(r"\1", r"invalid escape sequence: `\1`");
    check_error(r"\Z", r"invalid escape sequence: `\Z`");
    check_error(r"\C", r"invalid escape sequence: `\C`");
    check_error("\\", "trailing backslash at end of expression: ``");
    check_error("(?x)a", "invalid or unsupported Perl syntax: `(?x`");
    check_error("(?=a)", "invalid or unsupported Perl syntax: `(?=`");
    check_error("(?P<a", "invalid named capture: `(?P<a`");
    check_error("(?P<a-b>c)", "invalid named capture: `(?P<a-b>`");
}

#[test]
fn relabelling_shows_the_whole_pattern() {
    let error = Regex::anchored("(").expect_err("it is none").to_string();
    assert_eq!(error, "error parsing regexp: missing closing ): `^(?s:()$`");
    let error = Regex::matcher("(").expect_err("it is none").to_string();
    assert_eq!(error, "error parsing regexp: missing closing ): `(`");
}

#[test]
fn sets_prefixes_and_everything() {
    let set =
        |pattern: &str| Regex::matcher(pattern).expect(pattern).set().map(|texts| texts.join(" "));
    assert_eq!(set("a|b(c|d)"), Some("a bc bd".to_owned()));
    assert_eq!(set(""), Some(String::new()));
    assert_eq!(set("a.*"), None);
    let prefix = |pattern: &str| Regex::matcher(pattern).expect(pattern).prefix().to_owned();
    assert_eq!(prefix("abc.+"), "abc");
    assert_eq!(prefix("ä|ö"), "");
    assert!(Regex::matcher("(.*)").expect("it is one").matches_everything());
    assert!(!Regex::matcher(".+").expect("it is one").matches_everything());
}

#[test]
fn templates_are_expanded() {
    let expand = |pattern: &str, text: &str, template: &str| {
        let mut out = String::new();
        Regex::anchored(pattern).expect(pattern).expand(text, template, &mut out).then_some(out)
    };
    assert_eq!(expand("(.*)", "a", "<$1>"), Some("<a>".to_owned()));
    assert_eq!(expand("a", "a", "<$1>"), Some("<>".to_owned()));
    assert_eq!(expand("(?P<x>a)(b)", "ab", "${x}-$2-$$-$2x"), Some("a-b-$-".to_owned()));
    assert_eq!(expand("(a)", "b", "$1"), None);
}

#[test]
fn deep_patterns_end() {
    let nested = |n: usize| format!("{}a{}", "(".repeat(n), ")".repeat(n));
    check(&nested(400), &["a"], &[]);
    let error = Regex::new(&nested(10_000)).expect_err("it is too deep").to_string();
    assert!(error.starts_with("error parsing regexp: expression nests too deeply"), "{error}");
    let error = Regex::new(r"((\pL{1000}){1}(\pL{1000})){1}\pL{1000}\pL{1000}\pL{1000}\pL{1000}");
    assert!(error.is_err());
}

proptest! {
    #[test]
    fn no_pattern_makes_it_panic(pattern in r"[\\(){}\[\]|*+?.^$a-c0-9:<>PQEpwd,\-i]{0,24}", text in "[a-c0-9]{0,8}") {
        if let Ok(regex) = Regex::matcher(&pattern) {
            // Whatever the plan, the automaton says the same.
            prop_assert_eq!(regex.is_match(&text), regex.automaton().is_match(&text));
            prop_assert!(!regex.is_match(&text) || text.starts_with(regex.prefix()));
        }
    }
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().expect("a text")).collect()
}

fn compile(case: &Value) -> Regex {
    Regex::matcher(case["regexp"].as_str().expect("a pattern")).expect("it is one")
}

fn same<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{found:?} instead of {expected:?}")) }
}

#[test]
fn upstreams_patterns_and_values() {
    let table = "prometheus/labels/regexp_match.json";
    let Some(data) = conformance::cases(table) else { return };
    let values = data.whole["values"].as_array().expect("a list");
    let mut score = Score::new(table);
    for case in &data.cases {
        let regex = compile(case);
        let is_match = |value: &Value| value.as_str().is_some_and(|text| regex.is_match(text));
        let found: Vec<usize> = (0..values.len()).filter(|idx| is_match(&values[*idx])).collect();
        let matching = case["matching"].as_array().expect("a list").iter();
        let expected = matching
            .map(|idx| idx.as_u64().expect("a number") as usize)
            // What is no text is nothing that we match.
            .filter(|idx| values[*idx].is_string());
        score.add(regex.as_str(), same(found, expected.collect()));
    }
    score.finish(&[]);
}

#[test]
fn upstreams_sets() {
    let table = "prometheus/labels/regexp_set_matches.json";
    let Some(data) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for case in &data.cases {
        let regex = compile(case);
        // Upstream keeps one spelling of texts in any case, we keep them all or use an automaton.
        if case["case_sensitive"] == false && !case["set_matches"].is_null() {
            let matches = texts(&case["set_matches"]).iter().all(|text| regex.is_match(text));
            score.add(regex.as_str(), same(matches, true));
            continue;
        }
        let found = regex.set().map(|set| set.iter().map(String::as_str).collect::<BTreeSet<_>>());
        let expected = (!case["set_matches"].is_null())
            .then(|| texts(&case["set_matches"]).into_iter().collect::<BTreeSet<_>>());
        score.add(regex.as_str(), same(found, expected));
    }
    let spelled_out = "we spell out the few texts that it stands for";
    score.finish(&[
        ("(?i)rpc|(?-i)api", spelled_out),
        ("(api|rpc)_(v1|prom)_((?i)push|query)", spelled_out),
        ("api_v1_(?i)push", spelled_out),
        ("api|(?i)rpc", spelled_out),
    ]);
}

#[test]
fn upstreams_examples() {
    let table = "prometheus/labels/regexp_examples.json";
    let Some(data) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for case in &data.cases {
        let regex = compile(case);
        let wrong: Vec<&str> = texts(&case["matching"])
            .into_iter()
            .filter(|text| !regex.is_match(text))
            .chain(texts(&case["not_matching"]).into_iter().filter(|text| regex.is_match(text)))
            .collect();
        score.add(regex.as_str(), same(wrong, Vec::new()));
    }
    score.finish(&[]);
}

#[test]
fn upstreams_prefixes() {
    let table = "prometheus/labels/matcher_prefix.json";
    let Some(data) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    let is_regex =
        |case: &&Value| case["matcher"]["type"].as_str().is_some_and(|t| t.ends_with('~'));
    for case in data.cases.iter().filter(is_regex) {
        let pattern = case["matcher"]["value"].as_str().expect("a pattern");
        if case["case_insensitive_prefix"] == true {
            continue;
        }
        let regex = Regex::matcher(pattern).expect("it is one");
        score.add(pattern, same(regex.prefix(), case["prefix"].as_str().expect("a text")));
    }
    score.finish(&[]);
}
