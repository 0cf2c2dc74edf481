//! `/admin/tsdb/*`: what changes the storage. Off unless asked for.

use std::sync::Arc;

use axum::extract::State;
use model::{Matcher, TimeRange};

use super::{
    Api, language,
    params::{Form, parse_bool},
    respond::{Error, ErrorKind, Result, Success, blocking},
    status::TsdbError,
};

/// What the administrator may do to the storage. Calls may take long.
pub trait Admin: Send + Sync {
    /// Gives the name of the directory below `snapshots/`.
    fn snapshot(&self, with_head: bool) -> Result<String, TsdbError>;

    fn delete_series(&self, range: TimeRange, matchers: &[Matcher]) -> Result<(), TsdbError>;

    fn clean_tombstones(&self) -> Result<(), TsdbError>;
}

pub(super) async fn snapshot(State(api): State<Arc<Api>>, form: Form) -> Result {
    let admin = admin(&api)?;
    let skip_head = parse_bool(form.first("skip_head")).map_err(|reason| {
        Error::bad_parameter("skip_head", format!("unable to parse boolean: {reason}"))
    })?;
    blocking(move || {
        let name = admin.snapshot(!skip_head)?;
        Ok(Success::object(|data| data.string("name", &name)))
    })
    .await
}

pub(super) async fn delete_series(State(api): State<Arc<Api>>, form: Form) -> Result {
    let admin = admin(&api)?;
    form.whole().map_err(Error::bad_data)?;
    let selectors: Vec<&str> = form.all("match[]").collect();
    if selectors.is_empty() {
        return Err(Error::bad_data("no match[] parameter provided"));
    }
    let range = form.range()?;
    let sets: Vec<Vec<Matcher>> = selectors
        .into_iter()
        .map(language::parse_selector)
        .collect::<Result<_, _>>()
        .map_err(|reason| Error::bad_parameter("match[]", reason))?;
    blocking(move || {
        for matchers in &sets {
            admin.delete_series(range, matchers)?;
        }
        Ok(Success::none())
    })
    .await
}

pub(super) async fn clean_tombstones(State(api): State<Arc<Api>>) -> Result {
    let admin = admin(&api)?;
    blocking(move || {
        admin.clean_tombstones()?;
        Ok(Success::none())
    })
    .await
}

fn admin(api: &Api) -> Result<Arc<dyn Admin>> {
    api.admin.clone().ok_or_else(|| Error::new(ErrorKind::Unavailable, "admin APIs disabled"))
}
