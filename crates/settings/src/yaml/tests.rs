use super::{Meaning, Node, Value, Yaml, parse, print};

/// Parses `text` and writes the tree on one line, lines of nodes after `@`.
fn check(text: &str, expected: &str) {
    let shown = match parse(text) {
        Ok(None) => "nothing".to_owned(),
        Ok(Some(node)) => show(&node),
        Err(error) => error.to_string(),
    };
    assert_eq!(shown, expected, "{text}");
}

fn show(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Scalar(scalar) => match &scalar.meaning {
            Meaning::Text => format!("{:?}", scalar.text),
            Meaning::Bool(value) => value.to_string(),
            Meaning::Int(value) => value.to_string(),
            Meaning::Unsigned(value) => value.to_string(),
            Meaning::Float(value) => format!("{value:?}"),
            Meaning::Binary(bytes) => format!("{bytes:?}"),
        },
        Value::List(items) => {
            format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(" "))
        }
        Value::Map(pairs) => {
            let pair =
                |(key, value): &(Node, Node)| format!("{}@{}:{}", show(key), key.line, show(value));
            format!("{{{}}}", pairs.iter().map(pair).collect::<Vec<_>>().join(" "))
        }
    }
}

#[test]
fn scalars_mean_what_go_takes_them_for() {
    check(
        "[yes, 'yes', 0x10, 0o17, 017, 1_000, 1e3, .inf, -5, ~, '']",
        r#"[true "yes" 16 15 15 1000 1000.0 inf -5 null ""]"#,
    );
    check(
        "[!!str 5, !!binary /w==, 18446744073709551615, 10s, 1.2.3.4, 08]",
        r#"["5" [255] 18446744073709551615 "10s" "1.2.3.4" 8.0]"#,
    );
    check("!!binary $", "yaml: line 1: !!binary value contains invalid base64 data (column 10)");
}

#[test]
fn only_the_first_document_counts() {
    check("", "nothing");
    check("# nothing\n", "nothing");
    check("a: 1\n---\nb: [", r#"{"a"@1:1}"#);
}

#[test]
fn merged_keys_do_not_overwrite() {
    check(
        "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  b: 3\n",
        r#"{"a"@1:{"b"@1:1 "c"@1:2} "d"@2:{"b"@4:3 "c"@1:2}}"#,
    );
    check(
        "<<: 5",
        "yaml: line 1: map merge requires map or sequence of maps as the value (column 5)",
    );
}

#[test]
fn duplicate_keys_are_kept_for_the_decoder() {
    check("a: 1\na: 2\n", r#"{"a"@1:1 "a"@2:2}"#);
}

#[test]
fn a_billion_laughs_are_not_funny() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        text.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    check(&text, "yaml: line 5: document contains excessive aliasing (column 45)");
}

#[test]
fn broken_text_names_its_line() {
    let error = parse("a: 1\nb: [\n").unwrap_err();
    assert_eq!(error.line, 2);
}

#[test]
fn prints_like_go() {
    let text = |text: &str| Yaml::Text(text.to_owned());
    let tree = Yaml::Map(vec![
        ("plain".into(), text("(.*)some-[regex]")),
        ("quoted".into(), text("yes")),
        ("minutes".into(), text("09:30")),
        ("empty".into(), text("")),
        ("single".into(), text("a: b")),
        ("block".into(), text("a\nb")),
        ("flow".into(), Yaml::FlowList(vec![text("a"), text("b:c")])),
        ("none".into(), Yaml::List(vec![])),
        (
            "list".into(),
            Yaml::List(vec![
                Yaml::Map(vec![
                    ("x".into(), Yaml::Int(1)),
                    ("y".into(), Yaml::List(vec![text("z")])),
                ]),
                Yaml::Bool(true),
            ]),
        ),
    ]);
    assert_eq!(
        print(&tree),
        r#"plain: (.*)some-[regex]
quoted: "yes"
minutes: "09:30"
empty: ""
single: 'a: b'
block: |-
  a
  b
flow: [a, 'b:c']
none: []
list:
- x: 1
  "y":
  - z
- true
"#
    );
}
