//! The language case by case; each expectation was compared with Go 1.26.

use std::collections::BTreeMap;

use crate::{Func, Functions, Limits, Map, Templates, Time, Type, Value};

/// Runs `template` under the name `T` on [`data`] and compares what it prints, or `ERR` and the
/// error.
#[track_caller]
fn check(template: &str, expected: &str) {
    let found = match Templates::new(functions()).execute_text("T", template, &data()) {
        Ok(text) => text,
        Err(error) => format!("ERR {error}"),
    };
    assert_eq!(found, expected, "{template}");
}

fn functions() -> Functions {
    BTreeMap::from([
        ("now", Func::new(&[], |_| Ok(Value::Time(Time::from_millis(1_714_979_289_123))))),
        ("dur", Func::new(&[], |_| Ok(Value::Duration(-5_025_123_456_789)))),
        ("u8", Func::new(&[], |_| Ok(Value::Uint(8)))),
        ("f", Func::new(&[Type::Float], |args| Ok(args[0].clone()))),
        ("add", Func::variadic(&[Type::Int], |args| Ok(Value::Int(args.iter().map(int).sum())))),
        ("fail", Func::new(&[], |_| Err("it failed 100%".to_owned()))),
    ])
}

fn int(value: &Value) -> i64 {
    if let Value::Int(number) = value { *number } else { 0 }
}

fn data() -> Value {
    Value::Map(Map::of_any([
        ("a", Value::from("x")),
        ("n", Value::Int(3)),
        ("l", Value::list([Value::Int(1), Value::from("two"), Value::Float(3.5), Value::Nil])),
        ("s", Value::strings(["p", "q"])),
        ("m", Value::Map(Map::of_strings("map[string]string", [("k", "v")]))),
        ("t", Value::Bool(true)),
        ("fl", Value::Float(1e6)),
        ("fun", Value::Func(Func::new(&[Type::Int], |args| Ok(args[0].clone())))),
    ]))
}

