//! Our own cases: bytes, errors, and what upstream's tables leave out.

use std::{sync::Arc, time::Duration};

use alertmanager::{Template, Time};
use conformance::Score;
use model::Labels;
use runtime::Simulation;
use serde_json::{Value, json};
use settings::{
    decode::{Decoder, Record, Setting, Style},
    yaml::{self, Value as Node},
};

use super::{
    requests::{attempt, entry, notification},
    service::{Asked, answer, with_service},
};
use crate::{
    Context, Receiver, build, pushover,
    sender::{Sender, Texts},
    webhook,
};

#[tokio::test]
async fn rocketchat_is_told_with_its_tokens() {
    let case = json!({
        "integration": "rocketchat",
        "config": {"api_url": "{server}/", "token_file": "t", "token_id": "me", "channel": "#c", "title": "{{ .Status }}",
            "short_fields": true, "fields": [{"title": "a", "value": "b"}], "actions": [{"type": "x", "text": "go", "url": "http://u"}]},
        "file_contents": {"t": "secret\n"},
        "alerts": [{"labels": {"a": "b"}}],
        "server_answer": {"body": "{\"success\":true}"},
    });
    let (outcome, asked) = attempt(&case).await;
    outcome.unwrap();
    assert_eq!(asked[0].path, "/api/v1/chat.postMessage");
    assert_eq!(
        (&asked[0].headers["x-auth-token"], &asked[0].headers["x-user-id"]),
        (&"secret".parse().unwrap(), &"me".parse().unwrap())
    );
    assert_eq!(
        asked[0].body,
        concat!(
            r##"{"channel":"#c","attachments":[{"title":"firing","fields":[{"short":true,"title":"a","value":"b"}],"##,
            r##""actions":[{"type":"button","text":"go","url":"http://u","is_webview":false,"msg_in_chat_window":false}]}]}"##,
            "\n"
        )
    );
    let mut refused = case.clone();
    refused["server_answer"] = json!({"body": "{\"success\":false,\"error\":\"no channel\"}"});
    let (outcome, _) = attempt(&refused).await;
    assert_eq!(
        outcome.unwrap_err().to_string(),
        "channel \"#c\": error response from Rocketchat: no channel"
    );
}

#[tokio::test]
async fn wechat_exchanges_its_secret_for_a_token() {
    let case = json!({
        "integration": "wechat",
        "config": {"api_url": "{server}/cgi-bin/", "api_secret_file": "s", "corp_id": "corp", "message": "{{ .Status }}", "message_type": "text", "to_user": "u"},
        "file_contents": {"s": "sec ret\n"},
        "alerts": [{"labels": {"a": "b"}}],
        "server_answer": {"body": "{\"access_token\":\"T\",\"errcode\":0}"},
    });
    let (outcome, asked) = attempt(&case).await;
    outcome.unwrap();
    assert_eq!(asked[0].path, "/cgi-bin/gettoken?corpid=corp&corpsecret=sec+ret");
    assert_eq!(asked[1].path, "/cgi-bin/message/send?access_token=T");
    assert_eq!(
        asked[1].body,
        concat!(
            r#"{"text":{"content":"firing"},"touser":"u","safe":"0","msgtype":"text","markdown":{"content":""}}"#,
            "\n"
        )
    );
    let mut refused = case.clone();
    refused["server_answer"] = json!({"body": "{}"});
    let (outcome, _) = attempt(&refused).await;
    assert_eq!(outcome.unwrap_err().to_string(), "invalid APISecret for CorpID: corp");
}

