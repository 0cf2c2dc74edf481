//! `template render`.

use std::{collections::BTreeMap, time::Duration};

use alertmanager::{
    Template,
    template::{Alerts, Data, DataAlert, Kv},
    time::Time,
};
use config::glob::glob;
use serde::Deserialize;

use crate::{Outcome, World, arguments::TemplateRender};

pub(crate) fn render(
    world: &World,
    render: TemplateRender,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let disk = &*world.runtime.disk;
    let data = match &render.data {
        Some(path) => serde_json::from_str::<JsonData>(&disk.read_to_string(path)?)?.into(),
        None => sample(Time::now(&*world.runtime.clock)),
    };
    let mut template = Template::new(&data.external_url, world.runtime.clock.clone());
    for pattern in &render.globs {
        for path in glob(disk, pattern)? {
            template.parse(&name_of(&path), &disk.read_to_string(path.as_ref())?)?;
        }
    }
    let rendered = match render.kind.as_str() {
        "html" => template.html(&render.text, &data)?,
        _ => template.text(&render.text, &data)?,
    };
    outcome.stdout.push_str(&rendered);
    Ok(())
}

/// Files of templates are known by the last part of their path.
pub(crate) fn name_of(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

/// What Go's decoder takes: the names of the webhook's body, all optional.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct JsonData {
    receiver: String,
    status: String,
    alerts: Vec<JsonAlert>,
    #[serde(rename = "notification_reason")]
    notification_reason: String,
    group_labels: BTreeMap<String, String>,
    common_labels: BTreeMap<String, String>,
    common_annotations: BTreeMap<String, String>,
    route_labels: BTreeMap<String, String>,
    #[serde(rename = "externalURL")]
    external_url: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct JsonAlert {
    status: String,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: String,
    fingerprint: String,
}

/// The two words that a status can be.
fn status(text: &str) -> &'static str {
    if text == "resolved" { "resolved" } else { "firing" }
}

impl From<JsonData> for Data {
    fn from(json: JsonData) -> Data {
        let alerts = json.alerts.into_iter().map(|alert| DataAlert {
            status: status(&alert.status),
            labels: Kv(alert.labels),
            annotations: Kv(alert.annotations),
            starts_at: Time::parse(&alert.starts_at),
            ends_at: Time::parse(&alert.ends_at),
            generator_url: alert.generator_url,
            fingerprint: alert.fingerprint,
        });
        Data {
            alerts: Alerts(alerts.collect()),
            receiver: json.receiver,
            status: status(&json.status),
            notification_reason: json.notification_reason,
            group_labels: Kv(json.group_labels),
            common_labels: Kv(json.common_labels),
            common_annotations: Kv(json.common_annotations),
            route_labels: Kv(json.route_labels),
            external_url: json.external_url,
            ..Data::default()
        }
    }
}

fn kv<const N: usize>(pairs: [(&str, &str); N]) -> Kv {
    Kv(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
}

/// Two alerts that everybody may use as an example; the names are those of upstream's sample.
fn sample(now: Time) -> Data {
    let common_labels =
        [("commonlabelkey1", "commonlabelvalue1"), ("commonlabelkey2", "commonlabelvalue2")];
    let common_annotations = [
        ("commonannotationkey1", "commonannotationvalue1"),
        ("commonannotationkey2", "commonannotationvalue2"),
    ];
    let alert = |mut labels: Kv, mut annotations: Kv, minutes: u64, fingerprint: &str| {
        labels.0.extend(kv(common_labels).0);
        annotations.0.extend(kv(common_annotations).0);
        DataAlert {
            status: "firing",
            labels,
            annotations,
            starts_at: Some(now - Duration::from_secs(60 * minutes)),
            ends_at: Some(now),
            generator_url: "https://generatorurl.com".to_owned(),
            fingerprint: fingerprint.to_owned(),
        }
    };
    let first = kv([("label1", "value1"), ("label2", "value2"), ("instance", "foo.bar:1234")]);
    let first_annotations = kv([("annotation1", "value1"), ("annotation2", "value2")]);
    let second = kv([("foo", "bar"), ("baz", "qux")]);
    let second_annotations = kv([("aaa", "bbb"), ("ccc", "ddd")]);
    Data {
        receiver: "receiver".to_owned(),
        status: "firing",
        alerts: Alerts(vec![
            alert(first, first_annotations, 5, "fingerprint1"),
            alert(second, second_annotations, 10, "fingerprint2"),
        ]),
        group_labels: kv([
            ("grouplabelkey1", "grouplabelvalue1"),
            ("grouplabelkey2", "grouplabelvalue2"),
        ]),
        common_labels: kv(common_labels),
        common_annotations: kv(common_annotations),
        external_url: "https://example.com".to_owned(),
        ..Data::default()
    }
}