#[test]
fn formatting_verbs_print_as_go_does() {
    check(r#"{{printf "%[2]d %[1]d" 1 2}}"#, "2 1");
    check(r#"{{printf "%[3]d" 1}}"#, "%!d(BADINDEX)");
    check(r#"{{printf "%[x]d" 1}}"#, "%!d(BADINDEX)");
    check(r#"{{printf "%!"}}"#, "%!!(MISSING)");
    check(r#"{{printf "%"}}"#, "%!(NOVERB)");
    check(r#"{{printf "%z" 1}}"#, "%!z(int=1)");
    check(r#"{{printf "%-"}}"#, "%!(NOVERB)");
    check(r#"{{printf "%*d" "a" 1}}"#, "%!(BADWIDTH)1");
    check(r#"{{printf "%.*f" 2 3.14159}}"#, "3.14");
    check(r#"{{printf "%.*f" -2 3.14159}}"#, "%!(BADPREC)3.141590");
    check(r#"{{printf "%-*d|" -5 3}}"#, "3    |");
    check(r#"{{printf "%[1]*d" 5}}"#, "%!d(MISSING)");
    check(r#"{{printf "%[1]*[2]d|" 5 6}}"#, "    6|");
    check(r#"{{printf "%.[2]*[1]f|" 12.0 2 6}}"#, "12.00|");
    check(r#"{{printf "%[5" 1}}"#, "%!(NOVERB)");
    check(r#"{{printf "%[]d" 1}}"#, "%!d(BADINDEX)");
    check(r#"{{printf "%[-1]d" 1}}"#, "%!d(BADINDEX)");
    check(r#"{{printf "%.3x" "hello"}}"#, "68656c");
    check(r#"{{printf "%%|%c|%v" 65 "a" 1 2}}"#, "%|A|a%!(EXTRA int=1, int=2)");
    check(r#"{{printf "%d %d" 1}}"#, "1 %!d(MISSING)");
    check(r#"{{printf "%6.2f%%" 12.345}}"#, " 12.35%");
    check(r#"{{printf "%v %v" .l .m}}"#, "[1 two 3.5 <nil>] map[k:v]");
    check(r#"{{printf "%q" .s}}"#, r#"["p" "q"]"#);
    check(r#"{{printf "%s" .l}}"#, "[%!s(int=1) two %!s(float64=3.5) <nil>]");
    check(r#"{{printf "%d" .l}}"#, "[1 %!d(string=two) %!d(float64=3.5) <nil>]");
    check(r#"{{printf "%#v" .s}}"#, r#"[]string{"p", "q"}"#);
    check(r#"{{printf "%T %T" .l .m}}"#, "[]interface {} map[string]string");
    check(r#"{{printf "%5t|%-7t|" true false}}"#, " true|false  |");
    check(r#"{{printf "%05s|%-05d|%+05d|% 05d" "ab" 3 4 5}}"#, "000ab|3    |+0004| 0005");
    check(
        r#"{{printf "%x" "hi"}}{{printf "% x" "hi"}}{{printf "%# x" "hi"}}"#,
        "686968 690x68 0x69",
    );
    check(r#"{{printf "%08b" 5}}{{printf "%#o %#x %#X" 8 255 255}}"#, "00000101010 0xff 0XFF");
    check(
        r#"{{printf "%s" dur}} {{printf "%d" dur}} {{printf "%v" now}} {{printf "%q" dur}}"#,
        r#"-1h23m45.123456789s -5025123456789 2024-05-06 07:08:09.123 +0000 UTC "-1h23m45.123456789s""#,
    );
    check(r#"{{"a" | print "b" | printf "%s-%s" "c"}}"#, "c-ba");
    check(
        r#"{{now.Month}} {{printf "%d" now.Month}} {{eq now.Month 5}} {{now.Weekday}} {{now.YearDay}} {{now.UnixMilli}}"#,
        "May 5 true Monday 127 1714979289123",
    );
    check(r#"{{printf "%q %+q" "é\u00a0\u200b" "é"}}"#, r#""é\u00a0\u200b" "\u00e9""#);
    check(r#"{{- 3 | printf "%d" -}}   y"#, "3y");
    check(r#"{{ .a | printf "%s %s" }}"#, "x %!s(MISSING)");
    check(
        "{{printf}}",
        r#"ERR template: T:1:2: executing "T" at <printf>: wrong number of args for printf: want at least 1 got 0"#,
    );
    check("{{printf 1}}", r#"ERR template: T:1:9: executing "T" at <1>: expected string; found 1"#);
    check("{{printf .a}}", "x");
    check(
        "{{printf .n}}",
        r#"ERR template: T:1:9: executing "T" at <.n>: wrong type for value; expected string; got int"#,
    );
    check(r#"{{.m | printf "%v"}}"#, "map[k:v]");
    check(r#"{{printf "%v" .nope}}"#, "<nil>");
}

#[test]
fn control_structures() {
    check("{{range .l}}{{.}},{{end}}", "1,two,3.5,<no value>,");
    check("{{range $i,$x := .l}}{{$i}}={{$x}} {{end}}", "0=1 1=two 2=3.5 3=<no value> ");
    check("{{range $x := .s}}{{$x}}{{end}}", "pq");
    check("{{range $k,$v := .m}}{{$k}}{{$v}}{{end}}", "kv");
    check("{{range .m}}{{.}}{{end}}", "v");
    check("{{range 3}}{{.}}{{end}}", "012");
    check("{{range $i := 3}}{{$i}}{{end}}", "012");
    check(
        "{{range $i,$x := 3}}{{$i}}{{end}}",
        r#"ERR template: T:1:17: executing "T" at <3>: can't use 3 to iterate over more than one variable"#,
    );
    check("{{range 0}}x{{else}}none{{end}}", "none");
    check("{{range .nope}}x{{else}}E{{end}}", "E");
    check(
        "{{range .a}}{{end}}",
        r#"ERR template: T:1:8: executing "T" at <.a>: range can't iterate over x"#,
    );
    check("{{range u8}}{{.}}{{end}}", "01234567");
    check(
        "{{range 1.5}}{{end}}",
        r#"ERR template: T:1:8: executing "T" at <1.5>: range can't iterate over 1.5"#,
    );
    check("{{range .n}}{{.}}{{end}}", "012");
    check("{{range -2}}a{{else}}b{{end}}", "b");
    check("{{$a := 0}}{{$b := 0}}{{range $a, $b = .s}}{{$a}}{{$b}}{{end}}{{$a}}{{$b}}", "0p1q1q");
    check(
        "{{range $x = .s}}{{end}}",
        r#"ERR template: T:1:13: executing "T" at <.s>: undefined variable: $x"#,
    );
    check("{{range $i, := .s}}{{end}}", "ERR template: T:1: range can only initialize variables");
    check("{{range $i, 3 := .s}}{{end}}", "ERR template: T:1: range can only initialize variables");
    check("{{range $a,$b,$c := .s}}{{end}}", "ERR template: T:1: too many declarations in range");
    check(
        r#"{{range .s}}{{range $.l}}{{if eq . "two"}}{{break}}{{end}}{{end}}{{.}}{{end}}"#,
        r#"ERR template: T:1:30: executing "T" at <eq . "two">: error calling eq: incompatible types for comparison: int and string"#,
    );
    check("{{range .s}}{{else}}{{break}}{{end}}", "ERR template: T:1: {{break}} outside {{range}}");
    check("{{range .s}}{{with .}}{{continue}}{{end}}x{{end}}", "");
    check("{{if .a}}1{{else if .n}}2{{else}}3{{end}}", "1");
    check("{{if .nope}}1{{else if .n}}2{{else}}3{{end}}", "2");
    check("{{if 0}}1{{else if 0}}2{{else}}3{{end}}", "3");
    check("{{with .nope}}a{{else with .n}}{{.}}{{else}}z{{end}}", "3");
    check("{{with $x := 5}}{{$x}}{{.}}{{end}}", "55");
    check("{{with 0}}{{else}}{{.a}}{{end}}", "x");
    check("{{if}}{{end}}", "ERR template: T:1: missing value for if");
    check("{{if 1}}", "ERR template: T:1: unexpected EOF");
    check("{{end}}", "ERR template: T:1: unexpected {{end}}");
    check("{{else}}", "ERR template: T:1: unexpected {{else}}");
    check("{{if 1}}{{else}}{{else}}{{end}}", "ERR template: T:1: expected end; found {{else}}");
    check("{{if 1}}{{else if}}{{end}}", "ERR template: T:1: missing value for if");
    check("{{if 1}}{{else with 1}}{{end}}{{end}}", "ERR template: T:1: unexpected <with> in input");
    check(
        "{{if fail}}{{end}}",
        r#"ERR template: T:1:5: executing "T" at <fail>: error calling fail: it failed 100%"#,
    );
    check("{{if .fun}}y{{end}}", "y");
    check(r#"{{$x := 1}}{{$x = "s"}}{{$x}}"#, "s");
    check("{{$x = 1}}", r#"ERR template: T:1:7: executing "T" at <1>: undefined variable: $x"#);
    check("{{$x}}", r#"ERR template: T:1: undefined variable "$x""#);
    check(
        "{{$x := 1}}{{$x.y}}",
        r#"ERR template: T:1:15: executing "T" at <$x.y>: can't evaluate field y in type int"#,
    );
    check("{{$.a}}", "x");
    check("{{$x := .m}}{{$x.k}}", "v");
    check("{{$x, $y := 1}}", "ERR template: T:1: too many declarations in command");
    check("{{$x := }}", "ERR template: T:1: missing value for command");
    check("{{$x :=}}", "ERR template: T:1: missing value for command");
    check("{{$x : 1}}", r#"ERR template: T:1: undefined variable "$x""#);
    check("{{$x:=1}}{{$x}}", "1");
    check("{{$x = }}", "ERR template: T:1: missing value for command");
    check(
        "{{$y := .n}}{{$y 1}}",
        r#"ERR template: T:1:14: executing "T" at <$y>: can't give argument to non-function $y"#,
    );
    check(
        r#"{{if 1}}{{define "X"}}{{end}}{{end}}"#,
        "ERR template: T:1: unexpected <define> in command",
    );
    check(
        r#"{{$x := 1}}{{define "V"}}{{$x}}{{end}}"#,
        r#"ERR template: T:1: undefined variable "$x""#,
    );
    check(
        "{{range .s}}\n{{.x}}{{end}}",
        r#"ERR template: T:2:2: executing "T" at <.x>: can't evaluate field x in type string"#,
    );
    check(
        "{{with .m}}{{.k.z}}{{end}}",
        r#"ERR template: T:1:15: executing "T" at <.k.z>: can't evaluate field z in type string"#,
    );
    check("{{if\n.a\n}}x{{end}}", "x");
    check("{{$a$}}", "ERR template: T:1: bad character U+0024 '$'");
    check("{{break}}", "ERR template: T:1: {{break}} outside {{range}}");
    check("{{continue 1}}", r#"ERR template: T:1: unexpected "1" in {{continue}}"#);
    check("{{range .s}}{{break 1}}{{end}}", r#"ERR template: T:1: unexpected "1" in {{break}}"#);
    check("{{range .s}}{{break}}{{end}}", "");
    check("{{end}}{{if", "ERR template: T:1: unexpected {{end}}");
    check(
        "{{range .l}}{{.}}{{else}}{{end}}{{range}}{{end}}",
        "ERR template: T:1: missing value for range",
    );
    check("{{with}}{{end}}", "ERR template: T:1: missing value for with");
}

#[test]
fn builtins() {
    check(r#"{{printf "%v|" (0)}}"#, "0|");
    check(r#"{{printf "%#8e|" (0)}}"#, "%!e(int=       0)|");
    check(r#"{{printf "% O|" (0)}}"#, " 0o0|");
    check(r#"{{printf "%+8.3x|" (-7)}}"#, "    -007|");
    check(r#"{{printf "%+G|" (-7)}}"#, "%!G(int=-7)|");
    check(r#"{{printf "%-8d|" (42)}}"#, "42      |");
    check(r#"{{printf "%f|" (42)}}"#, "%!f(int=42)|");
    check(r#"{{printf "%#8c|" (42)}}"#, "       *|");
    check(r#"{{printf "% X|" (u8)}}"#, " 8|");
    check(r#"{{printf "%+8.3b|" (u8)}}"#, "   +1000|");
    check("{{printf \"%+s|\" (\"héllo\\n\")}}", "héllo\n|");
    check("{{printf \"%-8F|\" (\"héllo\\n\")}}", "%!F(string=héllo\n  )|");
    check("{{printf \"%T|\" (\"héllo\\n\")}}", "string|");
    check(r#"{{printf "%#8t|" ("")}}"#, "%!t(string=        )|");
    check(r#"{{printf "% o|" ("")}}"#, "%!o(string=)|");
    check(r#"{{printf "%+8.3q|" (3.14159)}}"#, "%!q(float64=   +3.14)|");
    check(r#"{{printf "%+o|" (3.14159)}}"#, "%!o(float64=+3.14159)|");
    check(r#"{{printf "%.2q|" (1e21)}}"#, "%!q(float64=1e+21)|");
    check(r#"{{printf "%-8O|" (1e21)}}"#, "%!O(float64=1e+21   )|");
    check(r#"{{printf "%-8e|" (-0.5)}}"#, "-5.000000e-01|");
    check(r#"{{printf "%-08c|" (-0.5)}}"#, "%!c(float64=-0.5    )|");
    check(r#"{{printf "%#8X|" (true)}}"#, "%!X(bool=    true)|");
    check(r#"{{printf "% o|" (true)}}"#, "%!o(bool=true)|");
    check(r#"{{printf "%+8.3q|" nil}}"#, "%!q(<nil>)|");
    check(r#"{{printf "%+g|" nil}}"#, "%!g(<nil>)|");
    check(r#"{{printf "%#v|" (dur)}}"#, "-5025123456789|");
    check(r#"{{printf "%08E|" (dur)}}"#, "%!E(time.Duration=-5025123456789)|");
    check(r#"{{printf "%5c|" (dur)}}"#, "    �|");
    check(r#"{{printf "%5T|" (now)}}"#, "time.Time|");
    check(
        r#"{{printf "%-08f|" (.l)}}"#,
        "[%!f(int=1       ) %!f(string=two     ) 3.500000 <nil>]|",
    );
    check(r#"{{printf "%.2v|" (.s)}}"#, "[p q]|");
    check(r#"{{printf "%#E|" (.s)}}"#, "[%!E(string=p) %!E(string=q)]|");
    check(r#"{{printf "%08U|" (.s)}}"#, "[%!U(string=0000000p) %!U(string=0000000q)]|");
    check(r#"{{printf "%5t|" (.m)}}"#, "map[%!t(string=    k):%!t(string=    v)]|");
    check(r#"{{printf "%.0o|" (.m)}}"#, "map[%!o(string=):%!o(string=)]|");
    check(r#"{{printf "%-08q|" (`a"b`)}}"#, "\"a\\\"b\"  |");
    check(r#"{{printf "%.2g|" (`a"b`)}}"#, r#"%!g(string=a")|"#);
    check(r#"{{printf "%#v|" (f 0)}}"#, "0|");
    check(r#"{{printf "%.0F|" (f 0)}}"#, "0|");
    check(r#"{{printf "%.0d|" (1i)}}"#, "%!d(complex128=(0+1i))|");
    check(r#"{{printf "%+8.3G|" (1i)}}"#, "(      +0      +1i)|");
    check(r#"{{printf "%+8.3q|" (1e100)}}"#, "%!q(float64= +1e+100)|");
    check(r#"{{printf "%5O|" (1e100)}}"#, "%!O(float64=1e+100)|");
    check(r#"{{printf "%5e|" (0.000012345)}}"#, "1.234500e-05|");
    check(r#"{{printf "% c|" (0.000012345)}}"#, "%!c(float64= 1.2345e-05)|");
    check("{{ge dur 0}}", "false");
}

#[test]
fn times_and_durations() {
    check("{{(now).Year}}{{now.Year}}", "20242024");
    check(
        "{{now.Nope}}",
        r#"ERR template: T:1:2: executing "T" at <now>: can't evaluate field Nope in type time.Time"#,
    );
    check(
        "{{now.Year 1}}",
        r#"ERR template: T:1:2: executing "T" at <now>: wrong number of args for Year: want 0 got 1"#,
    );
    check("{{now.Add 5}}", "2024-05-06 07:08:09.123000005 +0000 UTC");
    check(
        r#"{{now.Add "a"}}"#,
        r#"ERR template: T:1:10: executing "T" at <"a">: expected integer; found "a""#,
    );
    check("{{now.Add dur}}", "2024-05-06 05:44:23.999543211 +0000 UTC");
    check("{{(now.Sub now).Seconds}}", "0");
    check(
        r#"{{now.Format "Mon Jan _2 15:04:05 MST 2006 .000 PM 03 3 1 01 2 02 002 __2 06 Z07:00 -07 January Monday Janet Month 999 .999 ,000"}}"#,
        "Mon May  6 07:08:09 UTC 2024 .123 AM 07 7 5 05 6 06 127 127 24 Z +00 May Monday Janet Month 999 .123 ,123",
    );
    check(
        "{{now.Format 1}}",
        r#"ERR template: T:1:13: executing "T" at <1>: expected string; found 1"#,
    );
    check(
        "{{now.Sub 1}}",
        r#"ERR template: T:1:10: executing "T" at <1>: can't handle 1 for arg of type time.Time"#,
    );
    check(
        "{{dur}} {{dur.Seconds}} {{dur.Hours}} {{dur.Minutes}} {{dur.Milliseconds}} {{dur.String}} {{dur.Abs}} {{dur.Round 1000000000}} {{dur.Truncate 1000000000}}",
        "-1h23m45.123456789s -5025.123456789 -1.3958676268858334 -83.75205761315 -5025123 -1h23m45.123456789s 1h23m45.123456789s -1h23m45s -1h23m45s",
    );
    check("{{now.Truncate 3600000000000}}", "2024-05-06 07:00:00 +0000 UTC");
    check("{{now.AddDate 1 1 31}}", "2025-07-07 07:08:09.123 +0000 UTC");
    check(
        "{{now.Before now}}{{now.After now}}{{now.Equal now}}{{now.IsZero}}",
        "falsefalsetruefalse",
    );
}

#[test]
fn templates_define_and_call_each_other() {
    check(
        r#"{{define "X"}}<{{.}}>{{end}}{{template "X" 1}}{{template "X"}}{{template "X" .a}}"#,
        "<1><<no value>><x>",
    );
    check(
        r#"{{template "nope"}}"#,
        r#"ERR template: T:1:11: executing "T" at <{{template "nope"}}>: template "nope" not defined"#,
    );
    check("{{template}}", r#"ERR template: T:1: unexpected "}}" in template clause"#);
    check(
        r#"{{template "X" 1 2}}"#,
        r#"ERR template: T:1:11: executing "T" at <{{template "X" 1 2}}>: template "X" not defined"#,
    );
    check("{{template 1}}", r#"ERR template: T:1: unexpected "1" in template clause"#);
    check(r#"{{template "X""#, "ERR template: T:1: unclosed action");
    check(r#"{{define "X"}}"#, "ERR template: T:1: unexpected EOF");
    check("{{define X}}{{end}}", r#"ERR template: T:1: unexpected "X" in define clause"#);
    check("{{define}}{{end}}", r#"ERR template: T:1: unexpected "}}" in define clause"#);
    check(
        r#"{{define "X"}}a{{end}}{{define "X"}}b{{end}}"#,
        r#"ERR template: T:1: template: multiple definition of template "X""#,
    );
    check(r#"{{define "X"}} {{end}}{{define "X"}}b{{end}}{{template "X"}}"#, "b");
    check(
        r#"{{define "X"}}{{else}}{{end}}"#,
        "ERR template: T:1: unexpected {{else}} in define clause",
    );
    check(r#"{{block "B" .a}}[{{.}}]{{end}}"#, "[x]");
    check(r#"{{block "B"}}x{{end}}"#, "ERR template: T:1: missing value for block clause");
    check("{{block .a}}{{end}}", r#"ERR template: T:1: unexpected ".a" in block clause"#);
    check(r#"{{define "R"}}{{template "R"}}{{end}}ok"#, "ok");
    check(
        r#"{{define "V"}}{{$x}}{{end}}{{$x := 1}}"#,
        r#"ERR template: T:1: undefined variable "$x""#,
    );
    check(
        "{{define \"E\"}}line\n{{fail}}{{end}}{{template \"E\"}}",
        r#"ERR template: T:2:2: executing "E" at <fail>: error calling fail: it failed 100%"#,
    );
    check(r#"{{template "a" "b".c}}"#, "ERR template: T:1: unexpected . after term \"\\\"b\\\"\"");
}

#[test]
fn syntax_and_its_errors() {
    check("{{.l}}", "[1 two 3.5 <nil>]");
    check("{{.fl}}", "1e+06");
    check("{{.m.k}}{{.m.z}}", "v<no value>");
    check("{{1 | print 2}}", "2 1");
    check("{{.a | nofunc}}", r#"ERR template: T:1: function "nofunc" not defined"#);
    check("{{(.m).z}}", "<no value>");
    check("{{()}}", "ERR template: T:1: missing value for parenthesized pipeline");
    check("{{((.a))}}", "x");
    check(r#"{{"a".b}}"#, "ERR template: T:1: unexpected . after term \"\\\"a\\\"\"");
    check("{{..a}}", r#"ERR template: T:1: unexpected . after term ".""#);
    check(
        "{{.a .n}}",
        r#"ERR template: T:1:2: executing "T" at <.a>: a is not a method but has arguments"#,
    );
    check(
        r#"{{"x" .a}}"#,
        r#"ERR template: T:1:2: executing "T" at <"x">: can't give argument to non-function "x""#,
    );
    check("{{1 | and}}", "1");
    check("{{add 1 2}}", "3");
    check("{{add 1.0}}", "1");
    check("{{add .n}}", "3");
    check("{{f 1}}", "1");
    check(
        "{{f nil}}",
        r#"ERR template: T:1:4: executing "T" at <nil>: cannot assign nil to float64"#,
    );
    check(
        "{{f true}}",
        r#"ERR template: T:1:4: executing "T" at <true>: expected float; found true"#,
    );
    check(
        "{{1 | fail}}",
        r#"ERR template: T:1:6: executing "T" at <fail>: wrong number of args for fail: want 0 got 1"#,
    );
    check("a {{- 1 -}} b", "a1b");
    check("a\n{{- /* c */ -}}\nb", "ab");
    check("{{/* c */ x}}", "ERR template: T:1: comment ends before closing delimiter");
    check("{{-/* c */}}", r#"ERR template: T:1: illegal number syntax: "-""#);
    check("{{}}", "ERR template: T:1: missing value for command");
    check("{{ 1 }", r#"ERR template: T:1: unexpected "}" in operand"#);
    check("{{`a", "ERR template: T:1: unterminated raw quoted string");
    check("{{'\\x41'}}", "65");
    check("{{\"a\nb\"}}", "ERR template: T:1: unterminated quoted string");
    check("{{ if 1 }}\n\n{{ .b", "ERR template: T:3: unclosed action");
    check("{{1a}}", r#"ERR template: T:1: bad number syntax: "1a""#);
    check("{{0xfg}}", r#"ERR template: T:1: bad number syntax: "0xfg""#);
    check("{{.5}}", "0.5");
    check(
        "{{99999999999999999999}}",
        r#"ERR template: T:1: integer overflow: "99999999999999999999""#,
    );
    check("{{-9223372036854775808}}", "-9223372036854775808");
    check("{{0b12}}", r#"ERR template: T:1: bad number syntax: "0b12""#);
    check("{{1+2i}}", "(1+2i)");
    check("{{+1}}", "1");
    check("{{é}}", r#"ERR template: T:1: function "é" not defined"#);
    check("{{a$}}", "ERR template: T:1: bad character U+0024 '$'");
    check("{{.a,}}", r#"ERR template: T:1: unexpected "," in operand"#);
    check("{{|1}}", r#"ERR template: T:1: unexpected "|" in command"#);
    check(
        "{{(print).x}}",
        r#"ERR template: T:1:3: executing "T" at <print>: can't evaluate field x in type string"#,
    );
    check(r#"{{"a""b"}}"#, "ERR template: T:1: unexpected \"\\\"b\\\"\" in operand");
    check("x{{/**/}}", "x");
    check("{{.nope | print}}", "<nil>");
}

/// Runs `template` under small limits and says how it ends.
#[track_caller]
fn check_limit(template: &str, expected_end: &str) {
    let mut templates = Templates::new(functions());
    templates.limits = Limits { depth: 100, steps: 10_000, output_bytes: 100_000 };
    let error = templates.execute_text("T", template, &data()).expect_err(template).to_string();
    assert!(error.ends_with(expected_end), "{template}: {error}");
}

#[test]
fn a_template_cannot_eat_the_server() {
    check_limit(r#"{{define "R"}}{{template "R"}}{{end}}{{template "R"}}"#, "template depth (100)");
    check_limit("{{range 1000000000}}{{end}}", "exceeded 10000 steps");
    check_limit(
        "{{range 1000}}0123456789{{printf \"%200s\" \"\"}}{{end}}",
        "exceeded 100000 bytes",
    );
    check_limit(
        r#"{{$x := "ab"}}{{range 60}}{{$x = print $x $x}}{{end}}"#,
        "exceeded 100000 bytes",
    );
    check_limit(&"{{if 1}}".repeat(100_000), "max expression depth exceeded");
    check_limit(&format!("{{{{{}", "(".repeat(100_000)), "max expression depth exceeded");
    let nested = "{{if 1}}".repeat(150) + &"{{end}}".repeat(150);
    check_limit(&nested, "template depth (100)");
}

#[test]
fn default_limits_fit_the_stack_of_a_thread() {
    let templates = Templates::new(functions());
    let text = r#"{{define "R"}}{{if (and 1 (print (print .)))}}{{template "R" (print 1)}}{{end}}{{end}}{{template "R"}}"#;
    let error = templates.execute_text("T", text, &data()).expect_err("endless").to_string();
    assert!(error.ends_with("exceeded maximum template depth (400)"), "{error}");
}
