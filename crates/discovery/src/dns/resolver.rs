//! Asks the servers of `/etc/resolv.conf`: by a datagram, and over a stream for what is too long.

use std::{io, path::Path, time::Duration};

use runtime::Runtime;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{
    Kind,
    message::{self, Answer, Data},
};

const SETTINGS: &str = "/etc/resolv.conf";
const DATAGRAM_BYTES_MAX: usize = 4096;

pub(super) struct Resolver {
    runtime: Runtime,
}

/// What the file says.
#[derive(Debug, PartialEq, Eq)]
struct Settings {
    servers: Vec<String>,
    search: Vec<String>,
    /// Names with fewer dots are first looked for below `search`.
    n_dots: usize,
    timeout: Duration,
}

impl Resolver {
    pub(super) fn new(runtime: Runtime) -> Resolver {
        Resolver { runtime }
    }

    /// The records of a name, or of the first name below the search list that has some. An error
    /// if nobody could say for sure that there are none.
    pub(super) async fn look_up(&self, name: &str, kind: Kind) -> Result<Vec<Data>, String> {
        let disk = self.runtime.disk.clone();
        let text = runtime::blocking(move || disk.read_to_string(Path::new(SETTINGS)));
        let text = text.map_err(|error| format!("could not load {SETTINGS}: {error}"))?;
        let settings = parse(&text);
        let mut failure = None;
        for name in names(name, &settings) {
            match self.ask_all(&name, kind, &settings).await {
                Ok(Answer::Records(records)) if !records.is_empty() => return Ok(records),
                Ok(_) => {}
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(Vec::new()), |error| {
            Err(format!("could not resolve {name:?}: all servers responded with errors to at least one search domain: {error}"))
        })
    }

    /// The answer of the first server that has one.
    async fn ask_all(&self, name: &str, kind: Kind, settings: &Settings) -> Result<Answer, String> {
        let mut failure = "no servers".to_owned();
        for server in &settings.servers {
            match self.ask(server, name, kind, settings.timeout).await {
                Ok(answer) => return Ok(answer),
                Err(error) => failure = format!("{server}: {error}"),
            }
        }
        Err(failure)
    }

    async fn ask(
        &self,
        server: &str,
        name: &str,
        kind: Kind,
        timeout: Duration,
    ) -> Result<Answer, String> {
        let [a, b, ..] = self.runtime.random.u64().to_be_bytes();
        let id = u16::from_be_bytes([a, b]);
        let question = message::question(id, name, kind).ok_or("this is no name")?;
        let clock = &*self.runtime.clock;
        let by_datagram = runtime::clock::timeout(clock, timeout, self.datagram(server, &question));
        // A firewall may let only one of the two ways through.
        if let Some(Ok(bytes)) = by_datagram.await {
            let answer = message::answer(&bytes, id, kind)?;
            if answer != Answer::Truncated {
                return Ok(answer);
            }
        }
        let by_stream = runtime::clock::timeout(clock, timeout, self.stream(server, &question));
        let bytes = by_stream.await.ok_or("i/o timeout")?.map_err(|error| error.to_string())?;
        match message::answer(&bytes, id, kind)? {
            Answer::Truncated => Err("truncated without need".to_owned()),
            answer => Ok(answer),
        }
    }

    async fn datagram(&self, server: &str, question: &[u8]) -> io::Result<Vec<u8>> {
        let to = server.parse().map_err(io::Error::other)?;
        let from = if server.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
        let socket = self.runtime.network.bind(from).await?;
        socket.send(question, to).await?;
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        loop {
            let (len, sender) = socket.receive(&mut buffer).await?;
            // Others may send there, too.
            let is_answer = sender == to && buffer.get(..2) == question.get(..2);
            if is_answer {
                buffer.truncate(len);
                return Ok(buffer);
            }
        }
    }

    async fn stream(&self, server: &str, question: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = self.runtime.network.connect(server).await?;
        let len = u16::try_from(question.len()).map_err(io::Error::other)?;
        stream.write_all(&[&len.to_be_bytes(), question].concat()).await?;
        let len = stream.read_u16().await?;
        let mut answer = vec![0; usize::from(len)];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    }
}

/// The names to try, in turn: one that ends with a dot is meant as it is.
fn names(name: &str, settings: &Settings) -> Vec<String> {
    if name.ends_with('.') {
        return vec![name.to_owned()];
    }
    let mut names: Vec<_> = settings
        .search
        .iter()
        .map(|domain| format!("{name}.{}", domain.trim_matches('.')))
        .collect();
    let comes_first = name.matches('.').count() >= settings.n_dots;
    names.insert(if comes_first { 0 } else { names.len() }, name.to_owned());
    names
}

fn parse(text: &str) -> Settings {
    let mut settings = Settings {
        servers: Vec::new(),
        search: Vec::new(),
        n_dots: 1,
        timeout: Duration::from_secs(5),
    };
    for line in text.lines().filter(|line| !line.starts_with(['#', ';'])) {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("nameserver") => settings.servers.extend(words.next().map(with_port)),
            Some("search" | "domain") => settings.search = words.map(str::to_owned).collect(),
            Some("options") => {
                for option in words {
                    match option.split_once(':') {
                        Some(("ndots", n)) => settings.n_dots = n.parse().unwrap_or(1),
                        Some(("timeout", seconds)) => {
                            let seconds = seconds.parse().unwrap_or(5).clamp(1, 30);
                            settings.timeout = Duration::from_secs(seconds);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    if settings.servers.is_empty() {
        settings.servers.push("127.0.0.1:53".to_owned());
    }
    settings
}

fn with_port(server: &str) -> String {
    if server.contains(':') { format!("[{server}]:53") } else { format!("{server}:53") }
}

#[cfg(test)]
mod tests {
    use super::{Settings, names, parse};

    fn check(name: &str, settings: &Settings, expected: &[&str]) {
        assert_eq!(names(name, settings), expected);
    }

    #[test]
    fn short_names_are_looked_for_below_the_search_list() {
        let text = "# x\nnameserver 10.0.0.1\nnameserver fd00::1\nsearch a.b c.\noptions ndots:2 timeout:3\n";
        let settings = parse(text);
        assert_eq!(settings.servers, ["10.0.0.1:53", "[fd00::1]:53"]);
        assert_eq!(settings.timeout.as_secs(), 3);
        check("x.", &settings, &["x."]);
        check("x", &settings, &["x.a.b", "x.c", "x"]);
        check("x.y.z", &settings, &["x.y.z", "x.y.z.a.b", "x.y.z.c"]);
    }
}
