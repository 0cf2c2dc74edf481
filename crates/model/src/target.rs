use crate::Labels;

/// Targets that were discovered together and share labels.
///
/// `targets` hold what tells them apart, at least `__address__`; a target's own label wins over
/// one of the group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetGroup {
    pub targets: Vec<Labels>,
    pub labels: Labels,
    /// Tells the group apart from the others of its provider: a newer one of the same source
    /// replaces it.
    pub source: String,
}
