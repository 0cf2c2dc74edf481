//! Parameters of the v2 API in the URL.

use std::convert::Infallible;

use ::alertmanager::{
    Matcher,
    matcher::{self, Mode},
};
use axum::{extract::FromRequestParts, http::request::Parts};

use super::respond::{Error, Result};

/// The parameters of the URL, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The last one counts; nothing if it is empty.
    pub(super) fn last(&self, name: &str) -> Option<&str> {
        self.all(name).last().filter(|value| !value.is_empty())
    }

    /// True unless said otherwise. What is no word for yes is no.
    pub(super) fn flag(&self, name: &str) -> bool {
        const YES: [&str; 10] =
            ["true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"];
        self.last(name).is_none_or(|value| YES.contains(&value.to_lowercase().as_str()))
    }

    pub(super) fn matchers(&self, name: &str, mode: Mode) -> Result<Vec<Matcher>> {
        let parse = |text| mode.parse_matcher(text, "api");
        let parsed: Result<Vec<Matcher>, matcher::Error> = self.all(name).map(parse).collect();
        parsed.map_err(|error| Error::bad_request(error.to_string()))
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Query, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        Ok(Query(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()))
    }
}
