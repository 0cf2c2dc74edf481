//! Names and passwords.

use std::collections::{BTreeMap, HashMap};

use aws_lc_rs::digest;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, header::AUTHORIZATION};
use parking_lot::Mutex;

/// Checked pairs that are remembered; as many as upstream remembers.
const REMEMBERED_MAX: usize = 100;
/// The hash of nobody's password: names that do not exist take as long as those that do.
const NOBODY: &str = "$2b$10$lGfizUBRlS5NAQsilGfizOeS5BlutgMWVOr8NfO1yDbwZTgiI3TKC";

/// Checking a password takes a good part of a second by design, so outcomes are remembered: as
/// digests, not as passwords.
#[derive(Default)]
pub(super) struct Users {
    remembered: Mutex<HashMap<[u8; 32], bool>>,
}

impl Users {
    /// Whether the request bears the name and the password of one of `users`.
    pub(super) async fn know(&self, users: &BTreeMap<String, String>, request: &HeaderMap) -> bool {
        let Some((name, password)) =
            request.get(AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(read)
        else {
            return false;
        };
        let hash = users.get(&name).map_or(NOBODY, String::as_str).to_owned();
        let is_user = users.contains_key(&name);
        let key = digest_of(&[&name, &hash, &password]);
        if let Some(known) = self.remembered.lock().get(&key) {
            return *known && is_user;
        }
        let check = move || bcrypt::verify(password, &hash).unwrap_or(false);
        let fits = tokio::task::spawn_blocking(check).await.unwrap_or(false);
        let mut remembered = self.remembered.lock();
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.insert(key, fits);
        fits && is_user
    }
}

/// Name and password of `Basic …`.
fn read(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    decoded.split_once(':').map(|(name, password)| (name.to_owned(), password.to_owned()))
}

fn digest_of(parts: &[&str]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        // With its length, so that no two lists look alike.
        context.update(&part.len().to_le_bytes());
        context.update(part.as_bytes());
    }
    let mut key = [0; 32];
    key.copy_from_slice(context.finish().as_ref());
    key
}
