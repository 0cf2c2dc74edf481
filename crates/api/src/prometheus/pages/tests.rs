use std::{path::Path, sync::Arc};

use model::{Labels, Timestamp};
use runtime::Simulation;

use super::Pages;
use crate::prometheus::{
    State,
    engine::{Answer, Sample, SampleValue, Value},
    tests::{self, fakes, get, state},
};

/// A server beside whose pages these files lie, each with its path.
fn with_files(files: &[(&str, &str)]) -> State {
    let simulation = Simulation::new(1);
    let runtime = simulation.runtime();
    for (path, text) in files {
        let path = Path::new(path);
        let folder = path.parent().expect("it is in a folder");
        runtime.disk.create_directories(folder).expect("the disk is good");
        runtime.disk.write_atomically(path, text.as_bytes()).expect("the disk is good");
    }
    let sample = Sample {
        labels: Labels::from_pairs([("instance", "<a>")]),
        time: Timestamp::from_millis(0),
        value: SampleValue::Float(42.0),
    };
    let answer = Answer { value: Value::Vector(vec![sample]), ..Answer::default() };
    let engine = fakes::Engine { answer: Ok(answer), ..fakes::Engine::default() };
    State {
        engine: Arc::new(engine),
        runtime,
        pages: Pages {
            title: "Ours & yours".to_owned(),
            external_url: "http://example.com/prom".to_owned(),
            consoles: "consoles".into(),
            console_libraries: "libraries".into(),
            user_assets: Some("assets".into()),
        },
        external_labels: Arc::new(|| Labels::from_pairs([("cluster", "c")])),
        ..state()
    }
}

/// What the console `text` prints, asked with `query`.
fn check_console(text: &str, query: &str, expected: &str) {
    const HEAD: &str = "{{define \"head\"}}<b>{{.}}</b>{{end}}{{define \"again\"}}\
                        {{tmpl \"again\" .}}{{end}}";
    let files = [("consoles/x/page.html", text), ("libraries/head.lib", HEAD)];
    let answer = get(with_files(&files), &format!("/consoles/x/page.html{query}"));
    let got = format!("{} {}", answer.status.as_u16(), answer.body.trim_end());
    assert_eq!(got, expected, "{text}");
}

#[test]
fn consoles_are_templates() {
    check_console("plain & simple", "", "200 plain & simple");
    check_console("{{.Path}} {{$path}}", "", "200 x/page.html x/page.html");
    check_console("{{$params.a}}", "?a=%3Cb%3E&a=c", "200 &lt;b&gt;");
    check_console("{{$rawParams.a}}", "?a=b&a=c", "200 [b c]");
    check_console("{{.Params.none}}!", "?a=b", "200 !");
    check_console("{{$externalLabels.cluster}} {{pathPrefix}}", "", "200 c /prom");
    let of_query = "{{range query \"up\"}}{{.Labels.instance}} is {{.Value}}{{end}}";
    check_console(of_query, "", "200 &lt;a&gt; is 42");
}

#[test]
fn consoles_use_libraries() {
    check_console("{{template \"head\" \"<i>\"}}", "", "200 <b>&lt;i&gt;</b>");
    check_console("{{tmpl .Params.which \"x\"}}", "?which=head", "200 <b>x</b>");
}

#[test]
fn mistakes_in_consoles_are_told() {
    let check = |text: &str, expected: &str| {
        let answer = get(with_files(&[("consoles/page.html", text)]), "/consoles/page.html");
        assert_eq!(answer.status, 500, "{}", answer.body);
        assert!(answer.body.starts_with(expected), "{}", answer.body);
    };
    check("{{nonsense}}", "error parsing template __console_/page.html: template: ");
    check("{{template \"none\"}}", "error executing template __console_/page.html: ");
    check("{{define \"a\"}}{{tmpl \"a\" 1}}{{end}}{{tmpl \"a\" 1}}", "error executing template ");
    let answer = get(with_files(&[]), "/consoles/none.html");
    assert_eq!(answer.status, 404);
    assert_eq!(answer.body, "open consoles/none.html: no such file or directory\n");
}

#[test]
fn nothing_outside_the_folder_is_shown() {
    let files = [("secret.html", "secret"), ("assets/a.html", "a"), ("consoles/a.html", "a")];
    for path in ["/user/../secret.html", "/user/%2e%2e/secret.html", "/consoles/%2e%2e/secret.html"]
    {
        let answer = get(with_files(&files), path);
        assert!(
            !answer.body.contains("secret\n") && answer.status != 200,
            "{path} {}",
            answer.body
        );
    }
}

#[test]
fn files_of_the_user_are_served() {
    let files = [("assets/static/index.html", "<p>"), ("assets/a.css", "b{}")];
    let check = |path: &str, expected: &str| {
        let answer = get(with_files(&files), path);
        let kind = answer.header("content-type");
        assert_eq!(
            format!("{} {kind} {}", answer.status.as_u16(), answer.body.trim_end()),
            expected
        );
    };
    check("/user/a.css", "200 text/css; charset=utf-8 b{}");
    check("/user/static/index.html", "200 text/html; charset=utf-8 <p>");
    check("/user/static/", "200 text/html; charset=utf-8 <p>");
    check("/user/none", "404 text/plain; charset=utf-8 404 page not found");
    // Without a folder there is no such route.
    assert_eq!(get(tests::state(), "/user/a.css").status, 404);
}

#[test]
fn the_title_is_the_operators_and_consoles_are_linked() {
    let page = |files: &[(&str, &str)]| get(with_files(files), "/query").body;
    let body = page(&[]);
    assert!(body.contains("<title>Ours &amp; yours</title>"), "{body}");
    assert!(!body.contains("index.html&quot;"), "{body}");
    let body = page(&[("consoles/index.html", "")]);
    assert!(body.contains("&quot;consoles/index.html&quot;"), "{body}");
    let body = page(&[("assets/static/index.html", "")]);
    assert!(body.contains("&quot;user/static/index.html&quot;"), "{body}");
}
