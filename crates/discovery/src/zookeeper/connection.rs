//! One connection to a server: a question at a time, and what the server says by itself.

use std::{collections::BTreeSet, time::Duration};

use runtime::{Runtime, network::Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::message::{self, Event, FRAME_BYTES_MAX, Message, PING, Question};

const PORT: u16 = 2181;

pub(super) struct Connection {
    runtime: Runtime,
    stream: Box<dyn Stream>,
    /// What has come in and is not read yet.
    incoming: Vec<u8>,
    timeout: Duration,
    last_number: i32,
    /// Not looked at yet; a watch is good for one event, so that there are no more than watches.
    events: BTreeSet<Event>,
}

impl Connection {
    pub(super) async fn open(
        runtime: &Runtime,
        server: &str,
        timeout: Duration,
    ) -> Result<Connection, String> {
        let address = match server.rsplit_once(':') {
            Some((_, port)) if port.parse::<u16>().is_ok() => server.to_owned(),
            _ => format!("{server}:{PORT}"),
        };
        let connecting = runtime.network.connect(&address);
        let stream = runtime::clock::timeout(&*runtime.clock, timeout, connecting).await;
        let stream = stream.ok_or_else(|| format!("connect to {address}: timed out"))?;
        let stream = stream.map_err(|error| format!("connect to {address}: {error}"))?;
        let mut connection = Connection {
            runtime: runtime.clone(),
            stream,
            incoming: Vec::new(),
            timeout,
            last_number: 0,
            events: BTreeSet::new(),
        };
        let millis = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        connection.write(&message::greeting(millis)).await?;
        let answer = connection.frame_in_time().await?;
        let agreed = message::read_greeting(&answer).ok_or("the server refuses the session")?;
        let agreed = u64::try_from(agreed).unwrap_or_default();
        connection.timeout = Duration::from_millis(agreed);
        Ok(connection)
    }

    /// Whether the node is there; either way a change of that is an event.
    pub(super) async fn exists(&mut self, path: &str) -> Result<bool, String> {
        Ok(self.ask(Question::Exists, path).await?.is_some())
    }

    /// Nothing if there is no node; a change is an event.
    pub(super) async fn data(&mut self, path: &str) -> Result<Option<Vec<u8>>, String> {
        let Some(body) = self.ask(Question::Data, path).await? else { return Ok(None) };
        message::read_data(&body).map(Some).ok_or_else(|| senseless(path))
    }

    /// Nothing if there is no node; a change is an event.
    pub(super) async fn children(&mut self, path: &str) -> Result<Option<Vec<String>>, String> {
        let Some(body) = self.ask(Question::Children, path).await? else { return Ok(None) };
        message::read_children(&body).map(Some).ok_or_else(|| senseless(path))
    }

    /// An event that came in while we were asking.
    pub(super) fn waiting_event(&mut self) -> Option<Event> {
        self.events.pop_first()
    }

    /// Waits for the next event, and keeps the session alive meanwhile.
    pub(super) async fn event(&mut self) -> Result<Event, String> {
        loop {
            if let Some(event) = self.waiting_event() {
                return Ok(event);
            }
            let pause = self.runtime.clock.sleep(self.timeout / 3);
            let frame = tokio::select! {
                frame = self.frame() => frame?,
                () = pause => {
                    self.write(&message::question(PING, Question::Ping, "")).await?;
                    self.frame_in_time().await?
                }
            };
            self.take(&frame)?;
        }
    }

    async fn ask(&mut self, question: Question, path: &str) -> Result<Option<Vec<u8>>, String> {
        self.last_number = self.last_number.checked_add(1).unwrap_or(1);
        let asked = self.last_number;
        self.write(&message::question(asked, question, path)).await?;
        loop {
            let frame = self.frame_in_time().await?;
            match self.take(&frame)? {
                Message::Answer { number, body } if number == asked => return Ok(body),
                _ => {}
            }
        }
    }

    /// Reads a frame; events are put aside.
    fn take(&mut self, frame: &[u8]) -> Result<Message, String> {
        let message = message::read(frame).ok_or("the server makes no sense")?;
        if let Message::Event(event) = &message {
            self.events.insert(event.clone());
        }
        Ok(message)
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let writing = self.stream.write_all(bytes);
        let written = runtime::clock::timeout(&*self.runtime.clock, self.timeout, writing).await;
        let written = written.ok_or("the server takes nothing")?;
        written.map_err(|error| error.to_string())
    }

    async fn frame_in_time(&mut self) -> Result<Vec<u8>, String> {
        let (clock, timeout) = (self.runtime.clock.clone(), self.timeout);
        let frame = runtime::clock::timeout(&*clock, timeout, self.frame()).await;
        frame.ok_or("the server is silent")?
    }

    /// The next frame. What has come in of it stays if nobody waits any more.
    async fn frame(&mut self) -> Result<Vec<u8>, String> {
        loop {
            if let Some((head, rest)) = self.incoming.split_first_chunk() {
                let length = usize::try_from(i32::from_be_bytes(*head)).unwrap_or(usize::MAX);
                if length > FRAME_BYTES_MAX {
                    return Err(format!("a frame of {length} bytes is too large"));
                }
                if let Some(frame) = rest.get(..length) {
                    let frame = frame.to_vec();
                    self.incoming.drain(..4 + length);
                    return Ok(frame);
                }
            }
            let read = self.stream.read_buf(&mut self.incoming).await;
            if read.map_err(|error| error.to_string())? == 0 {
                return Err("the server closes the connection".to_owned());
            }
        }
    }
}

fn senseless(path: &str) -> String {
    format!("the server makes no sense of {path}")
}
