//! What this member lacks comes from the others.

use std::{path::Path, sync::Arc, time::Duration};

use cluster::Cluster;
use grpc::Connect;
use model::{Labels, TimeRange, Timestamp};
use repair::{Backfill, Member, Repair, Settings, Sources, Written};
use runtime::{Clock, Runtime};
use storage::Columns;
use telemetry::Registry;
use tokio_util::sync::CancellationToken;

use super::members::is_spread;
use crate::{
    Error, Result,
    server::{LateDatabase, Retention},
};

/// Beside the database, which does not know it.
const FILE: &str = "cluster_repair";
/// A scrape that has taken its time is stored at last.
const LAG: Duration = Duration::from_secs(10);
const LAG_MIN: Duration = Duration::from_secs(30);
/// How often to look whether the storage takes samples.
const WATCH: Duration = Duration::from_millis(500);

/// What repair depends on.
pub(in crate::server) struct Kept {
    pub(in crate::server) storage: LateDatabase,
    pub(in crate::server) retention: Retention,
    /// The longest time that a target has to answer.
    pub(in crate::server) longest_scrape: Duration,
    /// Whether others may have samples deleted here.
    pub(in crate::server) may_delete: bool,
}

/// From now on all since the end of the last life is known as a hole.
pub(super) fn open(
    kept: Kept,
    directory: &Path,
    cluster: Cluster,
    connect: Arc<dyn Connect>,
    runtime: &Runtime,
    registry: &Registry,
) -> Result<Repair> {
    let storage = kept.storage;
    let mut settings = Settings::new(directory.join(FILE));
    settings.lag = LAG_MIN.max(kept.longest_scrape + LAG);
    if !kept.retention.time.is_zero() {
        settings.retention = kept.retention.time;
    }
    let (oldest, deleting) = (storage.clone(), storage.clone());
    let may_delete = kept.may_delete;
    let sources = Sources {
        series: Arc::new(storage.clone()),
        writer: Arc::new(Writer(storage)),
        oldest: Arc::new(move || Some(oldest.get()?.time_range()?.start)),
        delete: Arc::new(move |range, matchers| {
            if !may_delete {
                return Err("it does not allow that: see --web.enable-admin-api".to_owned());
            }
            let database = deleting.get().ok_or("the storage is not open")?;
            database.delete(range, matchers).map_err(|error| error.to_string())
        }),
        members: Arc::new(move || others(&cluster)),
        connect,
    };
    let open = || Repair::new(settings, sources, runtime, registry);
    runtime::blocking(open).map_err(|error| Error::Cluster {
        reason: format!("read {}: {error}", directory.join(FILE).display()),
    })
}

/// They should have the same samples, except where each target is some members' only.
fn others(cluster: &Cluster) -> Vec<Member> {
    let status = cluster.status();
    let is_replica = !is_spread(&status);
    let others = status.members.into_iter().filter(|member| !member.is_self);
    others
        .map(|member| Member {
            id: member.id.to_string(),
            name: member.name,
            address: member.store_address,
            is_live: member.is_live,
            is_replica,
        })
        .collect()
}

struct Writer(LateDatabase);

impl Backfill for Writer {
    fn write(
        &self,
        series: &mut (dyn Iterator<Item = (Labels, Columns)> + Send),
    ) -> Result<Written, String> {
        let database = self.0.get().ok_or("the storage is not open")?;
        let histories = series.map(|(labels, samples)| tsdb::History { labels, samples });
        let written = database.replace(histories).map_err(|error| error.to_string())?;
        Ok(Written { added: written.added, replaced: written.replaced })
    }
}

/// Lets another member write while this one stores nothing or leaves slots out, and notes what it
/// lacks from then on.
pub(super) async fn watch(
    cluster: Cluster,
    repair: Repair,
    storage: LateDatabase,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    let mut since = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = clock.sleep(WATCH) => {}
        }
        let now = clock.now_millis();
        let reason = match storage.get().map(tsdb::Database::health) {
            Some(tsdb::Health::Failing(reason) | tsdb::Health::Poisoned(reason)) => Some(reason),
            _ => is_quarantined(&cluster).then(|| "its clock is wrong".to_owned()),
        };
        cluster.yield_if_unhealthy(reason.as_deref());
        match (reason, since) {
            (Some(_), None) => since = Some(now - 2 * WATCH.as_millis() as i64),
            (Some(_), Some(_)) => {}
            (None, _) => since = None,
        }
        if let Some(since) = since {
            let (start, end) = (Timestamp::from_millis(since), Timestamp::from_millis(now));
            repair.add_hole(TimeRange { start, end });
        }
    }
}

/// Whether this member leaves its slots out.
fn is_quarantined(cluster: &Cluster) -> bool {
    cluster.members().first().is_some_and(|own| own.is_quarantined)
}
