//! What the command line says of agent mode: `--agent` and its flags.

use std::{path::PathBuf, time::Duration};

use node::server::AgentOptions;

use crate::flags::{Values, server::FLAGS};

/// Flags that begin so are for servers only.
const SERVER_ONLY: [&str; 6] =
    ["storage.tsdb.", "storage.remote.read-", "rules.", "alertmanager.", "query.", "cluster."];

const AGENT_ONLY: &str = "storage.agent.";

/// Names of flags that take the place of a server's.
pub(crate) struct Names {
    pub(crate) path: &'static str,
    pub(crate) wal_compression: &'static str,
    pub(crate) wal_compression_type: &'static str,
    pub(crate) wal_segment_size: &'static str,
    pub(crate) no_lockfile: &'static str,
}

const SERVER: Names = Names {
    path: "storage.tsdb.path",
    wal_compression: "storage.tsdb.wal-compression",
    wal_compression_type: "storage.tsdb.wal-compression-type",
    wal_segment_size: "storage.tsdb.wal-segment-size",
    no_lockfile: "storage.tsdb.no-lockfile",
};

const AGENT: Names = Names {
    path: "storage.agent.path",
    wal_compression: "storage.agent.wal-compression",
    wal_compression_type: "storage.agent.wal-compression-type",
    wal_segment_size: "storage.agent.wal-segment-size",
    no_lockfile: "storage.agent.no-lockfile",
};

/// The flags that say where the log is and how it is written.
pub(crate) fn names(values: &Values) -> &'static Names {
    if values.is_set("agent") { &AGENT } else { &SERVER }
}

/// Complains of flags that belong to the other mode, in upstream's words.
pub(crate) fn misused_flags(values: &Values) -> Option<String> {
    let is_agent = values.is_set("agent");
    let is_of_servers = |name: &str| SERVER_ONLY.iter().any(|prefix| name.starts_with(prefix));
    let is_misused = |name: &str| match is_agent {
        true => is_of_servers(name),
        false => name.starts_with(AGENT_ONLY),
    };
    let misused = FLAGS.iter().map(|flag| flag.name);
    let misused = misused.filter(|name| is_misused(name) && values.is_given(name));
    let misused: Vec<String> = misused.map(|name| format!("\"--{name}\"")).collect();
    let rule = if is_agent { "can not be used in" } else { "can only be used in" };
    (!misused.is_empty())
        .then(|| format!("The following flag(s) {rule} agent mode: [{}]", misused.join(" ")))
}

/// Nothing for a server.
pub(crate) fn options(values: &Values) -> Option<AgentOptions> {
    let given = |flag: &str, default: Duration| match values.duration(flag) {
        Duration::ZERO => default,
        duration => duration,
    };
    let hours = |n: u64| Duration::from_secs(n * 3600);
    let truncate_frequency = given("storage.agent.wal-truncate-frequency", hours(2));
    let min_age = given("storage.agent.retention.min-time", Duration::from_secs(5 * 60));
    let max_age = given("storage.agent.retention.max-time", hours(4));
    values.is_set("agent").then_some(AgentOptions {
        min_age,
        max_age: max_age.max(truncate_frequency).max(min_age),
        truncate_frequency,
    })
}

pub(crate) fn directory(values: &Values) -> PathBuf {
    values.path(names(values).path)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{misused_flags, options};
    use crate::flags;

    fn values(args: &str) -> flags::Values {
        let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
        flags::parse(clap::Command::new("server"), flags::server::FLAGS, &args).expect("good flags")
    }

    #[track_caller]
    fn check(args: &str, want: Option<&str>) {
        assert_eq!(misused_flags(&values(args)).as_deref(), want, "{args}");
    }

    #[test]
    fn each_mode_refuses_the_others_flags() {
        check("--agent --storage.agent.path=a --storage.remote.flush-deadline=1s", None);
        check("--storage.tsdb.path=a --web.enable-admin-api", None);
        check(
            "--agent --storage.tsdb.path=a --query.timeout=1m",
            Some(
                "The following flag(s) can not be used in agent mode: \
                 [\"--storage.tsdb.path\" \"--query.timeout\"]",
            ),
        );
        check(
            "--storage.agent.path=a",
            Some(
                "The following flag(s) can only be used in agent mode: [\"--storage.agent.path\"]",
            ),
        );
    }

    #[test]
    fn ages_have_defaults_and_the_greatest_is_no_less_than_the_others() {
        assert!(options(&values("")).is_none());
        let secs = |args: &str| {
            let options = options(&values(args)).expect("it is one");
            let ages = [options.min_age, options.max_age, options.truncate_frequency];
            ages.map(|age: Duration| age.as_secs())
        };
        assert_eq!(secs("--agent"), [300, 14_400, 7_200]);
        assert_eq!(secs("--agent --storage.agent.retention.max-time=1h"), [300, 7_200, 7_200]);
        assert_eq!(secs("--agent --storage.agent.retention.min-time=1d"), [86_400, 86_400, 7_200]);
    }
}
