//! What the settings of all integrations have in common.

use settings::{
    decode::{Broken, Section, Setting},
    http::HttpClient,
};

use crate::{Context, Global, build::NewNotifier, values::HttpUrl};

/// One entry of an integration's list: `slack_configs`, `webhook_configs`, …
pub trait Settings: Section + Setting {
    /// What the notification log and the metrics call the integration.
    const NAME: &'static str;

    fn send_resolved(&self) -> bool;

    /// `http_config`, for those that speak HTTP.
    fn http(&mut self) -> Option<&mut Option<HttpClient>>;

    /// Fills in from `global` what is not set here; an error if it is set in neither place.
    fn inherit(&mut self, global: &Global) -> Result<(), Broken> {
        if let Some(http) = self.http() {
            global.lend_http(http);
        }
        Ok(())
    }

    /// Makes what sends the notifications.
    #[doc(hidden)]
    fn notifier(&self, context: &Context) -> NewNotifier;
}

pub(crate) fn at_most_one(
    has_first: bool,
    first: &str,
    has_second: bool,
    second: &str,
) -> Result<(), Broken> {
    if has_first && has_second {
        return Err(format!("at most one of {first} & {second} must be configured").into());
    }
    Ok(())
}

pub(crate) fn exactly_one(
    has_first: bool,
    first: &str,
    has_second: bool,
    second: &str,
) -> Result<(), Broken> {
    if !has_first && !has_second {
        return Err(format!("one of {first} or {second} must be configured").into());
    }
    at_most_one(has_first, first, has_second, second)
}

/// `service` is as upstream's message spells it.
pub(crate) fn inherit_url(
    url: &mut Option<HttpUrl>,
    global: &Option<HttpUrl>,
    service: &str,
) -> Result<(), Broken> {
    if url.is_none() {
        url.clone_from(global);
    }
    match url {
        Some(_) => Ok(()),
        None => Err(format!("no global {service} URL set").into()),
    }
}

/// As [`inherit_url`], for URLs to which more of the path is appended.
pub(crate) fn inherit_url_with_slash(
    url: &mut Option<HttpUrl>,
    global: &Option<HttpUrl>,
    service: &str,
) -> Result<(), Broken> {
    inherit_url(url, global, service)?;
    *url = url.as_ref().map(HttpUrl::with_slash);
    Ok(())
}
