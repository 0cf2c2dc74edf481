//! `check healthy` and `check ready`: does a server say that it is well?

use std::{io::Write as _, time::Duration};

use http::StatusCode;

use crate::{
    Exit, World,
    arguments::{CheckServer, Global},
    http_client::Server,
};

const TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) async fn run(
    global: &Global,
    world: &mut World,
    check: &CheckServer,
    path: &str,
) -> anyhow::Result<Exit> {
    let mut server = Server::new(global, world, &check.url, &[])?;
    server.timeout = TIMEOUT;
    let response = server.get(path).await?;
    let (url, status) = (&check.url, response.status.as_u16());
    anyhow::ensure!(response.status == StatusCode::OK, "check failed: URL={url}, status={status}");
    let body = String::from_utf8_lossy(&response.body).into_owned();
    writeln!(world.stderr, "  SUCCESS:  {body}")?;
    Ok(Exit::Success)
}
