pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a template does not parse or run; the words are Go's, with position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("{0}")]
    Parse(String),
    #[error("{0}")]
    Execute(String),
}
