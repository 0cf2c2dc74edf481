use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use super::{World, ask, post, refused, text};
use crate::client::{
    Google, OAuth2, Request, Result,
    oauth2::{JWT_BEARER, assertion},
};

const MACHINE: &str =
    "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token";
const REFRESH: &str = "https://oauth2.googleapis.com/token";
/// Where `gcloud auth application-default login` leaves its file, below the home directory.
const WELL_KNOWN: &str = ".config/gcloud/application_default_credentials.json";

/// What to send for a token of `google`.
pub(super) fn request(google: &Google, world: &World) -> Result<Request> {
    let Some(path) = credentials_file(google, world) else {
        let scopes: String = byte_serialize(google.scope.as_bytes()).collect();
        return ask(&format!("{MACHINE}?scopes={scopes}"), ("metadata-flavor", "Google"));
    };
    let what = format!("google credentials {path}");
    let file: Value = serde_json::from_str(&world.read(&path)?)
        .map_err(|error| refused(&what, error.to_string()))?;
    match text(&file, "type") {
        "service_account" => {
            let account = OAuth2 {
                client_id: text(&file, "client_email").to_owned(),
                client_certificate_key_id: text(&file, "private_key_id").to_owned(),
                token_url: text(&file, "token_uri").to_owned(),
                scopes: vec![google.scope.clone()],
                ..OAuth2::default()
            };
            let (now, id) = world.moment();
            let assertion = assertion::sign(&account, text(&file, "private_key"), now, id)?;
            let form = [("grant_type", JWT_BEARER), ("assertion", &assertion)];
            post(&account.token_url, &form)
        }
        "authorized_user" => post(
            REFRESH,
            &[
                ("grant_type", "refresh_token"),
                ("client_id", text(&file, "client_id")),
                ("client_secret", text(&file, "client_secret")),
                ("refresh_token", text(&file, "refresh_token")),
            ],
        ),
        other => Err(refused(&what, format!("credentials of type {other:?} are not supported"))),
    }
}

/// In the order in which Google's own programs look.
fn credentials_file(google: &Google, world: &World) -> Option<String> {
    if !google.credentials_file.as_os_str().is_empty() {
        return Some(google.credentials_file.to_string_lossy().into_owned());
    }
    let well_known = || {
        let path = format!("{}/{WELL_KNOWN}", world.variable("HOME")?);
        world.runtime.disk.exists(path.as_ref()).then_some(path)
    };
    world.variable("GOOGLE_APPLICATION_CREDENTIALS").or_else(well_known)
}
