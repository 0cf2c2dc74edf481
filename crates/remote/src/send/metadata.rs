//! What metrics mean, sent from time to time: version 1 has no room for it beside the samples.

use std::{collections::BTreeMap, sync::Arc};

use tokio_util::sync::CancellationToken;
use tracing::error;

use super::{
    config::Metadata,
    encode,
    shard::{Sending, pack},
};

/// Says what is known of metric families.
pub type MetadataSource = Arc<dyn Fn() -> BTreeMap<String, model::Metadata> + Send + Sync>;

/// Sends everything once an interval.
pub(super) async fn run(
    sending: Arc<Sending>,
    settings: Metadata,
    source: MetadataSource,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = sending.clock.sleep(settings.interval) => {}
        }
        let families: Vec<(String, model::Metadata)> = source().into_iter().collect();
        for batch in families.chunks(settings.max_per_send.max(1)) {
            tokio::select! {
                () = stop.cancelled() => return,
                () = send(&sending, batch) => {}
            }
        }
    }
}

async fn send(sending: &Sending, families: &[(String, model::Metadata)]) {
    let metrics = &sending.metrics;
    let body = runtime::blocking(|| pack(&encode::metadata_request(families)));
    let mut backoff = sending.queue.min_backoff;
    let mut attempt = 0;
    loop {
        match sending.client.post(body.clone(), attempt, sending.clock.now()).await {
            Ok(_) => {
                metrics.metadata.add(families.len() as f64);
                metrics.metadata_bytes.add(body.len() as f64);
                return;
            }
            Err(failed) if !failed.is_recoverable => {
                error!(
                    count = families.len(),
                    err = failed.text,
                    "non-recoverable error while sending metadata"
                );
                metrics.metadata_failed.add(families.len() as f64);
                return;
            }
            Err(failed) => {
                metrics.metadata_retried.add(families.len() as f64);
                sending.clock.sleep(failed.retry_after.unwrap_or(backoff)).await;
                backoff = (backoff * 2).min(sending.queue.max_backoff);
                attempt += 1;
            }
        }
    }
}
