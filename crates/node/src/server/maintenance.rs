use std::{sync::Arc, time::Duration};

use runtime::Clock;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::error;

/// The task that lets the database tidy up, again and again.
pub(super) struct Maintenance {
    database: tsdb::Database,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Maintenance {
    pub(super) fn start(
        database: tsdb::Database,
        clock: Arc<dyn Clock>,
        interval: Duration,
    ) -> Maintenance {
        let stop = CancellationToken::new();
        let task = tokio::spawn(run(database.clone(), clock, interval, stop.clone()));
        Maintenance { database, stop, task }
    }

    /// Ends the task, then makes everything that was committed durable, and writes what the next
    /// start is to be quicker with.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            error!(err = %error, "Maintenance of the storage ended badly");
        }
        let database = self.database;
        let close = move || database.sync().and_then(|()| database.write_chunk_snapshot());
        match tokio::task::spawn_blocking(close).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => error!(err = %error, "Closing storage failed"),
            Err(error) => error!(err = %error, "Closing storage failed"),
        }
    }
}

async fn run(
    database: tsdb::Database,
    clock: Arc<dyn Clock>,
    interval: Duration,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = clock.sleep(interval) => {}
        }
        let database = database.clone();
        match tokio::task::spawn_blocking(move || database.maintain()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => error!(component = "tsdb", err = %error, "compaction failed"),
            Err(error) => error!(component = "tsdb", err = %error, "compaction panicked"),
        }
    }
}
