//! Mail, over SMTP.
//!
//! The dialogue is our own: libraries open their sockets themselves, and every byte here goes
//! through `runtime::Network`.

mod address;
mod authentication;
mod message;
mod notifier;
mod smtp;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use settings::{
    decode::{Broken, Section},
    http::{HttpClient, Tls},
    record,
    values::Secret,
};

use crate::{
    Context, Global, Settings,
    build::NewNotifier,
    values::{HostPort, shipped},
};

record! {
    pub struct Config: "email.plain" {
        send_resolved: bool = always,
        to: String,
        from: String,
        hello: String,
        smarthost: HostPort,
        auth_username: String,
        auth_password: Secret,
        auth_password_file: String,
        auth_secret: Secret,
        auth_secret_file: String,
        auth_identity: String,
        headers: BTreeMap<String, String>,
        html: String,
        text: String,
        require_tls: Option<bool>,
        tls_config: Option<Tls>,
        /// Unset: TLS from the first byte on port 465 only.
        force_implicit_tls: Option<bool>,
        threading: Threading,
    }
}

record! {
    /// Mails of one group as one conversation.
    pub struct Threading: "email.ThreadingConfig" {
        enabled: bool,
        thread_by_date: String,
    }
}

impl Section for Threading {}

impl Section for Config {
    fn defaults() -> Config {
        Config { html: shipped("email.default.html"), ..Config::default() }
    }

    fn check(&mut self) -> Result<(), Broken> {
        if self.to.is_empty() {
            return Err("missing to address in email config".into());
        }
        let mut headers = BTreeMap::new();
        for (name, value) in std::mem::take(&mut self.headers) {
            let name = canonical_header(&name);
            if headers.insert(name.clone(), value).is_some() {
                return Err(format!("duplicate header {name:?} in email config").into());
            }
        }
        self.headers = headers;
        if !self.threading.enabled {
            return Ok(());
        }
        for name in ["References", "In-Reply-To"] {
            if self.headers.contains_key(name) {
                return Err(format!("conflicting configuration: threading.enabled conflicts with custom {name} header").into());
            }
        }
        if !["none", "daily"].contains(&self.threading.thread_by_date.as_str()) {
            return Err("threading.thread_by_date must be either 'none' or 'daily'".into());
        }
        Ok(())
    }
}

/// `x-my-HEADER` as `X-My-Header`; what is no name of a header stays as it is.
fn canonical_header(name: &str) -> String {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !name.bytes().all(is_token) {
        return name.to_owned();
    }
    let mut starts_word = true;
    let canonical = name.chars().map(|c| {
        let c = if starts_word { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        starts_word = c == '-';
        c
    });
    canonical.collect()
}

impl Settings for Config {
    const NAME: &'static str = "email";

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn http(&mut self) -> Option<&mut Option<HttpClient>> {
        None
    }

    fn inherit(&mut self, global: &Global) -> Result<(), Broken> {
        let or = |own: &mut String, global: &str| {
            if own.is_empty() {
                global.clone_into(own);
            }
        };
        if self.tls_config.is_none() {
            self.tls_config.clone_from(&global.smtp_tls_config);
        }
        if self.smarthost == HostPort::default() {
            self.smarthost.clone_from(&global.smtp_smarthost);
        }
        if self.smarthost == HostPort::default() {
            return Err("no global SMTP smarthost set".into());
        }
        or(&mut self.from, &global.smtp_from);
        if self.from.is_empty() {
            return Err("no global SMTP from set".into());
        }
        or(&mut self.hello, &global.smtp_hello);
        or(&mut self.auth_username, &global.smtp_auth_username);
        if self.auth_password.is_empty() && self.auth_password_file.is_empty() {
            self.auth_password.clone_from(&global.smtp_auth_password);
            self.auth_password_file.clone_from(&global.smtp_auth_password_file);
        }
        if self.auth_secret.is_empty() && self.auth_secret_file.is_empty() {
            self.auth_secret.clone_from(&global.smtp_auth_secret);
            self.auth_secret_file.clone_from(&global.smtp_auth_secret_file);
        }
        or(&mut self.auth_identity, &global.smtp_auth_identity);
        let defaults = [
            ("Subject", shipped("email.default.subject")),
            ("To", self.to.clone()),
            ("From", self.from.clone()),
        ];
        for (name, value) in defaults {
            self.headers.entry(name.to_owned()).or_insert(value);
        }
        self.require_tls.get_or_insert(global.smtp_require_tls);
        self.force_implicit_tls = self.force_implicit_tls.or(global.smtp_force_implicit_tls);
        Ok(())
    }

    fn notifier(&self, context: &Context) -> NewNotifier {
        notifier::new(self, context)
    }
}
