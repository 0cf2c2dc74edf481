//! The dialogue with a mail server.

use std::{collections::BTreeMap, io};

use runtime::{Runtime, network::Stream};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use transport::client::{Tls, start_tls};

use super::authentication::Mechanism;

const LINE_BYTES_MAX: u64 = 4 << 10;
const REPLY_LINES_MAX: usize = 128;

/// An open dialogue.
pub(crate) struct Session {
    stream: BufReader<Box<dyn Stream>>,
    host: String,
    is_tls: bool,
    /// What the server can do, by name in upper case.
    extensions: BTreeMap<String, String>,
}

struct Reply {
    code: u16,
    text: String,
}

impl Session {
    /// Waits for the server's greeting.
    pub(crate) async fn open(
        stream: Box<dyn Stream>,
        host: &str,
        is_tls: bool,
    ) -> Result<Session, String> {
        let stream = BufReader::new(stream);
        let host = host.to_owned();
        let mut session = Session { stream, host, is_tls, extensions: BTreeMap::new() };
        session.expect(220).await?;
        Ok(session)
    }

    pub(crate) async fn hello(&mut self, name: &str) -> Result<(), String> {
        if name.contains(['\r', '\n']) {
            return Err("smtp: A line must not contain CR or LF".to_owned());
        }
        let reply = match self.command(&format!("EHLO {name}"), 250).await {
            Ok(reply) => reply,
            // Servers of old know no EHLO.
            Err(_) => self.command(&format!("HELO {name}"), 250).await?,
        };
        let extensions = reply.lines().skip(1).map(|line| {
            let (name, parameters) = line.split_once(' ').unwrap_or((line, ""));
            (name.to_ascii_uppercase(), parameters.to_owned())
        });
        self.extensions = extensions.collect();
        Ok(())
    }

    /// The parameters of an extension, if the server has it.
    pub(crate) fn extension(&self, name: &str) -> Option<&str> {
        self.extensions.get(name).map(String::as_str)
    }

    /// Goes on with TLS; the server is asked again what it can do.
    pub(crate) async fn start_tls(
        mut self,
        tls: Tls,
        runtime: &Runtime,
        hello: &str,
    ) -> Result<Session, String> {
        self.command("STARTTLS", 220).await?;
        // What came without TLS must not be taken for what comes with it.
        if !self.stream.buffer().is_empty() {
            return Err("the server talks before TLS begins".to_owned());
        }
        let Session { stream, host, .. } = self;
        let stream = start_tls(tls, runtime, &host, stream.into_inner()).await;
        let stream = BufReader::new(stream.map_err(|error| error.to_string())?);
        let mut session = Session { stream, host, is_tls: true, extensions: BTreeMap::new() };
        session.hello(hello).await?;
        Ok(session)
    }

    pub(crate) async fn authenticate(&mut self, mechanism: &Mechanism) -> Result<(), String> {
        let is_plain = matches!(mechanism, Mechanism::Plain { .. });
        let is_local = ["localhost", "127.0.0.1", "::1"].contains(&self.host.as_str());
        if is_plain && !self.is_tls && !is_local {
            return Err("unencrypted connection".to_owned());
        }
        let mut reply = self.exchange(&mechanism.start()).await?;
        while reply.code == 334 {
            match mechanism.answer(&reply.text) {
                Ok(answer) => reply = self.exchange(&answer).await?,
                Err(reason) => {
                    self.exchange("*").await?;
                    return Err(reason);
                }
            }
        }
        reply.must_be(235)?;
        Ok(())
    }

    pub(crate) async fn mail_from(&mut self, address: &str) -> Result<(), String> {
        let mut line = format!("MAIL FROM:<{address}>");
        for (extension, parameter) in [("8BITMIME", " BODY=8BITMIME"), ("SMTPUTF8", " SMTPUTF8")] {
            if self.extension(extension).is_some() {
                line.push_str(parameter);
            }
        }
        self.command(&line, 250).await.map(drop)
    }

    pub(crate) async fn recipient(&mut self, address: &str) -> Result<(), String> {
        let reply = self.exchange(&format!("RCPT TO:<{address}>")).await?;
        if reply.code / 10 == 25 { Ok(()) } else { Err(reply.to_error()) }
    }

    pub(crate) async fn start_data(&mut self) -> Result<(), String> {
        self.command("DATA", 354).await.map(drop)
    }

    pub(crate) async fn data(&mut self, message: &str) -> Result<(), String> {
        let mut out = String::with_capacity(message.len() + 64);
        for line in message.split_inclusive('\n') {
            // A line with a point alone would be the end.
            if line.starts_with('.') {
                out.push('.');
            }
            out.push_str(line);
        }
        out.push_str(".\r\n");
        self.write(out.as_bytes()).await?;
        self.expect(250).await.map(drop)
    }

    /// Says good-bye; whether the server heard it does not matter.
    pub(crate) async fn quit(mut self) {
        self.command("QUIT", 221).await.map(drop).unwrap_or_default();
    }

    async fn command(&mut self, line: &str, code: u16) -> Result<Reply, String> {
        self.exchange(line).await?.must_be(code)
    }

    async fn exchange(&mut self, line: &str) -> Result<Reply, String> {
        self.write(format!("{line}\r\n").as_bytes()).await?;
        self.reply().await
    }

    async fn expect(&mut self, code: u16) -> Result<Reply, String> {
        self.reply().await?.must_be(code)
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let written = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        written.await.map_err(|error: io::Error| error.to_string())
    }

    /// Reads `250-a`, `250-b`, `250 c`.
    async fn reply(&mut self) -> Result<Reply, String> {
        let mut texts = Vec::new();
        for _ in 0..REPLY_LINES_MAX {
            let mut line = Vec::new();
            let mut limited = (&mut self.stream).take(LINE_BYTES_MAX);
            limited.read_until(b'\n', &mut line).await.map_err(|error| error.to_string())?;
            let Some(line) = line.strip_suffix(b"\n") else { return Err("EOF".to_owned()) };
            let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
            let invalid = || format!("short response: {line}");
            let (code, rest) = line.split_at_checked(3).ok_or_else(invalid)?;
            let code = code.parse().map_err(|_| invalid())?;
            let text = rest.get(1..).unwrap_or_default();
            texts.push(text.to_owned());
            if !rest.starts_with('-') {
                return Ok(Reply { code, text: texts.join("\n") });
            }
        }
        Err("the server's answer has too many lines".to_owned())
    }
}

impl Reply {
    fn must_be(self, code: u16) -> Result<Reply, String> {
        if self.code == code { Ok(self) } else { Err(self.to_error()) }
    }

    fn to_error(&self) -> String {
        format!("{} {}", self.code, self.text)
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.split('\n')
    }
}
