pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a configuration cannot be applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("error creating HTTP client for job {job:?}: {source}")]
    Client { job: String, source: transport::client::Error },
    #[error("open scrape failure log {}: {source}", .path.display())]
    FailureLog { path: std::path::PathBuf, source: std::io::Error },
}
