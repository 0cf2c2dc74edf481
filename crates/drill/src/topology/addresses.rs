/// Where everything listens. What others are told of a member or the remote end (`known`) is a
/// proxy in front of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Addresses {
    pub(crate) members: Vec<Member>,
    pub(crate) remote: String,
    pub(crate) remote_known: String,
    pub(crate) alertmanagers: Vec<Alertmanager>,
    pub(crate) webhook: String,
    pub(crate) targets: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) web: String,
    pub(crate) gossip: String,
    pub(crate) gossip_known: String,
    pub(crate) store: String,
    pub(crate) store_known: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Alertmanager {
    pub(crate) web: String,
    pub(crate) gossip: String,
}
