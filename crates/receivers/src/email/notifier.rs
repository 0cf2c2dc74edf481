use std::sync::Arc;

use alertmanager::{
    Template, Time,
    integration::{Notification, NotifyError},
};
use runtime::{BoxFuture, Runtime};
use settings::values::Secret;
use transport::client::{Tls, start_tls};

use super::{Config, address, authentication::Mechanism, message::Mail, smtp::Session};
use crate::{
    Context,
    build::{NewNotifier, Notifier},
    http_config,
    sender::{Texts, context},
};

struct Mailer {
    config: Config,
    template: Arc<Template>,
    runtime: Runtime,
    tls: Tls,
    host_name: String,
}

/// What is to be sent, and to whom.
struct Letter {
    from: String,
    to: Vec<String>,
    text: String,
}

pub(super) fn new(config: &Config, context: &Context) -> NewNotifier {
    let tls = match &config.tls_config {
        Some(tls) => http_config::tls(tls)?,
        None => Tls::default(),
    };
    let uname = rustix::system::uname();
    let host_name = match uname.nodename().to_string_lossy() {
        name if name.is_empty() => "localhost.localdomain".to_owned(),
        name => name.into_owned(),
    };
    Ok(Box::new(Mailer {
        config: config.clone(),
        template: context.template.clone(),
        runtime: context.runtime.clone(),
        tls,
        host_name,
    }))
}

impl Notifier for Mailer {
    fn notify<'a>(
        &'a self,
        notification: &'a Notification,
    ) -> BoxFuture<'a, Result<(), NotifyError>> {
        Box::pin(async move {
            // Before anything is said: upstream may send half a mail when a template is broken.
            let letter = self.letter(notification)?;
            self.deliver(&letter).await.map_err(NotifyError::transient)
        })
    }
}

impl Config {
    /// Whether TLS begins with the first byte.
    pub(super) fn is_implicit_tls(&self) -> bool {
        self.force_implicit_tls.unwrap_or(self.smarthost.port == "465")
    }
}

impl Mailer {
    fn letter(&self, notification: &Notification) -> Result<Letter, NotifyError> {
        let texts = Texts { template: &self.template, data: self.template.data(notification) };
        let config = &self.config;
        let from = texts.text(&config.from).map_err(context("execute 'from' template"))?;
        let to = texts.text(&config.to).map_err(context("execute 'to' template"))?;
        let addresses = |what: &str, list: &str| {
            address::parse_list(list).map_err(|error| {
                NotifyError::permanent(format!("parse '{what}' addresses: {error}"))
            })
        };
        let from = addresses("from", &from)?;
        let [from] = from.as_slice() else {
            let count = from.len();
            return Err(NotifyError::permanent(format!(
                "must be exactly one 'from' address (got: {count})"
            )));
        };
        let to = addresses("to", &to)?;
        let mut parts = Vec::new();
        if !config.text.is_empty() {
            let text = texts.text(&config.text).map_err(context("execute text template"))?;
            parts.push(("text/plain", text));
        }
        if !config.html.is_empty() {
            let html = texts.html(&config.html).map_err(context("execute html template"))?;
            parts.push(("text/html", html));
        }
        let mut random = [0; 30];
        self.runtime.random.fill(&mut random);
        let boundary = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let mail = Mail { headers: self.headers(&texts, notification)?, parts, boundary };
        Ok(Letter { from: from.clone(), to, text: mail.print() })
    }

