use std::collections::BTreeMap;

use super::{Broken, List, Section, Setting as _, Style, from_str};
use crate::record;

record! {
    struct Outer: "test.Outer" {
        name: String = always,
        count: i64,
        inner: Inner = inline,
        list: List<Inner>,
        map: BTreeMap<String, bool>,
        maybe: Option<f64>,
    }
}

record! {
    struct Inner: "test.Inner" {
        kind as "type": String,
        texts: Vec<String>,
    }
}

impl Section for Inner {
    fn check(&mut self) -> Result<(), Broken> {
        if self.kind == "bad" { Err("type is bad".into()) } else { Ok(()) }
    }
}

impl Section for Outer {
    fn defaults() -> Outer {
        Outer { count: 7, ..Outer::default() }
    }
}

fn check(text: &str, expected: &str) {
    let shown = match from_str::<Outer>(text) {
        Ok(outer) => crate::yaml::print(&outer.encode(Style::Whole)).trim().replace('\n', " | "),
        Err(error) => format!("error: {error}"),
    };
    assert_eq!(shown, expected, "{text}");
}

#[test]
fn absent_is_the_default_and_null_is_empty() {
    check("", r#"name: "" | count: 7"#);
    check("name: x", "name: x | count: 7");
    check("{name: , count: ~, list: , map: null}", r#"name: """#);
}

#[test]
fn inlined_keys_stand_in_their_place() {
    check(
        "{type: t, texts: [1, yes, null], name: it}",
        r#"name: it | count: 7 | type: t | texts: | - "1" | - "yes" | - """#,
    );
    check("{maybe: 0x10, map: {a: on}}", r#"name: "" | count: 7 | map: |   a: true | maybe: 16"#);
}

#[test]
fn wrong_kinds_are_all_told() {
    check(
        "count: [1]\nmaybe: x\nlist: 5\nmap: {a: 1, a: true}\n",
        "\
error: yaml: unmarshal errors:
  line 1: cannot unmarshal !!seq into int (key count)
  line 2: cannot unmarshal !!str `x` into float64 (key maybe)
  line 3: cannot unmarshal !!int `5` into []test.Inner (key list)
  line 4: cannot unmarshal !!int `1` into bool (key a)
  line 4: key \"a\" already set in map (column 13)",
    );
    check(
        "- a",
        "error: yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into test.Outer",
    );
}

#[test]
fn a_broken_rule_ends_it() {
    check("list:\n- type: good\n- type: bad\nwrong: 1\n", "error: type is bad (line 3)");
}
