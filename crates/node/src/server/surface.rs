//! What the API sees of the components: an adapter each.

mod admin;
mod engine;
mod rules;
mod status;
mod targets;

pub(super) use admin::AdminAdapter;
pub(super) use engine::EngineAdapter;
pub(super) use rules::RulesAdapter;
pub(super) use status::StatusAdapter;
pub(super) use targets::TargetsAdapter;
