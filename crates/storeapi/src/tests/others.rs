//! Rules, targets, metadata and exemplars.

use futures_util::StreamExt as _;
use grpc::{Code, Request, Status};
use model::{MetricType, Timestamp};
use proto::thanos::{
    ActiveTarget, Alert, DroppedTarget, ExemplarsRequest, ExemplarsResponse, Label, LabelSet,
    MetricMetadataRequest, MetricMetadataResponse, RecordingRule, Rule, RuleGroup, RulesRequest,
    RulesResponse, TargetDiscovery, TargetsRequest, TargetsResponse, exemplars_response,
    metric_metadata_response, rule, rules_request, rules_response, targets_request,
    targets_response,
};
use storage::{Appendable as _, Exemplar, SeriesRef};

use super::{Known, Setup, names, sources, store};
use crate::{Limits, wire};

fn set(labels: &str) -> Option<LabelSet> {
    Some(LabelSet { labels: wire::labels(&super::labels(labels)) })
}

fn text(set: &Option<LabelSet>) -> String {
    let labels: &[Label] = set.as_ref().map(|set| set.labels.as_slice()).unwrap_or_default();
    wire::read_labels(labels).expect("labels make sense").to_string()
}

fn known() -> Known {
    let recording = |name: &str, labels: &str| {
        let rule = RecordingRule {
            name: name.to_owned(),
            labels: set(labels),
            ..RecordingRule::default()
        };
        Rule { result: Some(rule::Result::Recording(rule)) }
    };
    let alert =
        Alert { name: "Down".to_owned(), labels: set(r#"{severity="page"}"#), ..Alert::default() };
    let alert = Rule { result: Some(rule::Result::Alert(alert)) };
    let group = |name: &str, rules: Vec<Rule>| RuleGroup {
        name: name.to_owned(),
        file: "rules.yml".to_owned(),
        rules,
        ..RuleGroup::default()
    };
    let active = ActiveTarget {
        discovered_labels: set(r#"{__address__="h:1"}"#),
        labels: set(r#"{instance="h:1"}"#),
        ..ActiveTarget::default()
    };
    let dropped = DroppedTarget { discovered_labels: set(r#"{__address__="h:2"}"#) };
    let meta =
        |kind, help: &str| model::Metadata { kind, unit: String::new(), help: help.to_owned() };
    Known {
        groups: vec![
            group("first", vec![recording("sum:a", ""), alert]),
            group("second", vec![recording("sum:b", r#"{team="t"}"#)]),
        ],
        targets: TargetDiscovery { active_targets: vec![active], dropped_targets: vec![dropped] },
        metadata: vec![
            (
                "a".to_owned(),
                vec![meta(MetricType::Counter, "one"), meta(MetricType::Gauge, "other")],
            ),
            ("b".to_owned(), vec![meta(MetricType::Gauge, "two")]),
        ],
    }
}

async fn setup() -> Setup {
    let store = store("a{x=\"1\"} 10=1");
    let mut appender = store.appender();
    let exemplar = Exemplar {
        labels: super::labels(r#"{trace="t"}"#),
        value: 0.5,
        time: Timestamp::from_millis(11),
    };
    let series = SeriesRef(super::labels("a{x=\"1\"}").hash64());
    appender.append_exemplar(series, &exemplar).expect("the series is known");
    appender.commit().expect("memory does not fail");
    Setup::with(sources(&store, r#"{cluster="c"}"#, &known()), Limits::default()).await
}

async fn list<Q, A>(setup: &Setup, path: &'static str, question: Q) -> Result<Vec<A>, Status>
where
    Q: prost::Message + 'static,
    A: prost::Message + Default + 'static,
{
    let answer = setup.channel.stream::<Q, A>(path, Request::new(question)).await?;
    let messages: Vec<_> = answer.into_inner().collect().await;
    messages.into_iter().collect()
}

#[tokio::test]
async fn rules_are_narrowed_and_have_external_labels() {
    let setup = setup().await;
    let ask = async |request: RulesRequest| {
        let answer = list::<_, RulesResponse>(&setup, "/thanos.Rules/Rules", request).await?;
        let mut lines = Vec::new();
        for message in answer {
            let Some(rules_response::Result::Group(group)) = message.result else { continue };
            let show = |rule: &Rule| match &rule.result {
                Some(rule::Result::Recording(rule)) => {
                    format!(" {}{}", rule.name, text(&rule.labels))
                }
                Some(rule::Result::Alert(rule)) => format!(" {}{}", rule.name, text(&rule.labels)),
                None => String::new(),
            };
            lines.push(format!(
                "{}:{}",
                group.name,
                group.rules.iter().map(show).collect::<String>()
            ));
        }
        Ok::<_, Status>(lines.join("\n"))
    };
    let a = r#" sum:a{cluster="c"}"#;
    let down = r#" Down{cluster="c", severity="page"}"#;
    let b = r#" sum:b{cluster="c", team="t"}"#;
    let all = RulesRequest::default;
    let found = ask(all()).await.expect("it answers");
    assert_eq!(found, format!("first:{a}{down}\nsecond:{b}"));
    let alerts = RulesRequest { r#type: rules_request::Type::Alert.into(), ..all() };
    assert_eq!(ask(alerts).await.expect("it answers"), format!("first:{down}\nsecond:"));
    let named = RulesRequest { rule_name: names(&["sum:b"]), ..all() };
    assert_eq!(ask(named).await.expect("it answers"), format!("second:{b}"));
    let group = RulesRequest { rule_group: names(&["first"]), ..all() };
    assert_eq!(ask(group).await.expect("it answers"), format!("first:{a}{down}"));
    let file = RulesRequest { file: names(&["other.yml"]), ..all() };
    assert_eq!(ask(file).await.expect("it answers"), "");
    let matching = RulesRequest { matcher_string: names(&[r#"{team="t"}"#]), ..all() };
    assert_eq!(ask(matching).await.expect("it answers"), format!("second:{b}"));
    let bad = RulesRequest { matcher_string: names(&["{"]), ..all() };
    assert_eq!(ask(bad).await.expect_err("it is no selector").code(), Code::InvalidArgument);
}

#[tokio::test]
async fn targets_have_external_labels() {
    let setup = setup().await;
    let ask = async |state: targets_request::State| {
        let request = TargetsRequest { state: state.into(), ..TargetsRequest::default() };
        let answer = list::<_, TargetsResponse>(&setup, "/thanos.Targets/Targets", request).await;
        let message = answer.expect("it answers").pop().expect("there is one message");
        let Some(targets_response::Result::Targets(targets)) = message.result else {
            panic!("these are targets")
        };
        let active = targets.active_targets.iter();
        let active = active.map(|t| format!("{} {}", text(&t.discovered_labels), text(&t.labels)));
        let dropped = targets.dropped_targets.iter().map(|t| text(&t.discovered_labels));
        active.chain(dropped).collect::<Vec<_>>()
    };
    let active = r#"{__address__="h:1", cluster="c"} {cluster="c", instance="h:1"}"#;
    let dropped = r#"{__address__="h:2", cluster="c"}"#;
    assert_eq!(ask(targets_request::State::Any).await, [active, dropped]);
    assert_eq!(ask(targets_request::State::Active).await, [active]);
    assert_eq!(ask(targets_request::State::Dropped).await, [dropped]);
}

#[tokio::test]
async fn peers_say_what_they_scrape() {
    let setup = setup().await;
    let found = crate::targets(&[setup.peer(r#"{cluster="c"}"#)]).await;
    let [Ok(targets)] = &found[..] else { panic!("it answers: {found:?}") };
    let active = &targets.active_targets[0];
    assert_eq!(text(&active.labels), r#"{instance="h:1"}"#);
    assert_eq!(text(&active.discovered_labels), r#"{__address__="h:1"}"#);
    assert_eq!(text(&targets.dropped_targets[0].discovered_labels), r#"{__address__="h:2"}"#);
}

#[tokio::test]
async fn metadata_is_limited_by_metrics() {
    let setup = setup().await;
    let ask = async |metric: &str, limit| {
        let request =
            MetricMetadataRequest { metric: metric.to_owned(), limit, ..Default::default() };
        let path = "/thanos.Metadata/MetricMetadata";
        let answer = list::<_, MetricMetadataResponse>(&setup, path, request).await;
        let message = answer.expect("it answers").pop().expect("there is one message");
        let Some(metric_metadata_response::Result::Metadata(found)) = message.result else {
            panic!("this is metadata")
        };
        let show = |(name, entry): (&String, &proto::thanos::MetricMetadataEntry)| {
            let metas = entry.metas.iter().map(|meta| format!(" {} {}", meta.r#type, meta.help));
            format!("{name}:{}", metas.collect::<String>())
        };
        found.metadata.iter().map(show).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(ask("", -1).await, "a: counter one gauge other\nb: gauge two");
    assert_eq!(ask("", 1).await, "a: counter one gauge other");
    assert_eq!(ask("b", -1).await, "b: gauge two");
}

#[tokio::test]
async fn exemplars_are_found_by_the_selectors_of_a_query() {
    let setup = setup().await;
    let ask = async |query: &str, end| {
        let request =
            ExemplarsRequest { query: query.to_owned(), start: 0, end, ..Default::default() };
        let path = "/thanos.Exemplars/Exemplars";
        let answer = list::<_, ExemplarsResponse>(&setup, path, request).await?;
        let show = |message: &ExemplarsResponse| match &message.result {
            Some(exemplars_response::Result::Data(data)) => {
                let exemplars = data.exemplars.iter();
                let exemplars =
                    exemplars.map(|e| format!(" {} {}@{}", text(&e.labels), e.value, e.ts));
                format!("{}:{}", text(&data.series_labels), exemplars.collect::<String>())
            }
            _ => "something else".to_owned(),
        };
        Ok::<_, Status>(answer.iter().map(show).collect::<Vec<_>>())
    };
    let found = [r#"{__name__="a", cluster="c", x="1"}: {trace="t"} 0.5@11"#];
    assert_eq!(ask(r#"rate(a{cluster="c"}[1m])"#, 100).await.expect("it answers"), found);
    assert!(ask("a", 5).await.expect("it answers").is_empty());
    assert!(ask(r#"a{cluster="d"}"#, 100).await.expect("it answers").is_empty());
    let error = ask("rate(", 100).await.expect_err("it is no expression");
    assert_eq!(error.code(), Code::InvalidArgument);
}
