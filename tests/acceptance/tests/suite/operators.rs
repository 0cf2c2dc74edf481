//! What operators add to a server with flags: a title, templates, files, profiles, searches, logs.

use std::time::Duration;

use acceptance::{get, program, run, skip, vesta, wait_for};

use crate::bed::Bed;

const CONFIG: &str = "global: {external_labels: {cluster: c}}\n";

/// Everything that a console may use, in Go's words.
const CONSOLE: &str = "\
{{ template \"head\" .Path }}
<p title=\"{{ .Params.who }}\">{{ $rawParams.who }} {{ $externalLabels.cluster }}</p>
<script>let who = {{ $params.who }};</script>
<a href=\"{{ pathPrefix }}/graph?g0.expr={{ .Params.who }}\">{{ 1234567.0 | humanize }}</a>
{{ range query \"vector(42)\" }}{{ .Value }} {{ end }}{{ tmpl \"foot\" 5 }}
{{ if eq (len .Params) 1 }}one{{ else }}many{{ end }} {{ .Params.nobody }}|
";

const LIBRARY: &str = "{{ define \"head\" }}<h1>{{ . }}</h1>{{ end }}\n\
    {{ define \"foot\" }}{{ . }} <b>&</b>{{ end }}\n";

fn pages(bed: &Bed) -> Vec<&'static str> {
    for folder in ["consoles", "libraries", "assets"] {
        std::fs::create_dir(bed.path().join(folder)).expect("the test's folder can be written");
    }
    bed.write("consoles/page.html", CONSOLE);
    bed.write("consoles/broken.html", "{{ nonsense }}");
    bed.write("libraries/parts.lib", LIBRARY);
    bed.write("assets/ours.css", "b {}\n");
    vec![
        "--web.page-title=Ours",
        "--web.console.templates=consoles",
        "--web.console.libraries=libraries",
        "--web.user-assets=assets",
    ]
}

#[test]
fn consoles_and_files_are_served_as_upstream_serves_them() {
    let bed = Bed::new();
    let flags = pages(&bed);
    let ours =
        bed.server_with(&vesta(), &["server"], "ours", CONFIG, acceptance::free_port(), &flags);
    let page = get(ours.port, "/consoles/page.html?who=%3Cx%3E%22").expect("it runs");
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.starts_with("<h1>page.html</h1>"), "{}", page.body);
    assert!(get(ours.port, "/query").expect("it runs").body.contains("<title>Ours</title>"));
    let Some(theirs) = program("prometheus") else {
        return skip("consoles_and_files_are_served_as_upstream_serves_them", "prometheus");
    };
    let port = acceptance::free_port();
    let theirs = bed.server_with(&theirs, &[], "theirs", CONFIG, port, &flags);
    for path in [
        "/consoles/page.html?who=%3Cx%3E%22",
        "/consoles/page.html?who=a&who=b",
        "/consoles/page.html",
        "/consoles/none.html",
        "/consoles/broken.html",
        "/consoles/../config.yml",
        "/user/ours.css",
        "/user/none.css",
    ] {
        let [ours, theirs] = [ours.port, theirs.port].map(|port| {
            let answer = get(port, path).expect("it runs");
            (answer.status, answer.body)
        });
        assert_eq!(ours, theirs, "{path}");
    }
}

#[test]
fn profiles_searches_and_the_description_are_there() {
    let bed = Bed::new();
    let host = bed.host();
    let config = crate::bed::scrape_config("node", &[host.port]);
    let flags = ["--enable-feature=search-api", "--web.search.max-limit=50"];
    let server =
        bed.server_with(&vesta(), &["server"], "ours", &config, acceptance::free_port(), &flags);
    let ask = |path: &str| get(server.port, path).expect("it runs");
    wait_for("a scrape", Duration::from_secs(60), || {
        let found = ask("/api/v1/search/metric_names?search[]=load1&include_metadata=true").body;
        found.contains("\"name\":\"node_load1\",\"type\":\"gauge\"").then_some(())
    });
    let found = ask("/api/v1/search/label_values?label=job&limit=51");
    assert_eq!(found.status, 400, "{}", found.body);
    assert!(found.body.contains("--web.search.max-limit"), "{}", found.body);
    for path in ["", "goroutine", "threadcreate", "cmdline", "symbol"] {
        assert_eq!(ask(&format!("/debug/pprof/{path}")).status, 200, "{path}");
    }
    let threads = ask("/debug/pprof/threadcreate").body;
    assert!(threads.contains("tokio"), "{threads}");
    let words = ask("/debug/pprof/cmdline").body;
    assert!(words.split('\0').any(|word| word == "--enable-feature=search-api"), "{words}");
    assert!(ask("/api/v1/openapi.yaml?openapi_version=3.2").body.starts_with("openapi: 3.2.0\n"));
}

#[test]
fn logs_have_the_form_and_the_level_of_the_flags() {
    let bed = Bed::new();
    let flags = ["--log.format=json", "--log.level=warn", "--enable-feature=nonsense"];
    let port = acceptance::free_port();
    let server = bed.server_with(&vesta(), &["server"], "ours", CONFIG, port, &flags);
    let said = server.process.output();
    assert!(!said.contains("INFO"), "{said}");
    let lines: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let warning = lines.iter().find(|line| line["option"] == "nonsense").expect("it is warned of");
    assert_eq!(warning["level"], "WARN");
}

#[test]
fn mistakes_in_the_command_line_end_as_upstreams_do() {
    for (flag, code) in [
        ("--nonsense", 2),
        ("--log.level=nonsense", 2),
        ("--log.format=nonsense", 2),
        ("--query.timeout=nonsense", 2),
        ("--web.cors.origin=(", 2),
        ("--config.file=none.yml", 2),
        ("extra", 2),
        ("--web.search.max-limit=-1", 1),
        ("--agent --query.timeout=1m", 3),
        ("--agent --storage.tsdb.path=data", 3),
        ("--storage.agent.path=data", 3),
    ] {
        let flags: Vec<&str> = std::iter::once("server").chain(flag.split(' ')).collect();
        let output = run(&vesta(), &flags);
        assert_eq!(output.status.code(), Some(code), "{flag}");
    }
}
