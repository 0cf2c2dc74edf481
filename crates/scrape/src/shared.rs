//! Scrapes that several servers share: one asks the target, all take in what it answered.

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use model::Timestamp;
use runtime::BoxFuture;
use transport::client::Response;

use crate::fetch::FetchError;

/// Servers with the same targets that act as one. They scrape each target in the same slots, and
/// only one of them asks it.
pub trait Sharing: Send + Sync {
    /// Servers under one name scrape in the same slots.
    fn name(&self) -> String;

    /// Whether this server is to have the samples of the target.
    fn holds(&self, target: u64) -> bool;

    /// The answer of a target for the slot that began at `slot`: asked for with `ask`, or by
    /// another server, which then may take as long as `limit`. Nothing if the slot is to be left
    /// out.
    fn turn<'a>(
        &'a self,
        target: u64,
        slot: Timestamp,
        limit: Duration,
        ask: BoxFuture<'a, SharedAnswer>,
    ) -> BoxFuture<'a, Option<SharedAnswer>>;
}

/// An answer as it travels between servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedAnswer {
    /// Whether another server may try whether it gets a better one.
    pub has_failed: bool,
    pub bytes: Bytes,
}

impl SharedAnswer {
    /// Nobody asked in time.
    pub(crate) fn missed() -> SharedAnswer {
        SharedAnswer { has_failed: true, bytes: Bytes::new() }
    }
}

/// What a target answered, and how long that took.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) took: Duration,
    pub(crate) outcome: Result<Response, FetchError>,
}

/// The kinds of outcomes, as bytes.
const BODY: u8 = 0;
const TOO_LARGE: u8 = 1;
const FAILED: u8 = 2;

impl Answer {
    /// The time in nanoseconds, the kind, then: two headers, each after its length, and the body as
    /// it was received; or the words of the error.
    pub(crate) fn share(&self) -> SharedAnswer {
        let nanos = self.took.as_nanos() as u64;
        let mut bytes = nanos.to_be_bytes().to_vec();
        match &self.outcome {
            Ok(response) => {
                bytes.push(BODY);
                for name in [CONTENT_TYPE, CONTENT_ENCODING] {
                    let value = response.headers.get(name).map_or(&b""[..], HeaderValue::as_bytes);
                    // No header is longer: the client takes none.
                    bytes.extend((value.len() as u32).to_be_bytes());
                    bytes.extend(value);
                }
                bytes.extend(&response.body);
            }
            Err(FetchError::BodyTooLarge) => bytes.push(TOO_LARGE),
            Err(error) => {
                bytes.push(FAILED);
                bytes.extend(error.to_string().as_bytes());
            }
        }
        SharedAnswer { has_failed: self.outcome.is_err(), bytes: bytes.into() }
    }

    /// What another server has shared; what cannot be read is a scrape that failed.
    pub(crate) fn read(shared: &SharedAnswer) -> Answer {
        Answer::try_read(shared.bytes.clone()).unwrap_or_else(|| Answer {
            took: Duration::ZERO,
            outcome: Err(FetchError::Refused(
                "another member shared an answer that cannot be read".to_owned(),
            )),
        })
    }

    fn try_read(mut bytes: Bytes) -> Option<Answer> {
        let nanos = take(&mut bytes, 8)?;
        let took = Duration::from_nanos(u64::from_be_bytes(nanos[..].try_into().ok()?));
        let kind = take(&mut bytes, 1)?[0];
        let outcome = match kind {
            BODY => {
                let mut headers = HeaderMap::new();
                for name in [CONTENT_TYPE, CONTENT_ENCODING] {
                    let len = take(&mut bytes, 4)?;
                    let len = u32::from_be_bytes(len[..].try_into().ok()?);
                    let value = take(&mut bytes, len as usize)?;
                    if !value.is_empty() {
                        headers.insert(name, HeaderValue::from_maybe_shared(value).ok()?);
                    }
                }
                Ok(Response { status: StatusCode::OK, headers, body: bytes })
            }
            TOO_LARGE => Err(FetchError::BodyTooLarge),
            FAILED => Err(FetchError::Refused(String::from_utf8_lossy(&bytes).into_owned())),
            _ => return None,
        };
        Some(Answer { took, outcome })
    }
}

fn take(bytes: &mut Bytes, len: usize) -> Option<Bytes> {
    (len <= bytes.len()).then(|| bytes.split_to(len))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(content_type: &'static str, body: &'static str) -> Result<Response, FetchError> {
        let headers = [(CONTENT_TYPE, HeaderValue::from_static(content_type))];
        Ok(Response {
            status: StatusCode::OK,
            headers: headers.into_iter().collect(),
            body: Bytes::from_static(body.as_bytes()),
        })
    }

    fn check(outcome: Result<Response, FetchError>, expected: &str) {
        let shared = Answer { took: Duration::from_millis(3), outcome }.share();
        let read = Answer::read(&shared);
        assert_eq!(read.took, Duration::from_millis(3));
        assert_eq!(read.outcome.is_err(), shared.has_failed);
        let shown = match read.outcome {
            Ok(response) => format!("{:?} {:?}", response.headers, response.body),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn answers_travel() {
        check(body("text/plain", "a 1\n"), r#"{"content-type": "text/plain"} b"a 1\n""#);
        check(Err(FetchError::BodyTooLarge), "body size limit exceeded");
        let status = FetchError::Status(StatusCode::NOT_FOUND);
        check(Err(status), "server returned HTTP status 404 Not Found");
    }

    #[test]
    fn any_bytes_are_read_without_harm() {
        let whole = Answer { took: Duration::ZERO, outcome: body("text/plain", "a 1\n") }.share();
        for len in 0..whole.bytes.len() {
            let bytes = whole.bytes.slice(..len);
            Answer::read(&SharedAnswer { has_failed: false, bytes });
        }
    }
}
