use serde_json::Value;

use crate::{
    ast::BinaryOp,
    lex::Lexer,
    token::{Kind, Token},
};

#[test]
fn lexer_splits_as_upstream() {
    let Some(cases) = conformance::cases("prometheus/promql/parser/lexer.json") else { return };
    let mut score = conformance::Score::new("lexer");
    for (at, case) in cases.cases.iter().enumerate() {
        let input = conformance::bytes(&case["input"]);
        let name = format!("{at} {}", String::from_utf8_lossy(&input));
        score.add(name, check(&input, case));
    }
    score.finish(&[]);
}

fn check(input: &[u8], case: &Value) -> Result<(), String> {
    let is_series = case["series_description_mode"] == true;
    let mut lexer = if is_series { Lexer::for_series(input) } else { Lexer::new(input) };
    let mut tokens = Vec::new();
    let mut failed = false;
    loop {
        let token = lexer.next();
        if token.kind == Kind::End {
            break;
        }
        failed |= token.kind == Kind::Error;
        let text = match token.kind {
            Kind::Error => lexer.take_error(),
            _ => String::from_utf8_lossy(&input[token.span.start..token.span.end]).into_owned(),
        };
        tokens.push(format!("{}@{} {text}", name(token, &text), token.span.start));
    }
    let wanted: Vec<String> = match case["tokens"].as_array() {
        Some(tokens) => tokens.iter().map(line).collect(),
        None if failed => return Ok(()),
        None => return Err(format!("no error in {tokens:?}")),
    };
    match tokens == wanted {
        true => Ok(()),
        false => Err(format!("{tokens:?} instead of {wanted:?}")),
    }
}

fn line(token: &Value) -> String {
    let text = |key: &str| token[key].as_str().expect("a text");
    format!("{}@{} {}", text("type"), token["pos"], text("text"))
}

/// Upstream's name of a kind.
fn name(token: Token, text: &str) -> String {
    match token.kind {
        Kind::End => "EOF",
        Kind::Error => "ERROR",
        Kind::Comment => "COMMENT",
        Kind::Identifier => "IDENTIFIER",
        Kind::MetricIdentifier => "METRIC_IDENTIFIER",
        Kind::Number => "NUMBER",
        Kind::Duration => "DURATION",
        Kind::String => "STRING",
        Kind::Assign => "EQL",
        Kind::EqualRegex => "EQL_REGEX",
        Kind::NotEqualRegex => "NEQ_REGEX",
        Kind::Comma => "COMMA",
        Kind::Colon => "COLON",
        Kind::LeftParen => "LEFT_PAREN",
        Kind::RightParen => "RIGHT_PAREN",
        Kind::LeftBrace => "LEFT_BRACE",
        Kind::RightBrace => "RIGHT_BRACE",
        Kind::LeftBracket => "LEFT_BRACKET",
        Kind::RightBracket => "RIGHT_BRACKET",
        Kind::At => "AT",
        Kind::Space => "SPACE",
        Kind::Blank => "BLANK",
        Kind::Times => "TIMES",
        Kind::OpenHistogram => "OPEN_HIST",
        Kind::CloseHistogram => "CLOSE_HIST",
        Kind::ResetHint => "RESET_HINT",
        Kind::Descriptor(_) => return format!("{}_DESC", text.to_uppercase()),
        Kind::Aggregate(_) | Kind::Keyword(_) => return text.to_uppercase(),
        Kind::Op(op) => match op {
            BinaryOp::Add => "ADD",
            BinaryOp::Sub => "SUB",
            BinaryOp::Mul => "MUL",
            BinaryOp::Div => "DIV",
            BinaryOp::Mod => "MOD",
            BinaryOp::Pow => "POW",
            BinaryOp::Atan2 => "ATAN2",
            BinaryOp::Equal => "EQLC",
            BinaryOp::NotEqual => "NEQ",
            BinaryOp::Greater => "GTR",
            BinaryOp::Less => "LSS",
            BinaryOp::GreaterOrEqual => "GTE",
            BinaryOp::LessOrEqual => "LTE",
            BinaryOp::And => "LAND",
            BinaryOp::Or => "LOR",
            BinaryOp::Unless => "LUNLESS",
            BinaryOp::TrimUpper => "TRIM_UPPER",
            BinaryOp::TrimLower => "TRIM_LOWER",
        },
    }
    .to_owned()
}
