//! What travels, with the keys in the order in which upstream's client prints them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) type LabelSet = BTreeMap<String, String>;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Alert {
    pub(crate) annotations: LabelSet,
    pub(crate) ends_at: String,
    pub(crate) fingerprint: String,
    pub(crate) receivers: Vec<Receiver>,
    pub(crate) starts_at: String,
    pub(crate) status: AlertStatus,
    pub(crate) updated_at: String,
    #[serde(rename = "generatorURL", default, skip_serializing_if = "String::is_empty")]
    pub(crate) generator_url: String,
    pub(crate) labels: LabelSet,
}

/// A notification, as our own API tells of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Told {
    pub(crate) time: String,
    pub(crate) outcome: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) error: String,
    pub(crate) receiver: String,
    pub(crate) integration: String,
    pub(crate) index: u32,
    pub(crate) group_key: String,
    pub(crate) group_labels: LabelSet,
    /// Unknown where another node has told it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) reason: String,
    pub(crate) firing: usize,
    pub(crate) resolved: usize,
    pub(crate) attempts: u32,
    pub(crate) seconds: f64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Receiver {
    pub(crate) name: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlertStatus {
    pub(crate) inhibited_by: Vec<String>,
    /// Absent before 0.27.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) muted_by: Option<Vec<String>>,
    pub(crate) silenced_by: Vec<String>,
    pub(crate) state: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PostableAlert {
    pub(crate) annotations: LabelSet,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) ends_at: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) starts_at: String,
    #[serde(rename = "generatorURL", skip_serializing_if = "String::is_empty")]
    pub(crate) generator_url: String,
    pub(crate) labels: LabelSet,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Silence {
    pub(crate) id: String,
    pub(crate) status: SilenceStatus,
    pub(crate) updated_at: String,
    #[serde(default, skip_serializing_if = "LabelSet::is_empty")]
    pub(crate) annotations: LabelSet,
    pub(crate) comment: String,
    pub(crate) created_by: String,
    pub(crate) ends_at: String,
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) starts_at: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SilenceStatus {
    pub(crate) state: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PostableSilence {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) id: String,
    #[serde(default, skip_serializing_if = "LabelSet::is_empty")]
    pub(crate) annotations: LabelSet,
    pub(crate) comment: String,
    pub(crate) created_by: String,
    pub(crate) ends_at: String,
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) starts_at: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Matcher {
    #[serde(default = "yes")]
    pub(crate) is_equal: bool,
    pub(crate) is_regex: bool,
    pub(crate) name: String,
    pub(crate) value: String,
}

/// Old servers do not say `isEqual`, and know no other.
fn yes() -> bool {
    true
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PostedSilence {
    #[serde(rename = "silenceID")]
    pub(crate) id: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    pub(crate) cluster: Cluster,
    pub(crate) config: Config,
    pub(crate) uptime: String,
    pub(crate) version_info: VersionInfo,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Config {
    pub(crate) original: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Cluster {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) peers: Vec<Peer>,
    pub(crate) status: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Peer {
    pub(crate) address: String,
    pub(crate) name: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionInfo {
    pub(crate) branch: String,
    pub(crate) build_date: String,
    pub(crate) build_user: String,
    pub(crate) go_version: String,
    pub(crate) revision: String,
    pub(crate) version: String,
}
