//! Commands against an API in a simulated world.

use std::{sync::Arc, sync::Mutex, time::Duration};

use axum::{Router, body::Body, extract::Request};
use runtime::{Network as _, Simulation};
use tokio_util::sync::CancellationToken;
use transport::server::{Limits, serve};

use crate::{Outcome, World, run};

/// What an API was asked: method, path and query, body.
type Asked = Vec<String>;

/// Runs a command line; `answer` gives status and body to the request, as it is noted.
async fn amtool(
    simulation: &Simulation,
    args: &[&str],
    answer: impl Fn(&str) -> (u16, String) + Clone + Send + Sync + 'static,
) -> (Outcome, Asked) {
    let asked: Arc<Mutex<Asked>> = Arc::default();
    let notes = asked.clone();
    let router = Router::new().fallback(async move |request: Request| {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        let line = format!("{} {} {body}", parts.method, parts.uri).trim_end().to_owned();
        let (status, body) = answer(&line);
        notes.lock().unwrap().push(line);
        http::Response::builder().status(status).body(Body::from(body)).unwrap()
    });
    let listener = simulation.network.host("am").listen(":9093").await.unwrap();
    let stop = CancellationToken::new();
    let clock = simulation.clock.clone();
    let server = serve(vec![listener], router, Limits::default(), clock, stop.clone());
    let mut words = vec!["--alertmanager.url=http://am:9093/prefix/"];
    if !args.contains(&"--version-check") {
        words.push("--no-version-check");
    }
    words.extend(args);
    let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
    let runtime = simulation.runtime();
    let world = World { runtime, config_files: Vec::new(), user: "me".to_owned(), stdin: None };
    let ask = async {
        let outcome = run(&words, world).await;
        stop.cancel();
        simulation.clock.run_for(Duration::from_secs(60)).await;
        outcome
    };
    let (outcome, ()) = tokio::join!(ask, server);
    let asked = asked.lock().unwrap().clone();
    (outcome, asked)
}

const ALERTS: &str = r#"[
  {"annotations":{"summary":"it burns"},"endsAt":"2024-01-01T01:00:00.000Z","fingerprint":"f",
   "receivers":[{"name":"r"}],"startsAt":"2024-01-01T00:00:02.000Z",
   "status":{"inhibitedBy":[],"mutedBy":[],"silencedBy":[],"state":"active"},
   "updatedAt":"2024-01-01T00:00:00.000Z","generatorURL":"http://p/?a&b","labels":{"alertname":"Fire","a":"b"}},
  {"annotations":{},"endsAt":"2024-01-01T01:00:00.000Z","fingerprint":"g","receivers":[],
   "startsAt":"2024-01-01T00:00:01.000Z","status":{"inhibitedBy":[],"silencedBy":[],"state":"suppressed"},
   "updatedAt":"2024-01-01T00:00:00.000Z","labels":{"alertname":"Smoke"}}
]"#;

