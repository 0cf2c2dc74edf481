//! Texts that must not be shown, read where they lie.

use runtime::Runtime;

use super::{Error, Result, Secret};

pub(super) async fn reveal(runtime: &Runtime, secret: &Secret) -> Result<String> {
    let path = match secret {
        Secret::Inline(text) => return Ok(text.clone()),
        Secret::File(path) => path.clone(),
    };
    let what = format!("file {}", path.display());
    let disk = runtime.disk.clone();
    let read = tokio::task::spawn_blocking(move || disk.read_to_string(&path)).await;
    match read.map_err(std::io::Error::other).flatten() {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) => Err(Error::Config { what, reason: error.to_string() }),
    }
}

/// Empty for none.
pub(super) async fn reveal_option(runtime: &Runtime, secret: Option<&Secret>) -> Result<String> {
    match secret {
        Some(secret) => reveal(runtime, secret).await,
        None => Ok(String::new()),
    }
}
