use crate::{Labels, Timestamp};

/// An alert as it travels from a server to an Alertmanager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Tell one alert from another.
    pub labels: Labels,
    pub annotations: Labels,
    pub starts_at: Timestamp,
    /// When it is over, or will be if nobody repeats it.
    pub ends_at: Timestamp,
    pub generator_url: String,
}
