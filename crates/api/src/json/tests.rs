use super::Json;

fn check(text: &str, in_html: &str, in_labels: &str) {
    let mut json = Json::default();
    json.string(text);
    json.label_text(text);
    assert_eq!(json.finish(), format!("\"{in_html}\"\"{in_labels}\""));
}

#[test]
fn texts_are_escaped_as_go_escapes_them() {
    check("", "", "");
    check("up", "up", "up");
    check("a\"b\\c\n\r\t\u{1}", "a\\\"b\\\\c\\n\\r\\t\\u0001", "a\\\"b\\\\c\\n\\r\\t\\u0001");
    check("<a&b>", "\\u003ca\\u0026b\\u003e", "<a&b>");
    check("é€\u{2028}x\u{2029}\u{7f}", "é€\\u2028x\\u2029\u{7f}", "é€\\u2028x\\u2029\u{7f}");
}

#[test]
fn lists_end_when_nobody_reads() {
    let (sink, source) = tokio::sync::mpsc::channel(1);
    drop(source);
    let mut json = Json::streaming(sink);
    let long = "x".repeat(100_000);
    let mut n_written = 0;
    json.array(0..1_000, |json, _| {
        n_written += 1;
        json.string(&long);
        json.flush_full_chunk();
    });
    assert_eq!(n_written, 1);
}
