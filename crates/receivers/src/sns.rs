//! Amazon's Simple Notification Service.

use std::collections::BTreeMap;

use settings::{
    decode::{Broken, Section},
    http::{HttpClient, SigV4},
    record,
};

use crate::{Global, Settings, values::shipped};

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

    fn inherit(&mut self, global: &Global) -> Result<(), Broken> {
        global.lend_http(&mut self.http_config);
        Ok(())
    }
}
