//! Exchanges on connections of their own, in both roles.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use runtime::{
    clock::timeout,
    network::{Listener, Stream},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::mpsc,
    task::JoinSet,
};
use tracing::{debug, warn};

use super::{Notice, shared::Shared};
use crate::{
    Error, Input, Result,
    wire::{
        message::Ping,
        stream::{Decoder, Exchange, PushPull},
    },
};

const READ_BYTES: usize = 16 * 1024;
/// Wait so long after the listener has failed.
const RETRY_AFTER: Duration = Duration::from_millis(100);

impl Shared {
    pub(super) async fn accept_streams(self: Arc<Shared>, listener: Box<dyn Listener>) {
        loop {
            match listener.accept().await {
                Ok((stream, from)) => self.spawn(self.clone().serve(stream, from)),
                Err(error) => {
                    warn!(component = "cluster", err = %error, "Accepting a stream failed");
                    self.runtime.clock.sleep(RETRY_AFTER).await;
                }
            }
        }
    }

    async fn serve(self: Arc<Shared>, mut stream: Box<dyn Stream>, from: SocketAddr) {
        let Ok(_permit) = self.served.try_acquire() else {
            warn!(component = "cluster", %from, "Too many streams at a time");
            return;
        };
        let limit = self.options.stream_timeout;
        let served = self.answer(&mut *stream, from);
        match timeout(&*self.runtime.clock, limit, served).await {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                debug!(component = "cluster", %from, err = %error, "Serving a stream failed");
            }
            None => debug!(component = "cluster", %from, "A stream took too long"),
        }
    }

    async fn answer(self: &Arc<Shared>, stream: &mut dyn Stream, from: SocketAddr) -> Result<()> {
        let label = &self.options.label;
        let question = read(stream, label, from).await;
        match question {
            Ok(Exchange::PushPull(theirs)) => {
                let ours = self.everything(false);
                write(stream, &ours.to_bytes(label), from).await?;
                self.take_in(theirs).await
            }
            Ok(Exchange::Ping(ping)) => {
                let ack = self.core.lock().membership.answer_stream(&ping);
                match ack {
                    Some(ack) => write(stream, &Exchange::Ack(ack).to_bytes(label), from).await,
                    None => Ok(()),
                }
            }
            Ok(Exchange::User(bytes)) => {
                self.deliver(&bytes);
                Ok(())
            }
            Ok(Exchange::Ack(_) | Exchange::Error(_)) => Ok(()),
            Err(error) => {
                // Upstream explains only what is wrong with the envelope.
                let words = match &error {
                    Error::Encrypted => {
                        "Remote state is encrypted and encryption is not configured".to_owned()
                    }
                    Error::Malformed("compressed message" | "compression algorithm") => {
                        error.to_string()
                    }
                    _ => return Err(error),
                };
                write(stream, &Exchange::Error(words).to_bytes(label), from).await?;
                Err(error)
            }
        }
    }

    /// Tells a node everything and takes in what it says.
    pub(super) async fn exchange(self: &Arc<Shared>, to: SocketAddr, is_join: bool) -> Result<()> {
        let label = &self.options.label;
        let mut stream = self.connect(to, self.options.stream_timeout).await?;
        let ours = self.everything(is_join).to_bytes(label);
        let conversation = async {
            write(&mut *stream, &ours, to).await?;
            // The other node would take an end for a broken stream: no shutdown before its answer.
            read(&mut *stream, label, to).await
        };
        let limit = self.options.stream_timeout;
        let answer = timeout(&*self.runtime.clock, limit, conversation).await;
        match answer.ok_or_else(|| timed_out("exchange state with", to))?? {
            Exchange::PushPull(theirs) => self.take_in(theirs).await,
            Exchange::Error(words) => Err(Error::Remote(words)),
            _ => Err(Error::Malformed("answer to push/pull")),
        }
    }

    fn everything(&self, is_join: bool) -> Exchange {
        let user_state = self.user_state();
        let nodes = self.core.lock().membership.states();
        Exchange::PushPull(PushPull { is_join, nodes, user_state })
    }

    async fn take_in(self: &Arc<Shared>, theirs: PushPull) -> Result<()> {
        self.core.lock().membership.check_versions(&theirs)?;
        self.handle(Input::PushPull(theirs)).await;
        Ok(())
    }

    pub(super) async fn ping_on_stream(
        self: Arc<Shared>,
        to: SocketAddr,
        ping: Ping,
        limit: Duration,
    ) {
        let label = &self.options.label;
        let conversation = async {
            let mut stream = self.connect(to, limit).await?;
            write(&mut *stream, &Exchange::Ping(ping).to_bytes(label), to).await?;
            read(&mut *stream, label, to).await
        };
        match timeout(&*self.runtime.clock, limit, conversation).await {
            Some(Ok(Exchange::Ack(ack))) => self.handle(Input::StreamAck(ack)).await,
            Some(Ok(_)) | None => {}
            Some(Err(error)) => {
                debug!(component = "cluster", %to, err = %error, "Ping on a stream failed");
            }
        }
    }

    /// Sends each message that is too long for packets to every other node; they do not pass it on.
    pub(super) async fn send_large(
        self: Arc<Shared>,
        mut messages: mpsc::Receiver<(String, Vec<u8>)>,
    ) {
        while let Some((key, message)) = messages.recv().await {
            let bytes: Arc<[u8]> = Exchange::User(message).to_bytes(&self.options.label).into();
            let mut sending = JoinSet::new();
            for member in self.core.lock().membership.members() {
                if member.name != self.options.name {
                    let (shared, bytes, key) = (self.clone(), bytes.clone(), key.clone());
                    sending.spawn(async move {
                        shared.send_one_large(member.address, &bytes, &key).await;
                    });
                }
            }
            while sending.join_next().await.is_some() {}
        }
    }

    async fn send_one_large(&self, to: SocketAddr, bytes: &[u8], key: &str) {
        let started = self.runtime.clock.monotonic();
        let sending = async {
            let mut stream = self.connect(to, self.options.stream_timeout).await?;
            write(&mut *stream, bytes, to).await?;
            let failed = |source| io_error("send to", to, source);
            stream.shutdown().await.map_err(failed)?;
            // The end from over there says that it has been read.
            let mut rest = [0; 64];
            while stream.read(&mut rest).await.map_err(failed)? > 0 {}
            Ok::<(), Error>(())
        };
        let limit = self.options.stream_timeout;
        match timeout(&*self.runtime.clock, limit, sending).await {
            Some(Ok(())) => {
                let took = self.runtime.clock.monotonic() - started;
                self.observer.observe(&Notice::LargeSent { key, took });
            }
            Some(Err(error)) => {
                debug!(component = "cluster", key, err = %error, "failed to send reliable");
                self.observer.observe(&Notice::LargeFailed { key });
            }
            None => self.observer.observe(&Notice::LargeFailed { key }),
        }
    }

    async fn connect(&self, to: SocketAddr, limit: Duration) -> Result<Box<dyn Stream>> {
        let address = to.to_string();
        let connecting = self.runtime.network.connect(&address);
        timeout(&*self.runtime.clock, limit, connecting)
            .await
            .ok_or_else(|| timed_out("connect to", to))?
            .map_err(|source| io_error("connect to", to, source))
    }
}

async fn write(stream: &mut dyn Stream, bytes: &[u8], to: SocketAddr) -> Result<()> {
    let failed = |source| io_error("send to", to, source);
    stream.write_all(bytes).await.map_err(failed)?;
    stream.flush().await.map_err(failed)
}

async fn read(stream: &mut dyn Stream, label: &str, from: SocketAddr) -> Result<Exchange> {
    let mut decoder = Decoder::new(label);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let len =
            stream.read(&mut buffer).await.map_err(|source| io_error("read from", from, source))?;
        if len == 0 {
            return Err(Error::Truncated("stream"));
        }
        if let Some(exchange) = decoder.feed(&buffer[..len])? {
            return Ok(exchange);
        }
    }
}

fn timed_out(doing: &'static str, address: SocketAddr) -> Error {
    Error::TimedOut { doing, address: address.to_string() }
}

fn io_error(doing: &'static str, address: SocketAddr, source: std::io::Error) -> Error {
    Error::Io { doing, address: address.to_string(), source }
}
