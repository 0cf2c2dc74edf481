use std::{sync::Arc, time::Duration};

use runtime::Runtime;
use transport::client::{Client, Config, Limits, Request};

use super::{BETWEEN_REQUESTS, PATHS};

/// So many customers at most are in the shop at once; further ones turn round at the door.
const CROWD: usize = 64;

/// Sends requests to the shop at `address`, for ever.
pub(super) async fn visit(runtime: Runtime, address: String) -> anyhow::Result<()> {
    let client = Arc::new(Client::new(Config::default(), runtime.clone())?);
    let room = Arc::new(tokio::sync::Semaphore::new(CROWD));
    loop {
        runtime.clock.sleep(BETWEEN_REQUESTS).await;
        let path = PATHS[(runtime.random.fraction() * PATHS.len() as f64) as usize];
        let url = format!("http://{address}{path}").parse()?;
        let Ok(place) = room.clone().try_acquire_owned() else { continue };
        let client = client.clone();
        tokio::spawn(async move {
            let limits = Limits { timeout: Duration::from_secs(10), body_bytes: 1 << 16 };
            // The shop counts its failures itself; a customer just goes away.
            drop(client.send(Request::get(url), &limits).await);
            drop(place);
        });
    }
}
