use conformance::Score;
use model::MatchKind;
use serde_json::Value;

use super::{Error, Matcher, Mode, classic, lexer, print, utf8};

pub(crate) fn kind(operator: &Value) -> Option<MatchKind> {
    match operator.as_str()? {
        "=" => Some(MatchKind::Equal),
        "!=" => Some(MatchKind::NotEqual),
        "=~" => Some(MatchKind::Regex),
        "!~" => Some(MatchKind::NotRegex),
        _ => None,
    }
}

fn describe(matchers: &[Matcher]) -> Value {
    let one =
        |m: &Matcher| serde_json::json!({"name": m.name, "op": m.kind.as_str(), "value": m.value});
    matchers.iter().map(one).collect()
}

/// What a case says: the matchers, or an error.
fn expected(case: &Value) -> Result<Value, String> {
    if let Some(error) = case["error"].as_str() {
        return Err(error.to_owned());
    }
    match &case["matcher"] {
        Value::Null => Ok(case["matchers"].clone()),
        matcher => Ok(serde_json::json!([matcher])),
    }
}

fn compare(
    parsed: Result<Vec<Matcher>, Error>,
    expected: &Result<Value, String>,
) -> Result<(), String> {
    let parsed = parsed.map(|matchers| describe(&matchers)).map_err(|error| error.to_string());
    if parsed == *expected { Ok(()) } else { Err(format!("{parsed:?} instead of {expected:?}")) }
}

fn run(
    table: &str,
    parse: impl Fn(&Value, &str) -> Result<Vec<Matcher>, Error>,
    known: &[(&str, &str)],
) {
    let Some(cases) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let input = case["input"].as_str().expect("cases have an input");
        score.add(input, compare(parse(case, input), &expected(case)));
    }
    score.finish(known);
}

fn is_single(case: &Value) -> bool {
    case["entry_point"] == "matcher"
}

#[test]
fn utf8_parser_reads_as_upstream() {
    run(
        "alertmanager/matchers/utf8_parse.json",
        |case, input| match is_single(case) {
            true => utf8::parse_matcher(input).map(|matcher| vec![matcher]),
            false => utf8::parse_matchers(input),
        },
        &[],
    );
}

#[test]
fn classic_parser_reads_as_upstream() {
    run("alertmanager/matchers/classic_parse.json", |_, input| classic::parse_matchers(input), &[]);
}

#[test]
fn fallback_reads_as_upstream() {
    run(
        "alertmanager/matchers/fallback_parse.json",
        |case, input| match is_single(case) {
            true => Mode::Fallback.parse_matcher(input, "test").map(|matcher| vec![matcher]),
            false => Mode::Fallback.parse_matchers(input, "test"),
        },
        &[],
    );
}

#[test]
fn both_parsers_comply() {
    let table = "alertmanager/matchers/compliance.json";
    let Some(cases) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let input = case["input"].as_str().expect("cases have an input");
        let expected = expected(case);
        let mut outcome = compare(classic::parse_matchers(input), &expected);
        if case["skipped_for_utf8_parser"] != true {
            let parsed = utf8::parse_matchers(input).map(|matchers| describe(&matchers)).ok();
            if parsed != expected.clone().ok() {
                outcome = Err(format!("UTF-8: {parsed:?} instead of {expected:?}"));
            }
        }
        score.add(input, outcome);
    }
    score.finish(&[(
        "{name-with-dashes = \"bar\"}",
        "the table of the classic parser refuses dashes; here upstream asks the other one only",
    )]);
}

#[test]
fn lexer_cuts_as_upstream() {
    let table = "alertmanager/matchers/utf8_lexer.json";
    let Some(cases) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let input = case["input"].as_str().expect("cases have an input");
        score.add(input, check_tokens(case, input));
    }
    score.finish(&[]);
}

fn check_tokens(case: &Value, input: &str) -> Result<(), String> {
    let mut lexer = lexer::Lexer::new(input);
    for expected in case["tokens"].as_array().expect("cases have tokens") {
        let token = lexer.next().map_err(|error| error.to_string())?.ok_or("it ended early")?;
        let kind = match token.kind {
            lexer::Kind::OpenBrace => "open_brace",
            lexer::Kind::CloseBrace => "close_brace",
            lexer::Kind::Comma => "comma",
            lexer::Kind::Equal => "equals",
            lexer::Kind::NotEqual => "not_equals",
            lexer::Kind::Regex => "matches",
            lexer::Kind::NotRegex => "not_matches",
            lexer::Kind::Quoted => "quoted",
            lexer::Kind::Unquoted => "unquoted",
        };
        let found = (kind, token.text, token.column_start as u64, token.column_end as u64);
        let wanted = (
            expected["kind"].as_str().unwrap_or_default(),
            expected["text"].as_str().unwrap_or_default(),
            expected["column_start"].as_u64().unwrap_or_default(),
            expected["column_end"].as_u64().unwrap_or_default(),
        );
        if found != wanted {
            return Err(format!("{found:?} instead of {wanted:?}"));
        }
    }
    let end = lexer.next().map_err(|error| error.to_string());
    match case["error_after_tokens"].as_str() {
        None if end == Ok(None) => Ok(()),
        Some(error) if end == Err(error.to_owned()) => Ok(()),
        wanted => Err(format!("{end:?} instead of {wanted:?} at the end")),
    }
}

#[test]
fn label_names_are_valid_as_upstream() {
    let table = "alertmanager/matchers/label_name_validity.json";
    let Some(cases) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let mode = match case["mode"].as_str() {
            Some("classic") => Mode::Classic,
            Some("utf8-strict-mode") => Mode::Utf8Strict,
            _ => Mode::Fallback,
        };
        // What is no UTF-8 can't become a name here: it is refused where the bytes come in.
        let valid = case["label_name"].as_str().is_some_and(|name| mode.is_label_name(name));
        let name = format!("{} {}", case["mode"], case["name"]);
        score.add(name, if case["valid"] == valid { Ok(()) } else { Err(format!("{valid}")) });
    }
    score.finish(&[]);
}

#[test]
fn values_match_as_upstream() {
    let table = "alertmanager/matchers/match_values.json";
    let Some(cases) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let text = |key: &str| case[key].as_str().unwrap_or_default();
        let kind = kind(&case["op"]).expect("cases have an operator");
        let matches = Matcher::new(kind, "x", text("pattern")).map(|it| it.matches(text("value")));
        let outcome = if matches.as_ref() == Ok(&(case["matches"] == true)) {
            Ok(())
        } else {
            Err(format!("{matches:?}"))
        };
        score.add(case.to_string(), outcome);
    }
    score.finish(&[]);
}

#[test]
fn matchers_print_as_upstream() {
    let table = "alertmanager/matchers/print_and_json.json";
    let Some(cases) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for case in cases.cases.iter().filter(|case| !case["string_form"].is_null()) {
        let build = |matcher: &Value| {
            let text = |key: &str| matcher[key].as_str().unwrap_or_default().to_owned();
            Matcher::new(kind(&matcher["op"]).expect("an operator"), text("name"), text("value"))
        };
        let printed = match &case["matchers"] {
            Value::Array(matchers) => {
                matchers.iter().map(build).collect::<Result<Vec<_>, _>>().map(|it| print(&it))
            }
            _ => build(&case["matcher"]).map(|it| it.to_string()),
        };
        let wanted = case["string_form"].as_str().unwrap_or_default();
        let outcome =
            if printed.as_deref() == Ok(wanted) { Ok(()) } else { Err(format!("{printed:?}")) };
        score.add(case.to_string(), outcome);
    }
    score.finish(&[]);
}
