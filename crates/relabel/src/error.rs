use model::labels::quote;

use crate::Action;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a rule makes no sense. The texts are upstream's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("relabel action cannot be empty")]
    ActionMissing,
    #[error("unknown relabel action {}", quote(.0))]
    ActionUnknown(String),
    #[error("relabel configuration for hashmod requires non-zero modulus")]
    ModulusMissing,
    #[error(
        "relabel configuration for {} action requires 'target_label' value",
        .0.as_str()
    )]
    TargetMissing(Action),
    #[error("{} is invalid 'target_label' for {} action", quote(.1), .0.as_str())]
    TargetInvalid(Action, String),
    #[error("'replacement' can not be set for {} action", .0.as_str())]
    ReplacementSet(Action),
    #[error("{} is invalid 'replacement' for {} action", quote(.1), .0.as_str())]
    ReplacementInvalid(Action, String),
    #[error(
        "{} action requires only 'source_labels' and `target_label`, and no other fields",
        .0.as_str()
    )]
    OnlySourceAndTarget(Action),
    #[error("{} action requires only 'regex', and no other fields", .0.as_str())]
    OnlyRegex(Action),
    #[error(transparent)]
    Regex(#[from] re2::Error),
}
