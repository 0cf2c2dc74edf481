use model::TargetGroup;

use crate::file;

/// One entry of `*_sd_configs` or `static_configs`: a mechanism with its settings.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Config {
    /// All groups of one `static_configs`.
    Static(Vec<TargetGroup>),
    File(file::Config),
}

impl Config {
    /// The mechanism's name in metrics and logs.
    pub fn mechanism(&self) -> &'static str {
        match self {
            Config::Static(_) => "static",
            Config::File(_) => "file",
        }
    }
}
