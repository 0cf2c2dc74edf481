use std::path::PathBuf;

use api::prometheus::{admin::Admin, status::TsdbError};
use jiff::Timestamp;
use model::{Matcher, TimeRange};
use repair::Repair;
use runtime::Runtime;
use tokio::runtime::Handle;

use crate::server::LateDatabase;

/// What the administrator may do to the storage.
pub(in crate::server) struct AdminAdapter {
    pub(in crate::server) storage: LateDatabase,
    pub(in crate::server) directory: PathBuf,
    pub(in crate::server) runtime: Runtime,
    /// The others delete, too.
    pub(in crate::server) members: Option<Repair>,
    pub(in crate::server) tasks: Handle,
}

impl Admin for AdminAdapter {
    fn snapshot(&self, with_head: bool) -> Result<String, TsdbError> {
        let now = Timestamp::from_millisecond(self.runtime.clock.now_millis()).unwrap_or_default();
        let name = format!("{}-{:016x}", now.strftime("%Y%m%dT%H%M%SZ"), self.runtime.random.u64());
        let directory = self.directory.join("snapshots").join(&name);
        self.database()?
            .snapshot(&directory, with_head)
            .map_err(|error| other("create snapshot", &error))?;
        Ok(name)
    }

    fn delete_series(&self, range: TimeRange, matchers: &[Matcher]) -> Result<(), TsdbError> {
        self.database()?.delete(range, matchers).map_err(|error| other("delete series", &error))?;
        let Some(members) = &self.members else { return Ok(()) };
        let asked = || self.tasks.block_on(members.delete_elsewhere(range, matchers));
        let complaints = runtime::blocking(asked);
        match complaints.is_empty() {
            true => Ok(()),
            false => Err(TsdbError::Other(format!(
                "deleted here, but not everywhere: {}",
                complaints.join("; ")
            ))),
        }
    }

    fn clean_tombstones(&self) -> Result<(), TsdbError> {
        self.database()?.clean_tombstones().map_err(|error| other("clean tombstones", &error))
    }
}

impl AdminAdapter {
    fn database(&self) -> Result<&tsdb::Database, TsdbError> {
        self.storage.get().ok_or(TsdbError::NotReady)
    }
}

fn other(action: &str, error: &tsdb::Error) -> TsdbError {
    TsdbError::Other(format!("{action}: {error}"))
}
