//! One line of the file of requests.

use std::collections::BTreeMap;

use acceptance::Answer;

/// `METHOD path` with, if need be, ` ++ Header: value` and ` << body` after it. A body without a
/// header of its kind is a form.
pub(super) struct Request {
    /// As it stands in the file.
    pub(super) text: String,
    /// Why the answers differ, if they do.
    pub(super) reason: Option<String>,
    /// Whether they do depends on the moment.
    pub(super) may_differ: bool,
    method: String,
    path: String,
    headers: String,
    body: String,
}

/// The reasons by name, and all requests.
pub(super) fn parse(file: &str) -> (BTreeMap<String, String>, Vec<Request>) {
    let mut reasons = BTreeMap::new();
    let mut requests = Vec::new();
    for line in file.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(reason) = line.strip_prefix("# ~") {
            let (name, why) = reason.split_once(": ").expect("a reason is a name and why");
            reasons.insert(name.to_owned(), why.to_owned());
        } else if !line.starts_with('#') {
            requests.push(Request::parse(line));
        }
    }
    (reasons, requests)
}

impl Request {
    fn parse(line: &str) -> Request {
        let (reason, request) = match line.strip_prefix(['~', '?']) {
            Some(rest) => {
                let (name, request) = rest.split_once(' ').expect("a name and a request");
                (Some(name.to_owned()), request)
            }
            None => (None, line),
        };
        let (head, body) = request.split_once(" << ").unwrap_or((request, ""));
        let mut parts = head.split(" ++ ");
        let (method, path) = parts
            .next()
            .and_then(|part| part.split_once(' '))
            .unwrap_or_else(|| panic!("a method and a path: {line}"));
        let mut headers: String = parts.map(|header| format!("{header}\r\n")).collect();
        let has_kind = headers.to_lowercase().contains("content-type:");
        if !body.is_empty() && !has_kind {
            headers.push_str("Content-Type: application/x-www-form-urlencoded\r\n");
        }
        Request {
            text: request.to_owned(),
            reason,
            may_differ: line.starts_with('?'),
            method: method.to_owned(),
            path: escape(path),
            headers,
            body: escape(body),
        }
    }

    pub(super) fn send(&self, port: u16) -> Answer {
        let Request { method, path, headers, body, .. } = self;
        acceptance::send(port, method, path, headers, body.as_bytes())
            .unwrap_or_else(|| panic!("no answer to {}", self.text))
    }
}

/// What may not stand in an address as it is.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'[' | b']'
            | b'#' => {
                out.push_str(&format!("%{byte:02X}"));
            }
            0x21..=0x7e => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