#[tokio::test]
async fn pushover_is_told_in_a_query() {
    let check = async |config: Value, status: u16, expected: &str| {
        let simulation = Simulation::new(1);
        let runtime = simulation.runtime();
        runtime.disk.write_atomically("t".as_ref(), b"to ken\n").unwrap();
        let template = Arc::new(Template::new("http://am", runtime.clock.clone()));
        let context = Context { runtime, template: template.clone() };
        let config: pushover::Config = entry(&config).remove(0);
        let sender = Sender::new(&None, Duration::ZERO, &context).unwrap();
        let case = json!({"alerts": [{"labels": {"a": "<b>"}}]});
        let notification = notification(&case, Time::UNIX_EPOCH);
        let texts = Texts { template: &template, data: template.data(&notification) };
        let ask = config.tell_at("http://service/1/messages.json", &sender, &texts, &notification);
        let respond = move |_: &Asked| answer(&json!({"server_answer": {"status": status}}));
        let (outcome, asked) = with_service(&simulation, respond, ask, false).await;
        assert_eq!((asked[0].method.as_str(), asked[0].body.as_str()), ("POST", ""));
        assert_eq!(asked[0].headers["content-type"], "text/plain");
        let query = asked[0].path.strip_prefix("/1/messages.json?").unwrap();
        assert_eq!(query, expected);
        outcome.is_err_and(|error| error.retry)
    };
    let plain = json!({"user_key": "u", "token_file": "t", "monospace": true, "ttl": "1m"});
    let query = concat!(
        "device=&expire=0&message=%28no+details%29&monospace=1&priority=&retry=0&sound=&",
        "title=&token=to+ken&ttl=60&url=&url_title=&user=u"
    );
    assert!(!check(plain.clone(), 200, query).await);
    assert!(!check(plain.clone(), 429, query).await);
    assert!(check(plain, 500, query).await);
    let html = json!({"user_key": "u", "token": "t", "html": true, "priority": "1", "retry": "90s",
        "title": "{{ .CommonLabels.a }}", "message": "<b>{{ .CommonLabels.a }}</b>"});
    let query = concat!(
        "device=&expire=0&html=1&message=%3Cb%3E%26lt%3Bb%26gt%3B%3C%2Fb%3E&priority=1&retry=90&",
        "sound=&title=%3Cb%3E&token=t&url=&url_title=&user=u"
    );
    assert!(!check(html, 200, query).await);
}

#[test]
fn names_and_places_of_integrations() {
    let Some(table) = conformance::cases("alertmanager/config/receiver_integrations.json") else {
        return;
    };
    let mut score = Score::new("config/receiver_integrations");
    for (idx, case) in table.cases.iter().enumerate() {
        score.add(idx.to_string(), check_built(case));
    }
    score.finish(&[]);
}

fn check_built(case: &Value) -> Result<(), String> {
    let text = case["receiver_yaml"].as_str().unwrap();
    let node = yaml::parse(text).unwrap().unwrap();
    let Node::Map(pairs) = &node.value else { panic!("{text}") };
    let mut receiver = Receiver { name: "foo".to_owned(), ..Receiver::default() };
    let mut entries = Vec::new();
    let Node::List(nodes) = &pairs[1].1.value else { panic!("{text}") };
    for node in nodes {
        // Decoded without the check: the cases leave the URL out.
        let Node::Map(pairs) = &node.value else { panic!("{text}") };
        let mut entry = webhook::Config::default();
        for (key, value) in pairs {
            let Node::Scalar(key) = &key.value else { panic!("{text}") };
            Record::set(&mut entry, &key.text, value, &mut Decoder::default()).unwrap();
        }
        entries.push(entry);
    }
    receiver.webhook_configs = entries.into();
    let runtime = Simulation::new(1).runtime();
    let template = Arc::new(Template::new("http://am", runtime.clock.clone()));
    match build(&receiver, &Context { runtime, template }) {
        Err(_) if case["rejected"] == true => Ok(()),
        Err(error) => Err(error.to_string()),
        Ok(built) => {
            let found: Vec<Value> = built.integrations.iter().map(|it| {
                json!({"name": it.name(), "index": it.idx(), "send_resolved": it.send_resolved(), "receiver": built.name})
            }).collect();
            if case["integrations"] == json!(found) { Ok(()) } else { Err(format!("{found:?}")) }
        }
    }
}

