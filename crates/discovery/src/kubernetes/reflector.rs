//! Lists the objects of a kind, then watches what happens to them.

use std::{sync::Arc, time::Duration};

use runtime::Runtime;
use serde_json::Value;
use tokio::sync::mpsc;
use tracing::{error, warn};

use super::{Kind, Selector, access::Server};
use crate::{
    found::get,
    service::{escape, status_words},
};

/// Objects in one answer.
const PAGE: u32 = 500;
/// The server ends a watch after so long; then we begin the next.
const WATCH_SECONDS: u64 = 300;
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// A line of a watch is an object, and these are below 2 MB.
const LINE_BYTES_MAX: usize = 16 << 20;

/// What happened to objects of a kind.
pub(super) struct Event {
    pub(super) kind: Kind,
    pub(super) namespace: Option<String>,
    pub(super) change: Change,
}

pub(super) enum Change {
    /// These are all that there are.
    All(Vec<Value>),
    One(Value),
    Gone(Value),
}

pub(super) struct Reflector {
    pub(super) server: Arc<Server>,
    pub(super) runtime: Runtime,
    pub(super) kind: Kind,
    /// `None` is everywhere.
    pub(super) namespace: Option<String>,
    pub(super) selector: Option<Selector>,
    pub(super) events: mpsc::Sender<Event>,
}

/// Why a watch ended.
enum End {
    /// Go on from this version.
    At(String),
    /// The server no longer knows what happened since.
    TooOld,
}

impl Reflector {
    /// Goes on until nobody listens.
    pub(super) async fn run(self) {
        let mut pause = PAUSE_MIN;
        loop {
            match self.follow(&mut pause).await {
                Ok(()) => {}
                Err(err) => {
                    error!(discovery = "kubernetes", kind = ?self.kind, err, "Failed to watch");
                }
            }
            if self.events.is_closed() {
                return;
            }
            self.runtime.clock.sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Lists once and watches for as long as that goes well.
    async fn follow(&self, pause: &mut Duration) -> Result<(), String> {
        let (objects, mut version) = self.list().await?;
        self.tell(Change::All(objects)).await;
        *pause = PAUSE_MIN;
        loop {
            match self.watch(version).await? {
                End::At(newer) => version = newer,
                End::TooOld => return Ok(()),
            }
        }
    }

    async fn tell(&self, change: Change) {
        let (kind, namespace) = (self.kind, self.namespace.clone());
        // Whoever does not listen any more will drop this task.
        self.events.send(Event { kind, namespace, change }).await.unwrap_or_default();
    }

    fn url(&self, query: &str) -> String {
        let path = self.kind.path(self.namespace.as_deref());
        let mut url = format!("{}{path}?{query}", self.server.url);
        if let Some(selector) = &self.selector {
            let pairs = [("labelSelector", &selector.label), ("fieldSelector", &selector.field)];
            for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
                url.push_str(&format!("&{name}={}", escape(value)));
            }
        }
        url
    }

    async fn list(&self) -> Result<(Vec<Value>, String), String> {
        let mut objects = Vec::new();
        let mut next = String::new();
        loop {
            let page = format!("limit={PAGE}{next}");
            let mut answer = self.server.service.get_json(&self.url(&page)).await?;
            if let Value::Array(items) = answer["items"].take() {
                objects.extend(items.into_iter().map(slim));
            }
            match get(&answer["metadata"], "continue") {
                "" => return Ok((objects, get(&answer["metadata"], "resourceVersion").to_owned())),
                token => next = format!("&continue={}", escape(token)),
            }
        }
    }

    async fn watch(&self, mut version: String) -> Result<End, String> {
        let query = format!(
            "watch=1&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}&resourceVersion={}",
            escape(&version)
        );
        let mut stream = self.server.service.stream(&self.url(&query)).await?;
        if stream.status == http::StatusCode::GONE {
            return Ok(End::TooOld);
        }
        if !stream.status.is_success() {
            return Err(format!("server returned HTTP status {}", status_words(stream.status)));
        }
        let mut buffer: Vec<u8> = Vec::new();
        let clock = &*self.runtime.clock;
        // A server that went without a word would leave us waiting for ever.
        let patience = Duration::from_secs(WATCH_SECONDS + 30);
        loop {
            let next = runtime::clock::timeout(clock, patience, stream.next()).await;
            let bytes = match next {
                Some(Ok(Some(bytes))) => bytes,
                Some(Ok(None)) => return Ok(End::At(version)),
                Some(Err(error)) => {
                    warn!(discovery = "kubernetes", kind = ?self.kind, %error, "Watch broke off");
                    return Ok(End::At(version));
                }
                None => return Err("the watch does not end".to_owned()),
            };
            buffer.extend_from_slice(&bytes);
            if buffer.len() > LINE_BYTES_MAX {
                return Err("an object of a watch is too large".to_owned());
            }
            while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = buffer.drain(..=end).collect();
                if line.trim_ascii().is_empty() {
                    continue;
                }
                let event: Value = serde_json::from_slice(&line)
                    .map_err(|error| format!("parse an event: {error}"))?;
                match self.take(event).await? {
                    Some(newer) => version = newer,
                    None => return Ok(End::TooOld),
                }
            }
        }
    }

    /// Passes an event on; gives the version that it brings, or nothing if we are too late.
    async fn take(&self, mut event: Value) -> Result<Option<String>, String> {
        let kind = get(&event, "type").to_owned();
        let object = event["object"].take();
        if kind == "ERROR" {
            if object["code"] == 410 {
                return Ok(None);
            }
            return Err(format!("the watch failed: {}", get(&object, "message")));
        }
        let version = get(&object["metadata"], "resourceVersion").to_owned();
        match kind.as_str() {
            "ADDED" | "MODIFIED" => self.tell(Change::One(slim(object))).await,
            "DELETED" => self.tell(Change::Gone(object)).await,
            _ => {}
        }
        Ok(Some(version))
    }
}

/// The object without what no label is made of; that is most of it.
fn slim(mut object: Value) -> Value {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("volumes");
        for list in ["containers", "initContainers"] {
            let containers = spec.get_mut(list).and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
                container.retain(|key, _| {
                    ["name", "image", "ports", "restartPolicy"].contains(&key.as_str())
                });
            }
        }
    }
    if let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) {
        status.remove("images");
    }
    object
}
