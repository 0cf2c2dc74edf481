//! What stands between the network and the router: TLS, users, headers and a rate.
//!
//! The settings come from a file that is looked at with each connection and each request, as are
//! the certificates: who changes them waits for nothing.

mod rate;
mod settings;
#[cfg(test)]
mod tests;
mod tls;
mod users;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::body::Body;
use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, WWW_AUTHENTICATE},
};
use parking_lot::Mutex;
use runtime::Runtime;
pub use settings::{ClientAuth, Rate, Settings, Tls};
use tracing::{error, warn};

use self::{rate::Bucket, users::Users};
use crate::client::Secret;

/// What the settings are read from: the text of the file, and the folder that it lies in.
pub type Parse = fn(text: &str, folder: &Path) -> Result<Settings, String>;

/// Lets in who may come in.
pub struct Guard {
    path: PathBuf,
    parse: Parse,
    runtime: Runtime,
    /// As of the start; upstream does not change these while it runs, either.
    speaks_tls: bool,
    speaks_http2: bool,
    /// No other lock is taken while one of these is held.
    settings: Mutex<Known<Settings>>,
    tls: Mutex<Known<rustls::ServerConfig>>,
    bucket: Mutex<Bucket>,
    users: Users,
}

/// What was read last, and what the files were then.
struct Known<T> {
    stamps: Vec<Stamp>,
    value: Result<Arc<T>, String>,
}

/// Changes when the file does; nothing for a file that cannot be seen.
type Stamp = Option<(u64, i64)>;

impl Guard {
    /// Reads the file at `path`; the error says what is wrong with it.
    pub fn new(path: &Path, parse: Parse, runtime: Runtime) -> Result<Guard, String> {
        let never = || Known { stamps: Vec::new(), value: Err("not read yet".to_owned()) };
        let mut guard = Guard {
            path: path.to_owned(),
            parse,
            runtime,
            speaks_tls: false,
            speaks_http2: true,
            settings: Mutex::new(never()),
            tls: Mutex::new(Known { stamps: Vec::new(), value: Err("not read yet".to_owned()) }),
            bucket: Mutex::default(),
            users: Users::default(),
        };
        let settings = guard.settings()?;
        guard.speaks_tls = settings.tls.is_some();
        guard.speaks_http2 = settings.http2;
        if guard.speaks_tls {
            guard.server_config()?;
        }
        Ok(guard)
    }

    /// Whether connections begin with a handshake.
    pub fn speaks_tls(&self) -> bool {
        self.speaks_tls
    }

    /// Whether TLS offers HTTP/2.
    pub fn speaks_http2(&self) -> bool {
        self.speaks_http2
    }

    /// How to shake hands with the next client; nothing without TLS.
    pub(super) fn handshake(&self) -> Result<Option<Arc<rustls::ServerConfig>>, String> {
        if self.speaks_tls { self.server_config().map(Some) } else { Ok(None) }
    }

    /// Answers whoever connects: speaks TLS from here on, if the settings say so.
    pub async fn shake_hands(
        &self,
        stream: Box<dyn runtime::network::Stream>,
        limit: Duration,
    ) -> Result<Box<dyn runtime::network::Stream>, String> {
        shake_hands(self, stream, limit).await
    }

    /// The headers to add to the answer of a request; or the answer to whom is not let in.
    pub(super) async fn admit(&self, request: &HeaderMap) -> Result<HeaderMap, Response<Body>> {
        let settings = self.settings().map_err(|reason| {
            error!(path = %self.path.display(), err = reason, "Unable to parse configuration");
            refuse(StatusCode::INTERNAL_SERVER_ERROR)
        })?;
        let now = self.runtime.clock.monotonic();
        let is_too_fast =
            settings.rate.as_ref().is_some_and(|rate| !self.bucket.lock().take(rate, now));
        if is_too_fast {
            return Err(refuse(StatusCode::TOO_MANY_REQUESTS));
        }
        let mut added = HeaderMap::new();
        for (name, value) in &settings.headers {
            if let (Ok(name), Ok(value)) =
                (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
            {
                added.insert(name, value);
            }
        }
        if settings.users.is_empty() || self.users.know(&settings.users, request).await {
            return Ok(added);
        }
        let mut answer = refuse(StatusCode::UNAUTHORIZED);
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
        answer.headers_mut().extend(added);
        Err(answer)
    }

    fn settings(&self) -> Result<Arc<Settings>, String> {
        let stamps = vec![self.stamp(&self.path)];
        self.settings.lock().newest(stamps, || {
            let text = self.runtime.disk.read_to_string(&self.path);
            let text = text.map_err(|error| format!("{}: {error}", self.path.display()))?;
            let folder = self.path.parent().unwrap_or(Path::new(""));
            let settings = (self.parse)(&text, folder)?;
            // Before anybody relies on them.
            if let Some(tls) = &settings.tls {
                tls::server_config(tls, settings.http2, &*self.runtime.disk)?;
            }
            Ok(settings)
        })
    }

    fn server_config(&self) -> Result<Arc<rustls::ServerConfig>, String> {
        let settings = self.settings()?;
        let Some(tls) = &settings.tls else {
            return Err("TLS was taken out of the file; that takes a restart".to_owned());
        };
        let secrets = [Some(&tls.certificate), Some(&tls.key), tls.client_ca.as_ref()];
        let files = secrets.into_iter().flatten().filter_map(|secret| match secret {
            Secret::File(path) => Some(self.stamp(path)),
            Secret::Inline(_) => None,
        });
        let stamps = std::iter::once(self.stamp(&self.path)).chain(files).collect();
        self.tls.lock().newest(stamps, || {
            tls::server_config(tls, self.speaks_http2, &*self.runtime.disk).inspect_err(
                |reason| warn!(path = %self.path.display(), err = reason, "TLS settings are bad"),
            )
        })
    }

    /// A look at a local file takes a microsecond; not worth another thread.
    fn stamp(&self, path: &Path) -> Stamp {
        let metadata = self.runtime.disk.metadata(path).ok()?;
        Some((metadata.len, metadata.modified_ms))
    }
}

impl<T> Known<T> {
    fn newest(
        &mut self,
        stamps: Vec<Stamp>,
        read: impl FnOnce() -> Result<T, String>,
    ) -> Result<Arc<T>, String> {
        if stamps != self.stamps {
            *self = Known { stamps, value: read().map(Arc::new) };
        }
        self.value.clone()
    }
}

/// How long a handshake may take is the limit for a request's head, too.
pub(super) async fn shake_hands(
    guard: &Guard,
    stream: Box<dyn runtime::network::Stream>,
    limit: Duration,
) -> Result<Box<dyn runtime::network::Stream>, String> {
    let Some(config) = guard.handshake()? else { return Ok(stream) };
    let accepting = tokio_rustls::TlsAcceptor::from(config).accept(stream);
    match runtime::clock::timeout(&*guard.runtime.clock, limit, accepting).await {
        Some(Ok(stream)) => Ok(Box::new(stream)),
        Some(Err(error)) => Err(format!("TLS handshake: {error}")),
        None => Err("TLS handshake: it took too long".to_owned()),
    }
}

/// The status and its name, as Go's `http.Error` writes them.
fn refuse(status: StatusCode) -> Response<Body> {
    let text = format!("{}\n", status.canonical_reason().unwrap_or_default());
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}
