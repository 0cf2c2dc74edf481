//! The lease as a key of etcd's, over the JSON form of its API (v3, since 3.4).

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderValue, StatusCode, header::AUTHORIZATION};
use parking_lot::Mutex;
use runtime::{BoxFuture, Runtime};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use transport::client::{Client, Config, Request};
use url::Url;

use super::{
    http::{LIMITS, text},
    store::{Record, Store, Version},
};

pub(super) struct Etcd {
    client: Client,
    /// Asked one after the other, from the one on that has answered last.
    endpoints: Vec<Url>,
    current: AtomicUsize,
    user: Option<(String, String)>,
    /// What the user is known by, until etcd forgets it. Nothing else is locked while it is held.
    token: Mutex<Option<HeaderValue>>,
    /// In etcd's form.
    key: String,
}

#[derive(Deserialize)]
struct Range {
    #[serde(default)]
    kvs: Vec<KeyValue>,
}

/// 64-bit numbers are texts in JSON.
#[derive(Deserialize)]
struct KeyValue {
    value: String,
    mod_revision: String,
}

#[derive(Deserialize)]
struct Transaction {
    header: Header,
    /// Left out if false.
    #[serde(default)]
    succeeded: bool,
}

#[derive(Deserialize)]
struct Header {
    revision: String,
}

#[derive(Deserialize)]
struct Token {
    token: String,
}

impl Etcd {
    pub(super) fn new(
        is_secure: bool,
        user: Option<(String, String)>,
        hosts: &[String],
        key: &str,
        runtime: Runtime,
    ) -> Result<Etcd, String> {
        let scheme = if is_secure { "https" } else { "http" };
        let mut endpoints = Vec::new();
        for host in hosts {
            let url = Url::parse(&format!("{scheme}://{host}/"));
            endpoints.push(url.map_err(|error| format!("{host}: {error}"))?);
        }
        let client = Client::new(Config::default(), runtime).map_err(|error| error.to_string())?;
        Ok(Etcd {
            client,
            endpoints,
            current: AtomicUsize::new(0),
            user,
            token: Mutex::default(),
            key: BASE64_STANDARD.encode(key),
        })
    }

    /// Asks the endpoints in turn until one answers.
    async fn call<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, String> {
        let mut last = "no endpoint".to_owned();
        for _ in 0..self.endpoints.len() {
            let current = self.current.load(Ordering::Relaxed) % self.endpoints.len();
            match self.ask(&self.endpoints[current], path, body).await {
                Ok(answer) => return Ok(answer),
                Err(error) => last = error,
            }
            self.current.store(current + 1, Ordering::Relaxed);
        }
        Err(last)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        endpoint: &Url,
        path: &str,
        body: &Value,
    ) -> Result<T, String> {
        let known = self.token.lock().clone();
        let token = match (&self.user, known) {
            (Some(_), None) => Some(self.log_in(endpoint).await?),
            (_, token) => token,
        };
        match self.post(endpoint, path, body, token).await {
            Err(error) if self.user.is_some() => {
                // The token may be too old: the next attempt gets a new one.
                *self.token.lock() = None;
                Err(error)
            }
            result => result,
        }
    }

    async fn log_in(&self, endpoint: &Url) -> Result<HeaderValue, String> {
        let (name, password) = self.user.clone().unwrap_or_default();
        let body = json!({ "name": name, "password": password });
        let answer: Token = self.post(endpoint, "v3/auth/authenticate", &body, None).await?;
        let token = HeaderValue::from_str(&answer.token).map_err(|error| error.to_string())?;
        *self.token.lock() = Some(token.clone());
        Ok(token)
    }

    async fn post<T: DeserializeOwned>(
        &self,
        endpoint: &Url,
        path: &str,
        body: &Value,
        token: Option<HeaderValue>,
    ) -> Result<T, String> {
        let url = endpoint.join(path).map_err(|error| error.to_string())?;
        let mut request = Request::post(url, "application/json", body.to_string());
        request.headers.extend(token.map(|token| (AUTHORIZATION, token)));
        let response = self.client.send(request, &LIMITS).await.map_err(|e| e.to_string())?;
        if response.status != StatusCode::OK {
            return Err(format!("etcd answers {}: {}", response.status, text(&response.body)));
        }
        serde_json::from_slice(&response.body).map_err(|error| format!("etcd's answer: {error}"))
    }
}

impl Store for Etcd {
    fn read(&self) -> BoxFuture<'_, Result<Option<(Record, Version)>, String>> {
        Box::pin(async move {
            let range: Range = self.call("v3/kv/range", &json!({ "key": self.key })).await?;
            let Some(found) = range.kvs.into_iter().next() else { return Ok(None) };
            let bytes = BASE64_STANDARD.decode(&found.value).map_err(|error| error.to_string())?;
            let record = serde_json::from_slice(&bytes)
                .map_err(|error| format!("the key holds no lease: {error}"))?;
            Ok(Some((record, Version(found.mod_revision))))
        })
    }

    fn write_if<'a>(
        &'a self,
        record: &'a Record,
        version: Option<&'a Version>,
    ) -> BoxFuture<'a, Result<Option<Version>, String>> {
        Box::pin(async move {
            let value = serde_json::to_vec(record).map_err(|error| error.to_string())?;
            let value = BASE64_STANDARD.encode(value);
            // A key that is not there was modified at zero.
            let revision = version.map_or("0", |version| &version.0);
            let body = json!({
                "compare": [{
                    "key": self.key, "target": "MOD", "result": "EQUAL", "mod_revision": revision,
                }],
                "success": [{ "requestPut": { "key": self.key, "value": value } }],
            });
            let done: Transaction = self.call("v3/kv/txn", &body).await?;
            Ok(done.succeeded.then_some(Version(done.header.revision)))
        })
    }
}
