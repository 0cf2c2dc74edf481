//! Who we are to Google: whoever a file says, or else the machine that we run on.

use std::{path::PathBuf, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use runtime::{Disk, Runtime};
use serde_json::Value;
use transport::client::{Authentication, OAuth2, Secret};
use url::form_urlencoded::Serializer;

use crate::{
    found::get,
    service::{self, Service},
    token::Token,
};

const SCOPE: &str = "https://www.googleapis.com/auth/compute.readonly";
const MACHINE: &str =
    "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token";
const REFRESH: &str = "https://oauth2.googleapis.com/token";
/// Where `gcloud auth application-default login` leaves its file, below the home directory.
const WELL_KNOWN: &str = ".config/gcloud/application_default_credentials.json";

pub(super) enum Access {
    /// A service account signs for itself: the client does that.
    Account(Box<OAuth2>),
    /// Somebody who has logged in.
    User {
        id: String,
        secret: String,
        refresh_token: String,
    },
    Machine,
}

impl Access {
    /// Google's own programs look in the same places, in this order.
    pub(super) fn find(
        disk: &dyn Disk,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Access, String> {
        let named = environment("GOOGLE_APPLICATION_CREDENTIALS").filter(|path| !path.is_empty());
        let well_known = || {
            let path = PathBuf::from(environment("HOME")?).join(WELL_KNOWN);
            disk.exists(&path).then_some(path)
        };
        let Some(path) = named.map(PathBuf::from).or_else(well_known) else {
            return Ok(Access::Machine);
        };
        let bad = |reason: String| format!("read {}: {reason}", path.display());
        let text = disk.read_to_string(&path).map_err(|error| bad(error.to_string()))?;
        let file: Value = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
        Access::of(&file).map_err(bad)
    }

    fn of(file: &Value) -> Result<Access, String> {
        let text = |key| get(file, key).to_owned();
        match get(file, "type") {
            "service_account" => Ok(Access::Account(Box::new(OAuth2 {
                client_id: text("client_email"),
                client_certificate_key: Some(Secret::Inline(text("private_key"))),
                client_certificate_key_id: text("private_key_id"),
                grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned(),
                token_url: text("token_uri"),
                scopes: vec![SCOPE.to_owned()],
                ..OAuth2::default()
            }))),
            "authorized_user" => Ok(Access::User {
                id: text("client_id"),
                secret: text("client_secret"),
                refresh_token: text("refresh_token"),
            }),
            other => Err(format!("credentials of type {other:?} are not supported")),
        }
    }

    /// What the client says by itself.
    pub(super) fn authentication(&self) -> Authentication {
        match self {
            Access::Account(account) => Authentication::OAuth2(account.clone()),
            Access::User { .. } | Access::Machine => Authentication::None,
        }
    }

    /// A token for those for whom the client does not speak.
    pub(super) async fn token(
        &self,
        service: &Service,
        runtime: &Runtime,
    ) -> Result<Token, String> {
        let asked = runtime.clock.monotonic();
        let answer = match self {
            Access::User { id, secret, refresh_token } => {
                let form = Bytes::from({
                    let mut form = Serializer::new(String::new());
                    form.append_pair("grant_type", "refresh_token");
                    form.append_pair("client_id", id).append_pair("client_secret", secret);
                    form.append_pair("refresh_token", refresh_token).finish()
                });
                let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
                let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]);
                service::json(&service.send(Method::POST, REFRESH, headers, form).await?)?
            }
            Access::Account(_) | Access::Machine => {
                let name = HeaderName::from_static("metadata-flavor");
                let google = HeaderValue::from_static("Google");
                service.ask(MACHINE, HeaderMap::from_iter([(name, google)])).await?
            }
        };
        let lifetime = Duration::from_secs(answer["expires_in"].as_u64().unwrap_or_default());
        Ok(Token { value: get(&answer, "access_token").to_owned(), until: asked + lifetime })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use runtime::Simulation;

    use super::*;

    #[test]
    fn credentials_are_where_googles_programs_look() {
        let simulation = Simulation::new(1);
        let disk: &dyn Disk = &simulation.disk;
        disk.create_directories(Path::new("/home/.config/gcloud")).expect("memory has room");
        let check = |environment: &[(&str, &str)], expected: &str| {
            let variable = |name: &str| {
                let found = environment.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            let found = match Access::find(disk, variable) {
                Ok(Access::Account(account)) => format!("account {}", account.client_id),
                Ok(Access::User { id, .. }) => format!("user {id}"),
                Ok(Access::Machine) => "machine".to_owned(),
                Err(reason) => reason,
            };
            assert_eq!(found, expected);
        };
        let write = |path: &str, text: &str| {
            disk.write_atomically(Path::new(path), text.as_bytes()).expect("memory has room");
        };
        check(&[], "machine");
        check(&[("HOME", "/home")], "machine");
        let user = r#"{"type":"authorized_user","client_id":"me","client_secret":"s","refresh_token":"r"}"#;
        write("/home/.config/gcloud/application_default_credentials.json", user);
        check(&[("HOME", "/home")], "user me");
        write("/key", r#"{"type":"service_account","client_email":"a@b"}"#);
        let named = ("GOOGLE_APPLICATION_CREDENTIALS", "/key");
        check(&[("HOME", "/home"), named], "account a@b");
        write("/key", r#"{"type":"external_account"}"#);
        check(&[named], "read /key: credentials of type \"external_account\" are not supported");
    }
}
