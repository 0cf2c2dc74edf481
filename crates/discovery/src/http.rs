//! `http_sd_configs`: target groups in JSON that a server answers.

use std::{path::Path, time::Duration};

use ::http::header::CONTENT_TYPE;
use model::{LabelsBuilder, TargetGroup};
use runtime::Runtime;
use transport::client;

use crate::{
    file,
    refresh::{Lookup, Polled},
    service::{Service, status_words},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub url: String,
    pub http: client::Config,
    pub refresh_interval: Duration,
}

pub(crate) struct Http {
    url: String,
    service: Service,
}

impl Polled for Config {
    type Lookup = Http;

    fn lookup(&self, runtime: &Runtime) -> Result<Http, String> {
        let interval = self.refresh_interval.as_secs_f64().to_string();
        let service = Service::new(&self.http, runtime)?
            .with_timeout(self.refresh_interval)
            .with_header("accept", "application/json")?
            .with_header("x-prometheus-refresh-interval-seconds", &interval)?;
        Ok(Http { url: self.url.clone(), service })
    }
}

impl Lookup for Http {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let response = self.service.get(&self.url).await?;
        if response.status != ::http::StatusCode::OK {
            let status = status_words(response.status);
            return Err(format!("server returned HTTP status {status}"));
        }
        let kind = response.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default();
        if !is_json(kind) {
            return Err(format!("unsupported content type {kind:?}"));
        }
        let body = response.decoded(usize::MAX).map_err(|error| error.to_string())?;
        let mut groups = file::parse(Path::new("answer.json"), &body)?;
        for (idx, group) in groups.iter_mut().enumerate() {
            let mut labels = LabelsBuilder::new(&group.labels);
            group.labels = labels.set("__meta_url", &self.url).build();
            group.source = format!("{}:{idx}", self.url);
        }
        Ok(groups)
    }
}

/// `application/json`, with no charset but UTF-8.
fn is_json(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    let (kind, parameter) = kind.split_once(';').unwrap_or((&kind, ""));
    let parameter = parameter.trim_start();
    kind == "application/json" && ["", "charset=utf-8", "charset=\"utf-8\""].contains(&parameter)
}
