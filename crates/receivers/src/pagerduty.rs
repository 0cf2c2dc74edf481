//! PagerDuty, by both versions of its events.

mod notifier;

use std::collections::BTreeMap;

use settings::{
    decode::{Broken, Section},
    http::HttpClient,
    record,
    values::Secret,
    yaml::Yaml,
};

use crate::{
    Context, Global, Settings,
    build::NewNotifier,
    integration::{at_most_one, inherit_url},
    sender,
    values::{GoDuration, HttpUrl, shipped},
};

/// Details that every event has, unless the configuration says something else.
const DETAILS: [(&str, &str); 4] = [
    ("firing", "{{ .Alerts.Firing | toJson }}"),
    ("resolved", "{{ .Alerts.Resolved | toJson }}"),
    ("num_firing", "{{ .Alerts.Firing | len }}"),
    ("num_resolved", "{{ .Alerts.Resolved | len }}"),
];

record! {
    pub struct Config: "pagerduty.plain" {
        send_resolved: bool = always,
        http_config: Option<HttpClient>,
        service_key: Secret,
        service_key_file: String,
        routing_key: Secret,
        routing_key_file: String,
        url: Option<HttpUrl>,
        client: String,
        client_url: String,
        description: String,
        details: BTreeMap<String, Yaml>,
        images: Vec<Image>,
        links: Vec<Link>,
        source: String,
        severity: String,
        class: String,
        component: String,
        group: String,
        timeout: GoDuration = always,
    }
}

record! {
    pub struct Link: "pagerduty.PagerdutyLink" {
        href: String,
        text: String,
    }
}

record! {
    pub struct Image: "pagerduty.PagerdutyImage" {
        src: String,
        alt: String,
        href: String,
    }
}

impl Section for Link {}
impl Section for Image {}

impl Section for Config {
    fn defaults() -> Config {
        Config {
            send_resolved: true,
            // Upstream forgot a blank there, and prints it so.
            description: r#"{{ template "pagerduty.default.description" .}}"#.to_owned(),
            client: shipped("pagerduty.default.client"),
            client_url: shipped("pagerduty.default.clientURL"),
            ..Config::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        let has_routing_key = !self.routing_key.is_empty();
        let has_routing_file = !self.routing_key_file.is_empty();
        let has_service_key = !self.service_key.is_empty();
        let has_service_file = !self.service_key_file.is_empty();
        if ![has_routing_key, has_routing_file, has_service_key, has_service_file].contains(&true) {
            return Err("missing service or routing key in PagerDuty config".into());
        }
        at_most_one(has_routing_key, "routing_key", has_routing_file, "routing_key_file")?;
        at_most_one(has_service_key, "service_key", has_service_file, "service_key_file")?;
        if self.source.is_empty() {
            self.source.clone_from(&self.client);
        }
        for (name, template) in DETAILS {
            let detail = self.details.entry(name.to_owned());
            detail.or_insert_with(|| Yaml::Text(template.to_owned()));
        }
        Ok(())
    }
}

impl Settings for Config {
    const NAME: &'static str = "pagerduty";

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn http(&mut self) -> Option<&mut Option<HttpClient>> {
        Some(&mut self.http_config)
    }

    fn inherit(&mut self, global: &Global) -> Result<(), Broken> {
        global.lend_http(&mut self.http_config);
        inherit_url(&mut self.url, &global.pagerduty_url, "PagerDuty")
    }

    fn notifier(&self, context: &Context) -> NewNotifier {
        sender::new(self, &self.http_config, self.timeout.0, context)
    }
}