#[tokio::test]
async fn alerts_are_listed_by_their_start() {
    let simulation = Simulation::new(1);
    let (outcome, asked) =
        amtool(&simulation, &["alert", "query", "Fire", "a=~b"], |_| (200, ALERTS.to_owned()))
            .await;
    assert_eq!(
        asked,
        ["GET /prefix/api/v2/alerts?active=true&filter=alertname%3D%22Fire%22&filter=a%3D%7Eb\
          &inhibited=false&silenced=false&unprocessed=false"]
    );
    assert_eq!(
        outcome.stdout,
        "Alertname  Starts At                Summary   State       \n\
         Smoke      2024-01-01 00:00:01 UTC            suppressed  \n\
         Fire       2024-01-01 00:00:02 UTC  it burns  active      \n"
    );
    let (outcome, _) =
        amtool(&simulation, &["-o", "json", "alert"], |_| (200, ALERTS.to_owned())).await;
    assert!(outcome.stdout.starts_with(r#"[{"annotations":{"summary":"it burns"},"endsAt":"#));
    assert!(outcome.stdout.contains(r#""generatorURL":"http://p/?a\u0026b","labels":{"a":"b""#));
}

#[tokio::test]
async fn what_was_told_is_listed() {
    let told = r#"[{"time":"2024-01-01T00:00:02.000Z","outcome":"failed","error":"no route",
        "receiver":"r","integration":"webhook","index":0,"groupKey":"{}:{}","groupLabels":{},
        "reason":"first notification","firing":2,"resolved":0,"attempts":3,"seconds":1.5}]"#;
    let simulation = Simulation::new(1);
    let args = ["history", "-r", "r.*", "--limit=5"];
    let (outcome, asked) = amtool(&simulation, &args, |_| (200, told.to_owned())).await;
    assert_eq!(asked, ["GET /prefix/api/vesta/v1/notifications?limit=5&receiver=r.*"]);
    assert_eq!(
        outcome.stdout,
        "Time                     Receiver      Outcome  Firing  Resolved  Group  \n\
         2024-01-01 00:00:02 UTC  r/webhook[0]  failed   2       0         {}:{}  \n"
    );
    let (outcome, _) =
        amtool(&simulation, &["-o", "json", "history"], |_| (200, told.to_owned())).await;
    assert!(outcome.stdout.contains(r#""error":"no route""#), "{}", outcome.stdout);
}

#[tokio::test]
async fn silences_are_posted_and_their_id_printed() {
    let simulation = Simulation::new(1);
    let args = [
        "silence",
        "add",
        "Fire",
        "a!~x|y",
        "-c",
        "calm",
        "-d",
        "2h",
        "--start=2024-01-01T00:00:00Z",
    ];
    let (outcome, asked) =
        amtool(&simulation, &args, |_| (200, r#"{"silenceID":"id-1"}"#.to_owned())).await;
    assert_eq!(outcome.stdout, "id-1\n");
    assert_eq!(
        asked,
        [concat!(
            "POST /prefix/api/v2/silences ",
            r#"{"comment":"calm","createdBy":"me","endsAt":"2024-01-01T02:00:00.000Z","#,
            r#""matchers":[{"isEqual":true,"isRegex":false,"name":"alertname","value":"Fire"},"#,
            r#"{"isEqual":false,"isRegex":true,"name":"a","value":"x|y"}],"startsAt":"2024-01-01T00:00:00.000Z"}"#
        )]
    );
}

#[tokio::test]
async fn import_creates_what_the_other_side_does_not_know() {
    let simulation = Simulation::new(1);
    let silences = r#"[
        {"id":"old","comment":"c","createdBy":"m","endsAt":"2024-01-01T02:00:00.000Z","startsAt":"2024-01-01T00:00:00.000Z",
         "matchers":[{"isRegex":false,"name":"a","value":"b"}],"status":{"state":"active"}},
        {"id":"","comment":"bad","createdBy":"m","endsAt":"2024-01-01T02:00:00.000Z","startsAt":"2024-01-01T00:00:00.000Z","matchers":[]}
    ]"#;
    simulation.runtime().disk.write_atomically("s.json".as_ref(), silences.as_bytes()).unwrap();
    let answer = |asked: &str| {
        if asked.contains(r#""id":"old""#) {
            (404, "\"silence not found\"".to_owned())
        } else if asked.contains("bad") {
            (400, "\"no matchers\"".to_owned())
        } else {
            (200, r#"{"silenceID":"new"}"#.to_owned())
        }
    };
    let (outcome, asked) = amtool(&simulation, &["silence", "import", "s.json"], answer).await;
    assert_eq!(asked.len(), 3);
    assert_eq!((outcome.stdout.as_str(), outcome.exit_code), ("new\n", 1));
    assert_eq!(
        outcome.stderr,
        "Error adding silence id='': [POST /silences][400] postSilencesBadRequest \"no matchers\"\n\
         amtool: error: couldn't import 1 out of 2 silences\n\n"
    );
}

#[tokio::test]
async fn failures_are_told_in_upstreams_words() {
    let simulation = Simulation::new(1);
    let check = async |args: &[&str], status: u16, body: &'static str, expected: &str| {
        let (outcome, _) = amtool(&simulation, args, move |_| (status, body.to_owned())).await;
        assert_eq!(outcome.stderr, format!("amtool: error: {expected}\n\n"));
        assert_eq!(outcome.exit_code, 1);
    };
    check(
        &["alert", "add"],
        400,
        "\"at least one label pair required\"\n",
        "[POST /alerts][400] postAlertsBadRequest \"at least one label pair required\"",
    )
    .await;
    check(
        &["silence", "expire", "x"],
        422,
        "{}",
        "response status code does not match any response statuses defined for this endpoint in the swagger spec (status 422): {}",
    )
    .await;
    check(&["silence", "expire"], 200, "", "no silence IDs specified").await;
    check(&["silence", "add", "a=b"], 200, "", "comment required by config").await;
    check(&["check-config", "gone.yml"], 200, "", "path 'gone.yml' does not exist").await;
}

#[tokio::test]
async fn another_version_is_worth_a_warning() {
    let simulation = Simulation::new(1);
    let status = r#"{"cluster":{"peers":[],"status":"disabled"},"config":{"original":"a: b\n"},"uptime":"2024-01-01T00:00:00.000Z",
        "versionInfo":{"branch":"","buildDate":"","buildUser":"","goVersion":"","revision":"","version":"0.25.0"}}"#;
    let args = ["--version-check", "config"];
    let (outcome, asked) = amtool(&simulation, &args, move |_| (200, status.to_owned())).await;
    assert_eq!(asked.len(), 2);
    assert_eq!(outcome.stdout, "a: b\n\n");
    assert_eq!(
        outcome.stderr,
        "Warning: amtool version (0.34.0) and alertmanager version (0.25.0) are different.\n"
    );
}

const SILENCES: &str = r#"[
  {"id":"later","status":{"state":"active"},"updatedAt":"2024-01-01T00:00:00.000Z","comment":"c c","createdBy":"me",
   "endsAt":"2500-01-02T00:00:00.000Z","startsAt":"2024-01-01T00:00:00.000Z",
   "matchers":[{"isEqual":false,"isRegex":true,"name":"a","value":"x|y"},{"isRegex":false,"name":"b c","value":"d"}]},
  {"id":"sooner","status":{"state":"active"},"updatedAt":"2024-01-01T00:00:00.000Z","comment":"","createdBy":"you",
   "endsAt":"2500-01-01T00:00:00.000Z","startsAt":"2024-01-01T00:00:00.000Z",
   "matchers":[{"isEqual":true,"isRegex":false,"name":"a","value":"b"}]},
  {"id":"over","status":{"state":"expired"},"updatedAt":"1960-01-01T00:00:00.000Z","comment":"","createdBy":"you",
   "endsAt":"1960-01-01T00:00:00.000Z","startsAt":"1960-01-01T00:00:00.000Z",
   "matchers":[{"isEqual":true,"isRegex":false,"name":"a","value":"b"}]}
]"#;

#[tokio::test]
async fn silences_are_listed_by_their_end() {
    let simulation = Simulation::new(1);
    let check = async |args: &[&str], expected: &str| {
        let (outcome, _) = amtool(&simulation, args, |_| (200, SILENCES.to_owned())).await;
        assert_eq!(outcome.stdout, expected, "{args:?} {}", outcome.stderr);
    };
    check(
        &["silence"],
        concat!(
            "ID      Matchers            Ends At                  Created By  Comment  \n",
            "sooner  a=\"b\"               2500-01-01 00:00:00 UTC  you                  \n",
            "later   a!~\"x|y\" \"b c\"=\"d\"  2500-01-02 00:00:00 UTC  me          c c      \n",
        ),
    )
    .await;
    check(&["silence", "query", "-q", "--created-by=me"], "later\n").await;
    check(&["silence", "query", "-q", "--expired"], "over\n").await;
    check(&["silence", "query", "-q", "--within=1h"], "").await;
    check(
        &["-o", "extended", "--date.format=2006", "silence", "query", "--id=sooner"],
        "ID      Matchers  Starts At  Ends At  Updated At  Created By  Comment  \n\
         sooner  {a=\"b\"}   2024       2500     2024        you                  \n",
    )
    .await;
}

#[tokio::test]
async fn cluster_is_shown_with_its_peers() {
    let simulation = Simulation::new(1);
    let status = r#"{"cluster":{"name":"n1","peers":[{"address":"10.0.0.10:9094","name":"n2"},{"address":"10.0.0.9:9094","name":"n1"}],"status":"ready"},
        "config":{"original":""},"uptime":"","versionInfo":{"branch":"","buildDate":"","buildUser":"","goVersion":"","revision":"","version":""}}"#;
    let args = ["-o", "extended", "cluster", "show"];
    let (outcome, _) = amtool(&simulation, &args, move |_| (200, status.to_owned())).await;
    assert_eq!(
        outcome.stdout,
        "Cluster Status:  ready\nNode Name:       n1\n\n\
         Address         Name\n10.0.0.9:9094   n1    \n10.0.0.10:9094  n2    \n"
    );
}

#[tokio::test]
async fn routes_are_drawn_as_a_tree() {
    let simulation = Simulation::new(1);
    let config = "
route:
  receiver: a
  routes:
  - matchers: [x=y, z=~q]
    continue: true
    routes: [{receiver: b}]
  - receiver: c
receivers: [{name: a}, {name: b}, {name: c}]
";
    simulation.runtime().disk.write_atomically("am.yml".as_ref(), config.as_bytes()).unwrap();
    let check = async |args: &[&str], expected: &str| {
        let mut words = vec!["config", "routes"];
        words.extend(args);
        words.push("--config.file=am.yml");
        let (outcome, _) = amtool(&simulation, &words, |_| (500, String::new())).await;
        assert_eq!(outcome.stdout, expected, "{}", outcome.stderr);
    };
    check(
        &["show"],
        "Routing tree:
.
└── default-route  receiver: a
    ├── {x=\"y\",z=~\"q\"}  continue: true  receiver: a
    │   └── default-route  receiver: b
    └── default-route  receiver: c

",
    )
    .await;
    check(
        &["test", "--tree", "x=y", "z=q"],
        "Matching routes:
.
└── default-route
    ├── {x=\"y\",z=~\"q\"}
    │   └── default-route  receiver: b
    └── default-route  receiver: c


b,c
",
    )
    .await;
}

#[tokio::test]
async fn templates_are_rendered() {
    let simulation = Simulation::new(1);
    let files: [(&str, &str); 2] = [
        ("t/x.tmpl", "{{ define \"mine\" }}<{{ .Receiver }}>{{ end }}"),
        ("data.json", r#"{"receiver":"me","alerts":[{"status":"resolved","labels":{"a":"b"}}]}"#),
    ];
    for (path, text) in files {
        simulation.runtime().disk.create_directories("t".as_ref()).unwrap();
        simulation.runtime().disk.write_atomically(path.as_ref(), text.as_bytes()).unwrap();
    }
    let text = "--template.text={{ template \"mine\" . }}{{ range .Alerts.Resolved }}{{ .Labels.a }}{{ end }}";
    let args =
        ["template", "render", "--template.glob=t/*.tmpl", text, "--template.data=data.json"];
    let (outcome, _) = amtool(&simulation, &args, |_| (500, String::new())).await;
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("<me>b", ""));
    let (outcome, _) = amtool(&simulation, args.get(..4).unwrap(), |_| (500, String::new())).await;
    assert_eq!(outcome.stdout, "<receiver>");
}
