//! `push metrics`: metrics in the text format, sent by remote write.

mod message;
mod text;

use std::{
    io::{Read as _, Write as _},
    path::Path,
};

use anyhow::Context as _;
use http::{HeaderValue, header};
use model::Timestamp;
use transport::client::Request;
use url::Url;

use crate::{
    Exit, World,
    arguments::{Global, Protocol, Push},
    check::describe,
    http_client::Server,
};

pub(crate) use text::Pushed;
#[cfg(test)]
pub(crate) use text::parse;

pub(crate) async fn run(global: &Global, world: &mut World, push: &Push) -> anyhow::Result<Exit> {
    let mut server = Server::new(global, world, &push.url, &push.header)?;
    server.timeout = push.timeout;
    let url = address(push);
    if push.files.is_empty() {
        let mut body = Vec::new();
        world.stdin.read_to_end(&mut body)?;
        writeln!(world.stdout, "Parsing standard input")?;
        if !send(world, &server, &url, push, &body).await? {
            return Ok(Exit::Failure);
        }
        writeln!(world.stdout, "  SUCCESS: metrics pushed to remote write.")?;
        return Ok(Exit::Success);
    }
    let mut exit = Exit::Success;
    for path in &push.files {
        let shown = path.display();
        writeln!(world.stdout, "Parsing metrics file {shown}")?;
        let sent = match read(world, path) {
            Ok(body) => send(world, &server, &url, push, &body).await?,
            Err(error) => {
                writeln!(world.stderr, "  FAILED: {}", crate::explain(&error))?;
                false
            }
        };
        match sent {
            true => {
                writeln!(world.stdout, "  SUCCESS: metrics file {shown} pushed to remote write.")?;
            }
            false => exit = Exit::Failure,
        }
    }
    Ok(exit)
}

/// A URL that is only a server gets the usual path, or the one that was asked for.
fn address(push: &Push) -> Url {
    let own_path = push.url.path().trim_end_matches('/');
    let path = match (&push.path, own_path) {
        (Some(path), _) => path.as_str(),
        (None, "") => "/api/v1/write",
        (None, _) => "",
    };
    let mut url = push.url.clone();
    url.set_path(&format!("{own_path}{path}"));
    url
}

fn read(world: &World, path: &Path) -> anyhow::Result<Vec<u8>> {
    let shown = path.display();
    let read = world.runtime.disk.read(path);
    read.map_err(|error| anyhow::anyhow!("open {shown}: {}", describe(&error)))
}

/// Sends one text; says whether it arrived, and complains if not.
async fn send(
    world: &mut World,
    server: &Server,
    url: &Url,
    push: &Push,
    body: &[u8],
) -> anyhow::Result<bool> {
    let now = Timestamp::from_millis(world.runtime.clock.now_millis());
    let outcome = match text::parse(body, &push.labels, now) {
        Ok(pushed) => try_send(server, url, push.protocol, &pushed).await,
        Err(error) => Err(error),
    };
    if let Err(error) = &outcome {
        writeln!(world.stderr, "  FAILED: {}", crate::explain(error))?;
    }
    Ok(outcome.is_ok())
}

async fn try_send(
    server: &Server,
    url: &Url,
    protocol: Protocol,
    pushed: &Pushed,
) -> anyhow::Result<()> {
    let (content_type, version, message) = match protocol {
        Protocol::V1 => ("application/x-protobuf", "0.1.0", message::version_1(pushed)),
        Protocol::V2 => (
            "application/x-protobuf;proto=io.prometheus.write.v2.Request",
            "2.0.0",
            message::version_2(pushed),
        ),
    };
    let body = snap::raw::Encoder::new().compress_vec(&message)?;
    let mut request = Request::post(url.clone(), content_type, body);
    request.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("snappy"));
    request.headers.insert("x-prometheus-remote-write-version", HeaderValue::from_static(version));
    let response = server.send(request).await.context("send metrics")?;
    let status = response.status;
    let reason = String::from_utf8_lossy(&response.body);
    let reason = reason.trim();
    anyhow::ensure!(status.is_success(), "server returned HTTP status {status}: {reason}");
    Ok(())
}
