//! Ways to say who we are to a mail server.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use md5::{Digest as _, Md5};

/// A way, with what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mechanism {
    CramMd5 { username: String, secret: String },
    Plain { identity: String, username: String, password: String },
    Login { username: String, password: String },
}

impl Mechanism {
    /// The type's name in upstream's errors.
    pub(crate) fn go_type(&self) -> &'static str {
        match self {
            Mechanism::CramMd5 { .. } => "*smtp.cramMD5Auth",
            Mechanism::Plain { .. } => "*smtp.plainAuth",
            Mechanism::Login { .. } => "*email.loginAuth",
        }
    }

    /// The command that begins it.
    pub(crate) fn start(&self) -> String {
        match self {
            Mechanism::CramMd5 { .. } => "AUTH CRAM-MD5".to_owned(),
            Mechanism::Plain { identity, username, password } => {
                let response = format!("{identity}\0{username}\0{password}");
                format!("AUTH PLAIN {}", BASE64_STANDARD.encode(response))
            }
            Mechanism::Login { .. } => "AUTH LOGIN".to_owned(),
        }
    }

    /// The answer to a challenge of the server, both in base64.
    pub(crate) fn answer(&self, challenge: &str) -> Result<String, String> {
        let challenge = BASE64_STANDARD.decode(challenge.trim()).map_err(|it| it.to_string())?;
        let answer = match self {
            Mechanism::CramMd5 { username, secret } => {
                format!("{username} {}", hmac_md5(secret.as_bytes(), &challenge))
            }
            Mechanism::Login { username, password } => {
                match challenge.to_ascii_lowercase().as_slice() {
                    b"username:" => username.clone(),
                    b"password:" => password.clone(),
                    _ => return Err("unexpected server challenge".to_owned()),
                }
            }
            Mechanism::Plain { .. } => return Err("unexpected server challenge".to_owned()),
        };
        Ok(BASE64_STANDARD.encode(answer))
    }
}

/// HMAC with MD5, in hex digits.
fn hmac_md5(key: &[u8], message: &[u8]) -> String {
    const BLOCK_BYTES: usize = 64;
    let mut block = [0u8; BLOCK_BYTES];
    let hashed = Md5::digest(key);
    let key = if key.len() > BLOCK_BYTES { hashed.as_slice() } else { key };
    block.iter_mut().zip(key).for_each(|(byte, key)| *byte = *key);
    let inner = Md5::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message);
    let outer = Md5::new().chain_update(block.map(|byte| byte ^ 0x5c));
    let hash = outer.chain_update(inner.finalize()).finalize();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::hmac_md5;

    #[test]
    fn hmac_is_that_of_rfc_2202() {
        assert_eq!(
            hmac_md5(b"Jefe", b"what do ya want for nothing?"),
            "750c783e6ab0b503eaa86e310a5db738"
        );
        assert_eq!(
            hmac_md5(&[0xaa; 80], b"Test Using Larger Than Block-Size Key - Hash Key First"),
            "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"
        );
    }
}
