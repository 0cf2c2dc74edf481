//! Whatever a template says, it ends with a text or an error.

use proptest::prelude::*;

use crate::{Functions, Limits, Templates, Value, format::sprintf};

/// Pieces that put together are often nearly a template.
fn piece() -> impl Strategy<Value = String> {
    let pieces = [
        "{{",
        "}}",
        "{{-",
        "-}}",
        "{{- ",
        " -}}",
        "/*",
        "*/",
        "{{/* ",
        " */}}",
        "if ",
        "else",
        "end",
        "{{end}}",
        "{{else}}",
        "range ",
        "with ",
        "define ",
        "template ",
        "block ",
        "break",
        "\"a\"",
        "`a`",
        "'a'",
        "'\\",
        "\"\\x4",
        ".a",
        ".",
        "$",
        "$x",
        " := ",
        " = ",
        ", ",
        " | ",
        "(",
        ")",
        "1",
        "-1.5e",
        "0x",
        "1i",
        "nil",
        "true",
        "print ",
        "printf ",
        "index ",
        "slice ",
        "len ",
        "eq ",
        "and ",
        "call ",
        "html ",
        "%d",
        "\n",
        "é",
        "\u{a0}",
        "\0",
    ];
    prop_oneof![8 => proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned), 1 => ".{0,3}"]
}

proptest! {
    #[test]
    fn any_template_ends(pieces in proptest::collection::vec(piece(), 0..24)) {
        let mut templates = Templates::new(Functions::new());
        templates.limits = Limits { depth: 100, steps: 1000, output_bytes: 10_000 };
        let data = Value::list([Value::Int(1), Value::from("é"), Value::Nil]);
        let text = pieces.concat();
        if let Err(error) = templates.execute_text("T", &text, &data) {
            prop_assert!(error.to_string().starts_with("template: "), "{error}");
        }
    }

    #[test]
    fn any_layout_ends(layout in "[%0-9*.#+ \\[\\]-]{0,6}%[-+# 0]{0,2}[0-9]{0,3}(\\.[0-9]{0,2})?[a-zA-Z%é]") {
        let args = [Value::Int(-5), Value::Float(1.5), Value::from("é"), Value::Nil];
        prop_assert!(sprintf(&layout, &args).len() < 40_000_000);
    }
}