#[tokio::test]
async fn bodies_are_upstreams_to_the_byte() {
    let case = json!({
        "integration": "webhook",
        "receiver": "web.hook",
        "config": {"url": "{server}/hook", "max_alerts": 1},
        "group_key": "{}:{alertname=\"a\"}",
        "group_labels": {"alertname": "a"},
        "alerts": [
            {
                "labels": {"alertname": "a", "b": "<&>"},
                "annotations": {"summary": "ü\u{2028}\"\\\n"},
                "starts_at": "2024-01-01T00:00:00.5+01:00",
                "generator_url": "http://p/graph?a=1&b=2",
            },
            {"labels": {"alertname": "a", "b": "2"}, "starts_at": "2024-01-01T00:00:00Z"},
        ],
    });
    let (outcome, asked) = attempt(&case).await;
    outcome.unwrap();
    assert_eq!((asked[0].method.as_str(), asked[0].path.as_str()), ("POST", "/hook"));
    assert_eq!(asked[0].headers["content-type"], "application/json");
    assert_eq!(asked[0].headers["user-agent"], "Alertmanager/0.34.0");
    assert_eq!(
        asked[0].body,
        concat!(
            r#"{"receiver":"web\\.hook","status":"firing","alerts":[{"status":"firing","#,
            r#""labels":{"alertname":"a","b":"\u003c\u0026\u003e"},"#,
            r#""annotations":{"summary":"ü\u2028\"\\\n"},"#,
            r#""startsAt":"2024-01-01T00:00:00.5+01:00","endsAt":"0001-01-01T00:00:00Z","#,
            r#""generatorURL":"http://p/graph?a=1\u0026b=2","fingerprint":"FINGERPRINT"}],"#,
            r#""notification_reason":"unknown","groupLabels":{"alertname":"a"},"#,
            r#""commonLabels":{"alertname":"a","b":"\u003c\u0026\u003e"},"#,
            r#""commonAnnotations":{"summary":"ü\u2028\"\\\n"},"routeLabels":{},"#,
            r#""externalURL":"http://am","version":"4","groupKey":"{}:{alertname=\"a\"}","#,
            r#""truncatedAlerts":1}"#,
            "\n"
        )
        .replace(
            "FINGERPRINT",
            &alertmanager::alert::fingerprint(&Labels::from_pairs([
                ("alertname", "a"),
                ("b", "<&>")
            ]))
            .to_string()
        )
    );
}

#[tokio::test]
async fn failures_hide_the_url_and_tell_the_reason() {
    let check = async |config: Value, status: u16, expected: &str| {
        let case = json!({
            "integration": "webhook", "config": config, "alerts": [{"labels": {"a": "b"}}],
            "server_answer": {"status": status, "body": "go away"},
        });
        let (outcome, _) = attempt(&case).await;
        let error = outcome.unwrap_err();
        let shown = format!("{error} ({}, retry {})", error.reason.as_str(), error.retry);
        assert_eq!(shown, expected);
    };
    let url = json!({"url": "{server}"});
    check(url.clone(), 500, "unexpected status code 500: go away (serverError, retry true)").await;
    check(url.clone(), 429, "unexpected status code 429: go away (rateLimited, retry false)").await;
    check(url, 404, "unexpected status code 404: go away (clientError, retry false)").await;
    check(
        json!({"url": "http://nobody/secret"}),
        200,
        "Post \"<redacted>\": dial tcp nobody:80: connect: connection refused (other, retry true)",
    )
    .await;
    check(
        json!({"url_file": "gone"}),
        200,
        "read url_file: open gone: no such file or directory (other, retry false)",
    )
    .await;
}

#[tokio::test]
async fn amazon_is_told_in_a_signed_form() {
    let config = json!({
        "api_url": "{server}/",
        "topic_arn": "arn:aws:sns:eu-west-1:1:t.fifo",
        "sigv4": {"access_key": "KEY", "secret_key": "secret"},
        "subject": "s",
        "message": "{{ .Status }}",
        "attributes": {"k": "v"},
    });
    let alerts = json!([{"labels": {"a": "b"}}]);
    let case = json!({"integration": "sns", "config": config, "alerts": alerts});
    let (outcome, asked) = attempt(&case).await;
    outcome.unwrap();
    let asked = &asked[0];
    let signed = asked.headers["authorization"].to_str().unwrap();
    let scope = "AWS4-HMAC-SHA256 Credential=KEY/20260101/eu-west-1/sns/aws4_request, ";
    assert!(signed.starts_with(scope), "{signed}");
    let hash = notification(&case, Time::UNIX_EPOCH).group_key_hash();
    assert_eq!(
        asked.body,
        format!(
            "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A1%3At.fifo\
             &MessageDeduplicationId={hash}&MessageGroupId={hash}&Message=firing&Subject=s\
             &MessageAttributes.entry.1.Name=k&MessageAttributes.entry.1.Value.DataType=String\
             &MessageAttributes.entry.1.Value.StringValue=v"
        )
    );
}

#[test]
fn printed_settings_read_the_same_again() {
    let text = "name: x\nwebhook_configs: [{url: 'http://a/'}]\npushover_configs: [{user_key: a, token: b}]\n";
    let receiver: Receiver = settings::decode::from_str(text).unwrap();
    let printed = yaml::print(&receiver.encode(Style::Whole));
    assert_eq!(settings::decode::from_str::<Receiver>(&printed).unwrap(), receiver, "{printed}");
}
