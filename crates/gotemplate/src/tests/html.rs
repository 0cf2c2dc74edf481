//! Values in all places of a document.

use proptest::prelude::*;

use crate::{Templates, Value};

fn render(template: &str, value: &str) -> String {
    let mut templates = Templates::default();
    templates.is_html = true;
    let printed = templates.execute_text("", template, &Value::from(value));
    printed.unwrap_or_else(|error| panic!("{template}: {error}"))
}

fn check(template: &str, value: &str, expected: &str) {
    assert_eq!(render(template, value), expected, "{template}");
}

#[test]
fn text_is_escaped_where_it_stands() {
    check("{{ . }}", "<b> & 'x' \"y\" +", "&lt;b&gt; &amp; &#39;x&#39; &#34;y&#34; &#43;");
    check("<p>{{ . }}</p>", "<", "<p>&lt;</p>");
    check("<title>{{ . }}</title>", "</title>", "<title>&lt;/title&gt;</title>");
    check("<textarea>{{ . }}</textarea><i>{{ . }}", "<", "<textarea>&lt;</textarea><i>&lt;");
    check("<!-- {{ . }} -->{{ . }}", "--><b>", "<!--  -->--&gt;&lt;b&gt;");
    check("1 < 2 {{ . }}", "<", "1 &lt; 2 &lt;");
    check("a << b <3 <!-- < --> </x> <", "", "a &lt;&lt; b &lt;3 <!-- < --> </x> &lt;");
    check("<title>a < b <i></title><", "", "<title>a &lt; b &lt;i></title>&lt;");
    check("<!DOCTYPE html>< p>", "", "<!DOCTYPE html>&lt; p>");
}

#[test]
fn attributes_cannot_be_left() {
    check("<a title=\"{{ . }}\">", "\"><b>", "<a title=\"&#34;&gt;&lt;b&gt;\">");
    check("<a title='{{ . }}'>", "' onclick=x", "<a title='&#39; onclick=x'>");
    check("<a title={{ . }}>", "a b=c", "<a title=a&#32;b&#61;c>");
    check("<a title=x{{ . }}>{{ . }}", "> <", "<a title=x&gt;&#32;&lt;>&gt; &lt;");
    check("<{{ . }}>", "img src=x", "&lt;img src=x>");
    check("<a{{ . }}>", "img src=x", "<aZgotmplZ>");
    check("<a {{ . }}=\"1\">", "onclick", "<a ZgotmplZ=\"1\">");
    check("<a {{ . }}=\"1\">", "title", "<a title=\"1\">");
}

#[test]
fn addresses_go_nowhere_else() {
    check("<a href=\"{{ . }}\">", "javascript:alert(1)", "<a href=\"#ZgotmplZ\">");
    check("<a href=\" {{ . }}\">", "JavaScript:x", "<a href=\" #ZgotmplZ\">");
    check("<a href=\"{{ . }}\">", "https://a/b?c=d&e=f", "<a href=\"https://a/b?c=d&amp;e=f\">");
    check("<a href=\"{{ . }}\">", "/a b\"", "<a href=\"/a%20b%22\">");
    check("<a href=\"/x?y={{ . }}\">", "a&b=/ü", "<a href=\"/x?y=a%26b%3d%2f%c3%bc\">");
    check("<a href=/x?y={{ . }} title=\"{{ . }}\">", "<", "<a href=/x?y=%3c title=\"&lt;\">");
    check("<img data-src='{{ . }}'>", "data:x", "<img data-src='#ZgotmplZ'>");
}

#[test]
fn scripts_and_styles_get_values() {
    check(
        "<script>var a = {{ . }};</script>{{ . }}",
        "</script>\"",
        r#"<script>var a = "\u003c/script\u003e\"";</script>&lt;/script&gt;&#34;"#,
    );
    check("<script>var a = '{{ . }}';</script>", "';x", "<script>var a = '\\u0027;x';</script>");
    check("<style>p { color: {{ . }} }</style>", "red", "<style>p { color: red }</style>");
    check("<p style=\"color: {{ . }}\">", "url(x)", "<p style=\"color: ZgotmplZ\">");
    check("<a onclick=\"f({{ . }})\">", "\"", "<a onclick=\"f(&#34;\\&#34;&#34;)\">");
}

proptest! {
    /// A value adds no tag, however it and the document around it look.
    #[test]
    fn values_add_no_tags(
        template in "([a-z<>/='\" -]|<a href=\"|<script>|</script>|\\{\\{ \\. \\}\\}){0,12}",
        value in "([a-z<>/='\":&; -]|javascript:|</script>|-->){0,8}",
    ) {
        let marked = value.replace(['<', '>'], "");
        let count = |text: &str| text.matches('<').count();
        prop_assert_eq!(count(&render(&template, &value)), count(&render(&template, &marked)));
    }
}
