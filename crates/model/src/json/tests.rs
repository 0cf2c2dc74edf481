use super::{Escape, write_text};

fn check(text: &str, standard: &str, iterator: &str, label: &str) {
    for (escape, expected) in
        [(Escape::Standard, standard), (Escape::Iterator, iterator), (Escape::Label, label)]
    {
        let mut out = String::new();
        write_text(text, escape, &mut out);
        assert_eq!(out, format!("\"{expected}\""), "{escape:?}");
    }
}

#[test]
fn texts_are_escaped_as_go_escapes_them() {
    let same = |text, expected| check(text, expected, expected, expected);
    same("", "");
    same("up", "up");
    same("a\"b\\c\n\r\t\u{1}", "a\\\"b\\\\c\\n\\r\\t\\u0001");
    same("é€\u{2028}x\u{2029}\u{7f}", "é€\\u2028x\\u2029\u{7f}");
    check("<a&b>", "\\u003ca\\u0026b\\u003e", "\\u003ca\\u0026b\\u003e", "<a&b>");
    check("\u{8}\u{c}", "\\b\\f", "\\u0008\\u000c", "\\u0008\\u000c");
}