    fn headers(
        &self,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<Vec<(String, String)>, NotifyError> {
        let mut headers = Vec::new();
        for (name, template) in &self.config.headers {
            let value = texts
                .text(template)
                .map_err(context(&format!("execute {name:?} header template")))?;
            headers.push((name.clone(), value));
        }
        let now = Time::now(&*self.runtime.clock);
        let zoned = gotemplate::Time(now.to_zoned());
        if !self.config.headers.contains_key("Message-Id") {
            let (nanos, number) = (now.as_nanos(), self.runtime.random.u64());
            let id = format!("<{nanos}.{number}@{}>", self.host_name);
            headers.push(("Message-Id".to_owned(), id));
        }
        if self.config.threading.enabled {
            let day = match self.config.threading.thread_by_date.as_str() {
                "none" => String::new(),
                _ => zoned.format("2006-01-02"),
            };
            // No mail has that id, but all of the group refer to it.
            let hash: String = notification.group_key_hash().chars().take(16).collect();
            let root = format!("<alert-{hash}-{day}@alertmanager>");
            headers.push(("References".to_owned(), root.clone()));
            headers.push(("In-Reply-To".to_owned(), root));
        }
        headers.push(("Date".to_owned(), zoned.format("Mon, 02 Jan 2006 15:04:05 -0700")));
        Ok(headers)
    }

    /// Every failure from here on is worth another attempt.
    async fn deliver(&self, letter: &Letter) -> Result<(), String> {
        let doing = |what: &'static str| move |error: String| format!("{what}: {error}");
        let mut session = self.connect().await?;
        if let Some(mechanisms) = session.extension("AUTH").map(str::to_owned)
            && let Some(mechanism) =
                self.mechanism(&mechanisms).await.map_err(doing("find auth mechanism"))?
        {
            let authenticated = session.authenticate(&mechanism).await;
            authenticated.map_err(|error| format!("{} auth: {error}", mechanism.go_type()))?;
        }
        session.mail_from(&letter.from).await.map_err(doing("send MAIL command"))?;
        for address in &letter.to {
            session.recipient(address).await.map_err(doing("send RCPT command"))?;
        }
        session.start_data().await.map_err(doing("send DATA command"))?;
        session.data(&letter.text).await.map_err(doing("delivery failure"))?;
        session.quit().await;
        Ok(())
    }

    /// Connects, with TLS as the settings ask for it, and says hello.
    async fn connect(&self) -> Result<Session, String> {
        let config = &self.config;
        let (host, address) = (&config.smarthost.host, config.smarthost.to_string());
        let is_implicit = config.is_implicit_tls();
        let what = if is_implicit { "establish TLS connection" } else { "establish connection" };
        let failed = |error: String| format!("{what} to server: {error}");
        let stream = self.runtime.network.connect(&address).await;
        let mut stream = stream.map_err(|error| failed(format!("dial tcp {address}: {error}")))?;
        if is_implicit {
            let tls = start_tls(self.tls.clone(), &self.runtime, host, stream).await;
            stream = tls.map_err(|error| failed(error.to_string()))?;
        }
        let session = Session::open(stream, host, is_implicit).await;
        let mut session = session.map_err(|error| format!("create SMTP client: {error}"))?;
        let hello = if config.hello.is_empty() { "localhost" } else { &config.hello };
        session.hello(hello).await.map_err(|error| format!("send EHLO command: {error}"))?;
        if !config.require_tls.unwrap_or(true) || is_implicit {
            return Ok(session);
        }
        if session.extension("STARTTLS").is_none() {
            return Err(format!(
                "'require_tls' is true (default) but {address:?} does not advertise the STARTTLS extension"
            ));
        }
        let session = session.start_tls(self.tls.clone(), &self.runtime, hello).await;
        session.map_err(|error| format!("send STARTTLS command: {error}"))
    }

    /// The first of the server's mechanisms for which there is all that it needs; `None` if we
    /// are nobody.
    async fn mechanism(&self, offered: &str) -> Result<Option<Mechanism>, String> {
        let config = &self.config;
        if config.auth_username.is_empty() {
            return Ok(None);
        }
        let username = config.auth_username.clone();
        let mut errors = Vec::new();
        for name in offered.split(' ') {
            let credentials = match name {
                "CRAM-MD5" => self.credentials(&config.auth_secret, &config.auth_secret_file).await,
                "PLAIN" | "LOGIN" => {
                    self.credentials(&config.auth_password, &config.auth_password_file).await
                }
                _ => Err(format!("unknown auth mechanism: {name}")),
            };
            match (name, credentials) {
                (_, Err(error)) => errors.push(error),
                ("CRAM-MD5", Ok(secret)) if !secret.is_empty() => {
                    return Ok(Some(Mechanism::CramMd5 { username, secret }));
                }
                ("PLAIN", Ok(password)) if !password.is_empty() => {
                    let identity = config.auth_identity.clone();
                    return Ok(Some(Mechanism::Plain { identity, username, password }));
                }
                ("LOGIN", Ok(password)) if !password.is_empty() => {
                    return Ok(Some(Mechanism::Login { username, password }));
                }
                (name, Ok(_)) => {
                    let what = if name == "CRAM-MD5" { "secret" } else { "password" };
                    errors.push(format!("missing {what} for {name} auth mechanism"));
                }
            }
        }
        Err(errors.join("\n"))
    }

    async fn credentials(&self, text: &Secret, path: &str) -> Result<String, String> {
        if path.is_empty() {
            return Ok(text.0.clone());
        }
        let read = crate::client::read_file(&self.runtime, path).await;
        read.map_err(|error| format!("could not read {path}: {error}"))
    }
}
