//! What chats share that are told through the webhook of a channel: its address, which is a secret
//! and may stand in a file.

use alertmanager::integration::NotifyError;
use serde::Serialize;
use settings::decode::Broken;
use transport::client::Response;

use crate::{
    client::check_status,
    integration::{at_most_one, exactly_one},
    payload::to_go_json,
    sender::Sender,
    values::SecretUrl,
};

const URL: &str = "webhook_url";
const FILE: &str = "webhook_url_file";

/// `webhook_url` and `webhook_url_file` of a section.
pub(crate) struct Hook<'a> {
    pub(crate) url: &'a Option<SecretUrl>,
    pub(crate) file: &'a str,
}

impl Hook<'_> {
    /// For who has no global address to fall back on.
    pub(crate) fn check(&self) -> Result<(), Broken> {
        exactly_one(self.url.is_some(), URL, !self.file.is_empty(), FILE)
    }

    /// For who has.
    pub(crate) fn check_optional(&self) -> Result<(), Broken> {
        at_most_one(self.url.is_some(), URL, !self.file.is_empty(), FILE)
    }

    pub(crate) async fn send(
        &self,
        sender: &Sender,
        message: &impl Serialize,
    ) -> Result<Response, NotifyError> {
        let body = to_go_json(message);
        let url = sender.url(self.url, self.file, FILE).await?;
        sender.http.post_json(&url, body).await
    }

    /// The same, where an answer means what its status says.
    pub(crate) async fn post(
        &self,
        sender: &Sender,
        message: &impl Serialize,
    ) -> Result<(), NotifyError> {
        check_status(&self.send(sender, message).await?, &[])
    }
}
