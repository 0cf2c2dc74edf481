//! Amazon: one section a service, and `aws_sd_configs` for all of them.

use crate::{
    decode::{Broken, List, Section},
    http::HttpClient,
    record,
    values::{Duration, Secret},
    word,
};

const REFRESH: Duration = Duration::from_secs(60);

record! {
    /// Keeps only what has one of the values.
    pub struct AwsFilter: "aws.Filter" {
        name: String = always,
        values: Vec<String> = always,
    }
}

word! {
    pub struct AwsRole: "aws.Role" { "ec2", "ecs", "elasticache", "lightsail", "msk", "rds" }
    else |text| format!("unknown AWS SD role {text:?}")
}

record! {
    pub struct Aws: "aws.plain" {
        role: AwsRole = always,
        region: String,
        endpoint: String,
        access_key: String,
        secret_key: Secret,
        profile: String,
        role_arn: String,
        external_id: String,
        refresh_interval: Duration,
        port: i64,
        http: HttpClient = inline,
        filters: List<AwsFilter>,
        clusters: Vec<String>,
    }
}

record! {
    pub struct Ec2: "aws.plain" {
        endpoint: String = always,
        region: String = always,
        access_key: String,
        secret_key: Secret,
        profile: String,
        role_arn: String,
        external_id: String,
        refresh_interval: Duration,
        port: i64 = always,
        filters: List<AwsFilter> = always,
        http: HttpClient = inline,
    }
}

record! {
    pub struct Ecs: "aws.plain" {
        region: String = always,
        endpoint: String = always,
        access_key: String,
        secret_key: Secret,
        profile: String,
        role_arn: String,
        external_id: String,
        clusters: Vec<String>,
        port: i64 = always,
        refresh_interval: Duration,
        request_concurrency: i64,
        http: HttpClient = inline,
    }
}

record! {
    pub struct Elasticache: "aws.plain" {
        region: String = always,
        endpoint: String = always,
        access_key: String,
        secret_key: Secret,
        profile: String,
        role_arn: String,
        external_id: String,
        clusters: Vec<String>,
        port: i64 = always,
        refresh_interval: Duration,
        request_concurrency: i64,
        http: HttpClient = inline,
    }
}

record! {
    pub struct Lightsail: "aws.plain" {
        endpoint: String = always,
        region: String = always,
        access_key: String,
        secret_key: Secret,
        profile: String,
        role_arn: String,
        external_id: String,
        refresh_interval: Duration,
        port: i64 = always,
        http: HttpClient = inline,
    }
}

record! {
    pub struct Msk: "aws.plain" {
        region: String = always,
        endpoint: String = always,
        access_key: String,
        secret_key: Secret,
        profile: String,
        role_arn: String,
        external_id: String,
        clusters: Vec<String>,
        port: i64 = always,
        refresh_interval: Duration,
        request_concurrency: i64,
        http: HttpClient = inline,
    }
}

record! {
    pub struct Rds: "aws.plain" {
        region: String = always,
        endpoint: String = always,
        access_key: String,
        secret_key: Secret,
        profile: String,
        role_arn: String,
        external_id: String,
        clusters: Vec<String>,
        port: i64 = always,
        refresh_interval: Duration,
        filters: List<AwsFilter> = always,
        request_concurrency: i64,
        http: HttpClient = inline,
    }
}

impl Section for AwsFilter {}

impl Section for Aws {
    fn check(&mut self) -> Result<(), Broken> {
        if self.role.is_empty() {
            return Err("unknown AWS SD role \"\"".into());
        }
        Ok(())
    }
}

impl Section for Ec2 {
    fn defaults() -> Ec2 {
        Ec2 { port: 80, refresh_interval: REFRESH, http: HttpClient::defaults(), ..Ec2::default() }
    }

    fn check(&mut self) -> Result<(), Broken> {
        if self.filters.iter().any(|filter| filter.values.is_empty()) {
            return Err("EC2 SD configuration filter values cannot be empty".into());
        }
        self.http.check()
    }
}

/// The services that differ only in how many requests may run at once.
macro_rules! service {
    ($section:ident, $($concurrency:literal)?) => {
        impl Section for $section {
            fn defaults() -> $section {
                $section {
                    port: 80,
                    refresh_interval: REFRESH,
                    $(request_concurrency: $concurrency,)?
                    http: HttpClient::defaults(),
                    ..$section::default()
                }
            }

            fn check(&mut self) -> Result<(), Broken> {
                self.http.check()
            }
        }
    };
}

service!(Ecs, 20);
service!(Elasticache, 10);
service!(Lightsail,);
service!(Msk, 10);
service!(Rds, 10);
