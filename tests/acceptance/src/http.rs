use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

/// What a server said.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.body))
    }
}

/// `GET http://127.0.0.1:port/path`; nothing if nobody answers.
pub fn get(port: u16, path: &str) -> Option<Answer> {
    exchange(port, format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n").as_bytes())
}

/// `POST` with a body; nothing if nobody answers.
pub fn post(port: u16, path: &str, content_type: &str, body: &str) -> Option<Answer> {
    post_bytes(port, path, &format!("Content-Type: {content_type}\r\n"), body.as_bytes())
}

/// `POST` with headers, each with its end of line, and a body; nothing if nobody answers.
pub fn post_bytes(port: u16, path: &str, headers: &str, body: &[u8]) -> Option<Answer> {
    let len = body.len();
    let head = format!(
        "POST {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n{headers}Content-Length: {len}\r\n\r\n"
    );
    exchange(port, &[head.as_bytes(), body].concat())
}

/// Any request; headers come each with its end of line. Nothing if nobody answers.
pub fn send(port: u16, method: &str, path: &str, headers: &str, body: &[u8]) -> Option<Answer> {
    let length = match body.len() {
        0 => String::new(),
        len => format!("Content-Length: {len}\r\n"),
    };
    let head =
        format!("{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n{headers}{length}\r\n");
    exchange(port, &[head.as_bytes(), body].concat())
}

/// The whole answer of `/api/v1/query`.
pub fn query(port: u16, expression: &str) -> Option<Answer> {
    get(port, &format!("/api/v1/query?query={}", escape(expression)))
}

/// The result list of a query that must succeed.
pub fn query_result(port: u16, expression: &str) -> Vec<Value> {
    let answer = query(port, expression).unwrap_or_else(|| panic!("no answer on {port}"));
    assert_eq!(answer.status, 200, "{expression}: {}", answer.body);
    answer.json()["data"]["result"].as_array().cloned().unwrap_or_default()
}

/// `text` as a part of an address.
pub fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// HTTP/1.0, so that the body simply ends with the connection.
fn exchange(port: u16, request: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    stream.write_all(request).ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (headers, body) = text.split_once("\r\n\r\n")?;
    let status = headers.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, headers: headers.to_owned(), body: body.to_owned() })
}
