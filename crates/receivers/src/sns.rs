//! Amazon's Simple Notification Service.

use std::collections::BTreeMap;

use alertmanager::integration::{
    Notification, NotifyError,
    http::{truncate_in_bytes, truncate_in_runes},
};
use http::{HeaderMap, HeaderValue, Method, header};
use settings::{
    decode::{Broken, Section},
    http::{HttpClient, SigV4},
    record,
};

use transport::client;
use url::form_urlencoded::Serializer;

use crate::{
    Context, Settings,
    build::NewNotifier,
    client::check_status,
    http_config,
    sender::{self, Sender, Tell, Texts, context as context_of},
    values::shipped,
};

record! {
    pub struct Config: "sns.plain" {
        send_resolved: bool = always,
        http_config: Option<HttpClient>,
        api_url: String,
        sigv4: SigV4 = always,
        topic_arn: String,
        phone_number: String,
        target_arn: String,
        subject: String,
        message: String,
        attributes: BTreeMap<String, String>,
        use_aws_http_client: bool,
    }
}

impl Section for Config {
    fn defaults() -> Config {
        Config {
            send_resolved: true,
            subject: shipped("sns.default.subject"),
            message: shipped("sns.default.message"),
            ..Config::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        let absent = [&self.target_arn, &self.topic_arn, &self.phone_number]
            .into_iter()
            .filter(|goal| goal.is_empty());
        // Upstream's condition is an exclusive or, which lets all three at once pass.
        if absent.count() % 2 != 0 {
            return Err(
                "must provide either a Target ARN, Topic ARN, or Phone Number for SNS config"
                    .into(),
            );
        }
        Ok(())
    }
}

impl Settings for Config {
    const NAME: &'static str = "sns";

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn http(&mut self) -> Option<&mut Option<HttpClient>> {
        Some(&mut self.http_config)
    }

    fn notifier(&self, context: &Context) -> NewNotifier {
        let mut config = match &self.http_config {
            Some(settings) => http_config::to_client(settings)?,
            None => client::Config::default(),
        };
        let sigv4 = SigV4 { region: self.region().to_owned(), ..self.sigv4.clone() };
        config.authentication = http_config::sigv4(&sigv4, "sns");
        sender::with_client(self, config, context)
    }
}

/// As much as a message may hold, with what goes along with it.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;
const SMS_RUNES_MAX: usize = 1600;

impl Tell for Config {
    async fn tell(
        &self,
        sender: &Sender,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<(), NotifyError> {
        let api_url =
            texts.text(&self.api_url).map_err(context_of("execute 'api_url' template"))?;
        let body = self.form(texts, notification)?;
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]);
        let url = self.url(&api_url);
        let response = sender.http.send(Method::POST, &url, headers, body.into()).await?;
        check_status(&response, &[])
    }
}

impl Config {
    fn form(&self, texts: &Texts<'_>, notification: &Notification) -> Result<String, NotifyError> {
        let text = |text: &str, name: &str| {
            texts.text(text).map_err(context_of(&format!("execute '{name}' template")))
        };
        let mut form = Serializer::new(String::new());
        form.append_pair("Action", "Publish").append_pair("Version", "2010-03-31");
        let goals = [
            ("TopicArn", text(&self.topic_arn, "topic_arn")?),
            ("PhoneNumber", text(&self.phone_number, "phone_number")?),
            ("TargetArn", text(&self.target_arn, "target_arn")?),
        ];
        for (name, goal) in goals.iter().filter(|(_, goal)| !goal.is_empty()) {
            form.append_pair(name, goal);
        }
        let [(_, topic), (_, phone), _] = &goals;
        if topic.ends_with(".fifo") {
            let key = notification.group_key_hash();
            form.append_pair("MessageDeduplicationId", &key).append_pair("MessageGroupId", &key);
        }
        let message = text(&self.message, "message")?;
        let (message, is_truncated) = match phone.is_empty() {
            true => truncate_in_bytes(&message, MESSAGE_BYTES_MAX),
            false => truncate_in_runes(&message, SMS_RUNES_MAX),
        };
        form.append_pair("Message", &message);
        let subject = text(&self.subject, "subject")?;
        if !subject.is_empty() {
            form.append_pair("Subject", &subject);
        }
        let mut attributes = BTreeMap::new();
        for (name, value) in &self.attributes {
            attributes.insert(name.clone(), text(value, "attributes")?);
        }
        if is_truncated {
            attributes.insert("truncated".to_owned(), "true".to_owned());
        }
        for (idx, (name, value)) in (1..).zip(&attributes) {
            let entry = format!("MessageAttributes.entry.{idx}");
            form.append_pair(&format!("{entry}.Name"), name);
            form.append_pair(&format!("{entry}.Value.DataType"), "String");
            form.append_pair(&format!("{entry}.Value.StringValue"), value);
        }
        Ok(form.finish())
    }

    /// Amazon's service in the region, unless another one is named.
    fn url(&self, api_url: &str) -> String {
        if !api_url.is_empty() {
            return api_url.to_owned();
        }
        let region = self.region();
        let ending = if region.starts_with("cn-") { ".cn" } else { "" };
        format!("https://sns.{region}.amazonaws.com{ending}/")
    }

    /// A topic's name says where it lives.
    fn region(&self) -> &str {
        let mut names = [&self.topic_arn, &self.target_arn].into_iter();
        match self.sigv4.region.as_str() {
            "" => names.find_map(|arn| arn.split(':').nth(3)).unwrap_or("us-east-1"),
            region => region,
        }
    }
}
