//! What the mechanisms for Amazon's services have in common: who asks, where, and in which words.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use runtime::Runtime;
use serde_json::Value;
use transport::client::{self, Authentication, SigV4};
use url::form_urlencoded::Serializer;

use crate::{
    docker::Filter,
    service::{self, PAGES_MAX, Service, body},
    xml,
};

/// Who asks one of Amazon's services, and where it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Empty means Amazon's own.
    pub endpoint: String,
    pub http: client::Config,
    /// Who we are, and the region.
    pub sigv4: SigV4,
}

/// One service of a region.
pub(crate) struct Api {
    service: Service,
    pub(crate) url: String,
    pub(crate) region: String,
}

impl Account {
    /// The API of the service that `host` names, `title` to people.
    pub(crate) fn api(&self, runtime: &Runtime, host: &str, title: &str) -> Result<Api, String> {
        let mut sigv4 = self.sigv4.clone();
        if sigv4.region.is_empty() {
            let mut named = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter();
            let named = named.find_map(|name| std::env::var(name).ok());
            sigv4.region =
                named.ok_or_else(|| format!("{title} SD configuration requires a region"))?;
        }
        sigv4.service = host.to_owned();
        let region = sigv4.region.clone();
        let ending = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let url = match self.endpoint.trim_end_matches('/') {
            "" => format!("https://{host}.{region}.{ending}"),
            endpoint => endpoint.to_owned(),
        };
        let mut http = self.http.clone();
        http.authentication = Authentication::SigV4(Box::new(sigv4));
        Ok(Api { service: Service::new(&http, runtime)?, url, region })
    }
}

impl Api {
    /// Asks in a form and is answered in XML.
    pub(crate) async fn query(
        &self,
        version: &str,
        action: &str,
        parameters: &[(String, String)],
    ) -> Result<Value, String> {
        let form = {
            let mut form = Serializer::new(String::new());
            form.append_pair("Action", action).append_pair("Version", version);
            Bytes::from(form.extend_pairs(parameters).finish())
        };
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]);
        let url = format!("{}/", self.url);
        xml::read(&body(&self.service.send(Method::POST, &url, headers, form).await?)?)
    }

    /// Asks in JSON and is answered in JSON: `target` is the service's version and an action.
    pub(crate) async fn call(&self, target: &str, question: &Value) -> Result<Value, String> {
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_static("application/x-amz-json-1.1");
        headers.insert(header::CONTENT_TYPE, kind);
        let target = HeaderValue::from_str(target).map_err(|error| error.to_string())?;
        headers.insert("x-amz-target", target);
        let (url, question) = (format!("{}/", self.url), Bytes::from(question.to_string()));
        service::json(&self.service.send(Method::POST, &url, headers, question).await?)
    }

    /// Gets a resource.
    pub(crate) async fn get(&self, path_and_query: &str) -> Result<Value, String> {
        self.service.get_json(&format!("{}{path_and_query}", self.url)).await
    }
}

/// All pages of a list that goes on where a token says; `ask` is given it, at first nothing.
pub(crate) async fn pages<F: Future<Output = Result<Value, String>>>(
    token: &str,
    ask: impl Fn(Option<String>) -> F,
) -> Result<Vec<Value>, String> {
    let mut pages: Vec<Value> = Vec::new();
    while pages.len() < PAGES_MAX {
        let next = pages.last().and_then(|page| page[token].as_str());
        let page = ask(next.map(str::to_owned)).await?;
        let is_last = page[token].as_str().is_none_or(str::is_empty);
        pages.push(page);
        if is_last {
            return Ok(pages);
        }
    }
    Err(format!("more than {PAGES_MAX} pages"))
}

/// Numbered filters in a form; services differ in the names around them.
pub(crate) fn filters(
    filters: &[Filter],
    [filter, value]: [&str; 2],
) -> impl Iterator<Item = (String, String)> {
    let numbered = (1..).zip(filters).map(move |(n, it)| (format!("{filter}.{n}"), it));
    numbered.flat_map(move |(prefix, filter)| {
        let values = (1..).zip(&filter.values);
        let named = (format!("{prefix}.Name"), filter.name.clone());
        let values = values.map(move |(m, it)| (format!("{prefix}.{value}.{m}"), it.clone()));
        std::iter::once(named).chain(values)
    })
}
